"""What the pages of a selection show: the list of tasks with where each stands, and what belongs to each step."""

from dataclasses import dataclass
from typing import Any

import orjson
from flask import request

from api import selection_forms
from api.auth import actor
from ledger import stations
from ledger.kinds.credit import AWARD_LEVELS
from ledger.kinds.selections import DOUBTS, FINDINGS, GROUNDS, SUBJECTS
from ledger.people import accounts
from ledger.selections import checking, doubts, drafts, freezing, objecting, publishing, reading, rechecking, sealing
from ledger.selections.reading import STEPS
from ledger.selections.rules import ORDERS, TIE_BREAKS, differences
from ledger.transactions import ReadTransaction

PAGES = ("rules", "freeze", "check", "doubts", "ranking", "publicity", "objections", "final")
_EXPLAINED = (
    "期间、门槛、名额、并列规则，冻结以前随时能改",
    "在签过名的检查点上定住：以后登记的不再算",
    "每个人一盏灯，一句话说明差什么",
    "有疑点的记录，一个人提、另一个人定",
    "名次怎么来的，并列怎么定的；公示以后一键复算",
    "打码名单，每行一个承诺值，可以打印张贴",
    "期限以前查清答复；成立的自动重排",
    "两个人签，名单上的人各得一条表彰",
)


@dataclass(frozen=True)
class Task:
    """A step: its number from 1, name, what it is for, its page, how it stands, and whether it can be opened."""

    at: int
    name: str
    explained: str
    page: str
    state: str
    said: str
    ready: bool


def tasks(tx: ReadTransaction, row: Any, draft: Any) -> list[Task]:
    """Say how each step stands. *row*: the selection, None before the freeze; *draft*: the newest version of its rules."""
    opened, public, sealed = (
        row is not None,
        row is not None and row.published_index is not None,
        row is not None and row.sealed_index is not None,
    )
    waiting = len(doubts.waiting(tx, row.id)) if opened else 0
    objections = [one for one in reading.objections_of(tx.connection, row.id) if one.decision is None] if opened else []
    undrawn = opened and "random" in reading.rules_of(row).tie_break and row.drawn_index is None
    over = public and tx.today.isoformat() > row.published_until
    states = [
        ("done", f"第 {draft.version} 版" if draft else "已定") if opened else ("now", f"第 {draft.version} 版，还能改"),
        ("done", f"{row.counted_on}，账本 {row.tree_size} 条") if opened else ("now", "还没有冻结"),
        ("done", "") if public else ("now", "可以查看") if opened else ("later", "冻结以后"),
        ("done", "") if public else ("now", f"{waiting} 条等第二个人" if waiting else "可以处理") if opened else ("later", "冻结以后"),
        ("done", "") if public else ("now", "等公开随机数" if undrawn else "可以查看") if opened else ("later", "冻结以后"),
        ("done" if over else "now", f"到 {row.published_until}") if public else ("now", "还没有公示") if opened else ("later", "冻结以后"),
        ("now", f"{len(objections)} 条等处理")
        if objections
        else ("done" if over else "now", "没有待办")
        if public
        else ("later", "公示以后"),
        ("done", f"{row.sealed_at[:10]} 定稿") if sealed else ("now", "等两个人签") if over else ("later", "公示期满以后"),
    ]
    return [
        Task(at + 1, STEPS[at], _EXPLAINED[at], page, *states[at], ready=at < 2 or states[at][0] != "later")
        for at, page in enumerate(PAGES)
    ]


def frame(tx: ReadTransaction, selection: str) -> dict[str, Any]:
    """Gather what every page of a selection shows. Raises NotFound for one that the reader may not work on."""
    row, draft = reading.see_either(tx, actor(), selection)
    rules = reading.rules_of(row) if row is not None else drafts.rules_of(draft)
    of = row if row is not None else draft
    unit = stations.get(tx.connection, of.station).name
    shown = {"row": row, "draft": draft, "rules": rules, "unit": unit, "year": of.year, "id": selection, "today": tx.today.isoformat()}
    return shown | {"tasks": tasks(tx, row, draft), "SUBJECTS": SUBJECTS, "me_account": actor().account}


def _rules_page(tx: ReadTransaction, shown: dict[str, Any]) -> dict[str, Any]:
    before = None
    if shown["draft"] is not None and shown["draft"].replaces:
        before = reading.get(tx.connection, shown["draft"].replaces)
    kept = list(reading.versions(tx.connection, shown["id"]))
    logins = accounts.logins(tx.connection, {one.saved_by for one in kept})
    earlier = orjson.loads(before.rules) if before else orjson.loads(kept[1].rules) if len(kept) > 1 else None
    changed = differences(earlier, shown["rules"].said) if earlier is not None else []
    fields = selection_forms.shown(shown["rules"].said)
    source = shown["draft"].random_source if shown["draft"] else ""
    return {"versions": kept, "logins": logins, "changed": changed, "before": before, "fields": fields, "random_source": source, **WORDS}


def _freeze_page(tx: ReadTransaction, shown: dict[str, Any]) -> dict[str, Any]:
    if shown["row"] is not None:
        return {"outlook": None}
    trial = freezing.trial(tx, shown["draft"]) if request.args.get("try") else None
    return {"outlook": freezing.outlook(tx, shown["draft"].station, shown["year"], shown["rules"]), "trial": trial}


def _check_page(tx: ReadTransaction, shown: dict[str, Any]) -> dict[str, Any]:
    light = request.args.get("light")
    light = light if light in checking.LIGHTS else None
    counts, found = checking.summary(checking.check(tx, shown["row"]), 300, light)
    names = publishing.names_of(tx, shown["row"], {one.sums.subject for one in found})
    return {"counts": counts, "found": found, "names": names, "light": light, "LIGHTS": checking.LIGHTS, "places": _places(tx, found)}


def _places(tx: ReadTransaction, found: list[Any]) -> dict[str, str]:
    return stations.names(tx.connection, {one.sums.station for one in found})


def _doubts_page(tx: ReadTransaction, shown: dict[str, Any]) -> dict[str, Any]:
    found = doubts.of_selection(tx, shown["row"])
    names = publishing.names_of(tx, shown["row"], {one.standing.sums.subject for one in found})
    people = {who for one in found for said in (one.proposal, one.decision) if said is not None for who in (said.asked_by,)}
    people |= {one.record.recorder for one in found} | {one.decision.decided_by for one in found if one.decision}
    public = shown["row"].published_index is not None
    return {"found": found, "names": names, "logins": accounts.logins(tx.connection, people), "is_public": public, "FINDINGS": DOUBTS}


def _ranking_page(tx: ReadTransaction, shown: dict[str, Any]) -> dict[str, Any]:
    row = shown["row"]
    found = reading.ranking_of(tx.connection, row)
    digest = reading.digest_of(row, found)
    everybody = [*found.chosen, *found.reserve]
    names = publishing.names_of(tx, row, {one.sums.subject for one in everybody})
    doubtful = {one.standing.sums.subject: one.effect for one in reversed(doubts.of_selection(tx, row)) if one.open}
    again = rechecking.recount(tx.connection, row.id).lists if request.args.get("again") and row.published_index is not None else []
    return {
        "ranking": found,
        "digest": digest,
        "names": names,
        "places": _places(tx, everybody),
        "grades": checking.by_grade(tx, row, [one.sums.subject for one in found.chosen]),
        "doubtful": doubtful,
        "again": again,
        "uses_random": "random" in shown["rules"].tie_break,
        "TIE_BREAKS": TIE_BREAKS,
    }


def _publicity_page(tx: ReadTransaction, shown: dict[str, Any]) -> dict[str, Any]:
    row = shown["row"]
    if row.published_index is not None:
        return {"lines": publishing.public_lines(tx, row), "ORDERS": ORDERS}
    ranking = reading.ranking_of(tx.connection, row)
    listed = publishing.in_order(tx, row, ranking.chosen, shown["rules"].order)
    names = publishing.names_of(tx, row, {one.sums.subject for one in listed})
    where = _places(tx, listed)
    lines = [
        publishing.Line(at, names[one.sums.subject], where[one.sums.station], one.sums.minutes, "") for at, one in enumerate(listed, 1)
    ]
    waiting = len(doubts.waiting(tx, row.id))
    unseen = [one for one in doubts.of_selection(tx, row) if one.open and one.proposal is None]
    return {"lines": lines, "undrawn": ranking.undrawn, "waiting": waiting, "unseen": len(unseen), "ORDERS": ORDERS}


def _objections_page(tx: ReadTransaction, shown: dict[str, Any]) -> dict[str, Any]:
    row = shown["row"]
    found = reading.objections_of(tx.connection, row.id)
    changed = objecting.changes(tx, row) if row.published_index is not None else objecting.Change()
    moved = [*changed.entered, *changed.left]
    rows = objecting.rows_meant(tx, row, [one for one in found if one.decision is None])
    return {
        "found": found,
        "meant": rows,
        "words": objecting.words_of(tx, found),
        "logins": accounts.logins(tx.connection, {who for one in found for who in (one.actor, one.decided_by) if who}),
        "changed": changed,
        "names": publishing.names_of(tx, row, {one.sums.subject for one in moved} | {one.subject for one in rows.values()}),
        "is_public": row.published_index is not None and shown["today"] <= row.published_until,
        "effects": {one.entry_index: orjson.loads(one.effect or "{}") for one in found},
        "GROUNDS": GROUNDS,
        "EFFECTS": objecting.EFFECTS,
        "FINDINGS": FINDINGS,
    }


def _final_page(tx: ReadTransaction, shown: dict[str, Any]) -> dict[str, Any]:
    row = shown["row"]
    found = reading.ranking_of(tx.connection, row, row.sealed_index)
    first = sealing.first_signature(tx, row.id)
    digest = reading.digest_of(row, found)
    signers = {first.asked_by} if first else set()
    signers |= {who for who in (row.asked_by, row.sealed_by) if who}
    changed = objecting.changes(tx, row) if row.published_index is not None else objecting.Change()
    return {
        "ranking": found,
        "digest": digest,
        "first": first if first is not None and first.reason == digest else None,
        "stale": first is not None and first.reason != digest,
        "names": publishing.names_of(tx, row, {one.sums.subject for one in found.chosen}),
        "places": _places(tx, found.chosen),
        "logins": accounts.logins(tx.connection, signers),
        "changed": changed,
        "over": row.published_index is not None and shown["today"] > row.published_until,
    }


GATHER = (_rules_page, _freeze_page, _check_page, _doubts_page, _ranking_page, _publicity_page, _objections_page, _final_page)
WORDS = {"TIE_BREAKS": TIE_BREAKS, "ORDERS": ORDERS, "AWARD_LEVELS": AWARD_LEVELS, "TIES": selection_forms.TIE_CHOICES}
