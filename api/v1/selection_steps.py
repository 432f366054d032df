"""
/selections: running a selection by its eight steps, as the pages do: rules, freeze, pre-check, doubts, ranking, publicity, objections, the final list.

What takes two people on the pages takes two accounts here. Names are masked, and what people wrote in their own words stands on the page alone. The
views stand on the blueprint of selections.
"""

from collections.abc import Callable
from typing import Any

import orjson
from flask import Response

from api.auth import actor, ledger, open_to_tokens
from api.v1 import selection_schemas as schemas
from api.v1.lists import LIMIT, Query, answer_page, page_of, said_of
from api.v1.requests import JSON, KEY, answer_changing, carry_out, describe, query, reads
from api.v1.selections import CANDIDATE, blueprint
from ledger.errors import Conflict, NotFound
from ledger.kinds.checks import INTEGER_MAX
from ledger.log import Receipt
from ledger.people.actors import Actor
from ledger.repeats import Answer
from ledger.selections import checking, doubts, drafts, freezing, objecting, publishing, reading, sealing, yearly
from ledger.selections.doubts import Doubt
from ledger.selections.ranking import Standing
from ledger.transactions import ReadTransaction, WriteTransaction

_SCOPE = "selections:write"
_ONE = "/<string(length=10):selection>"
_DOUBT = f"{_ONE}/doubts/<int(max={INTEGER_MAX}):service>"
_OBJECTION = f"{_ONE}/objections/<int(max={INTEGER_MAX}):index>"
_AGAIN = "这个编号的请求早已办过：第一次的答复"
_QUERY, _CHECK_QUERY = Query(), schemas.CheckQuery()
_FROZEN = (
    *("rules_sha256", "period_from", "period_to", "tree_size", "root", "counted_on", "replaced_by", "drawn_value", "drawn_on"),
    *("published_from", "published_until", "chosen", "sealed_at"),
)


def _entered(receipt: Receipt) -> Answer:
    return {"index": receipt.index, "short_hash": receipt.short_hash}


def _opened(tx: ReadTransaction, who: Actor, selection: str) -> Any:
    """Give a selection that is frozen. Raises NotFound, Conflict for one that is still a draft."""
    row, _ = reading.see_either(tx, who, selection)
    if row is None:
        raise Conflict("这次评选还没有冻结。先冻结，才有这一步")
    return row


def _enter(selection: str, deed: Callable[[WriteTransaction], Receipt]) -> Response:
    """Do what one entry says of a selection that is frozen."""

    def work(tx: WriteTransaction) -> Answer:
        _opened(tx, tx.actor, selection)
        return _entered(deed(tx))

    return carry_out(work)


# --- rules and freeze


@blueprint.route("")
@open_to_tokens(_SCOPE)
@describe(
    "列出评选",
    {200: ("一页评选", {JSON: page_of(schemas.Listed, "SelectionPage")})},
    description="这个账号所在单位和下级的，起草中的也在内。",
    parameters=[{"in": "query", "schema": Query}],
)
def listing() -> Response:
    """List the selections that the token reaches."""
    said = query(_QUERY)
    with ledger().read() as tx:
        found = sorted(reading.listing(tx, actor()), key=lambda one: one.id)
    rows = [one for one in found if one.id > said.get("cursor", "")][: said.get("limit", LIMIT) + 1]
    names = ("id", "name", "station", "year", "subject", "stage", "opened")
    return answer_page(rows, said, lambda one: one.id, lambda kept: [said_of(one, names) for one in kept])


@blueprint.route("", methods=["POST"])
@open_to_tokens(_SCOPE)
@describe(
    "起草一次评选",
    {201: ("已保存为第 1 版规则", {JSON: schemas.Drafted}), 200: (_AGAIN, {JSON: schemas.Drafted})},
    description="冻结以前可以再改。replaces：代替哪一轮（已冻结、没有定稿的）。",
    parameters=[KEY],
)
@reads(schemas.Draft())
def create(said: dict[str, Any]) -> Response:
    """Save the rules of a new selection."""

    def work(tx: WriteTransaction) -> Answer:
        more = said.get("random_source", ""), said.get("replaces")
        return {"id": drafts.save(tx, None, said["station"], said["year"], said["rules"], *more)}

    return carry_out(work, lambda made: f"/api/v1/selections/{made['id']}")


@blueprint.route(_ONE)
@open_to_tokens(_SCOPE)
@describe("读一次评选", {200: ("规则，和办到哪里了", {JSON: schemas.Selection})})
def one(selection: str) -> Response:
    """Show a selection and how far it has come."""
    with ledger().read() as tx:
        row, draft = reading.see_either(tx, actor(), selection)
        of = row if row is not None else draft
        rules = orjson.loads(of.rules)
        said = said_of(of, ("id", "station", "year", "random_source", "replaces"), name=rules["name"], rules=rules)
        said |= {"subject": rules.get("subject", "volunteers"), "version": draft.version if draft is not None else None}
        if row is None:
            said["stage"] = reading.DRAFTING
        else:
            waiting = sum(one.decision is None for one in reading.objections_of(tx.connection, row.id))
            said |= said_of(row, _FROZEN, index=row.entry_index, list=row.sealed_list or row.list, stage=reading.stage(tx, row))
            said |= {"doubts_waiting": len(doubts.waiting(tx, row.id)), "objections_waiting": waiting}
    return answer_changing({name: value for name, value in said.items() if value is not None})


@blueprint.route(f"{_ONE}/versions", methods=["POST"])
@open_to_tokens(_SCOPE)
@describe(
    "改规则：保存为新的一版",
    {201: ("已保存", {JSON: schemas.Drafted}), 200: (_AGAIN, {JSON: schemas.Drafted})},
    description="冻结以后不能再改。",
    parameters=[KEY],
)
@reads(schemas.Version())
def revise(said: dict[str, Any], selection: str) -> Response:
    """Save the next version of a draft's rules."""

    def work(tx: WriteTransaction) -> Answer:
        station = reading.see_draft(tx, tx.actor, selection).station
        return {"id": drafts.save(tx, selection, station, said["year"], said["rules"], said.get("random_source", ""))}

    return carry_out(work)


@blueprint.route(f"{_ONE}/freezes", methods=["POST"])
@open_to_tokens(_SCOPE)
@describe(
    "冻结",
    {201: ("已冻结", {JSON: schemas.Entered}), 200: (_AGAIN, {JSON: schemas.Entered})},
    description="先签一个检查点，紧接着冻结：以后登记的、更正的都不算。",
    parameters=[KEY],
)
def freeze(selection: str) -> Response:
    """Freeze the newest version of a draft's rules on a checkpoint signed for it."""
    with ledger().read() as tx:
        reading.see_either(tx, actor(), selection)
    return freezing.at_checkpoint(ledger(), lambda: carry_out(lambda tx: _entered(freezing.open_at_checkpoint(tx, selection))))


# --- pre-check and doubts


@blueprint.route(f"{_ONE}/checks")
@open_to_tokens(_SCOPE)
@describe(
    "预审：每个人一盏灯",
    {200: ("各灯的人数，和时长最多的前几个", {JSON: schemas.Checks})},
    parameters=[{"in": "query", "schema": schemas.CheckQuery}],
)
def checks(selection: str) -> Response:
    """Judge everybody; count the lights, and show the first of them."""
    said = query(_CHECK_QUERY)
    with ledger().read() as tx:
        row = _opened(tx, actor(), selection)
        counts, found = checking.summary(checking.check(tx, row), said.get("limit", LIMIT), said.get("light"))
        names = publishing.names_of(tx, row, {one.sums.subject for one in found})
    items = [
        said_of(one.sums, ("subject", "station", "minutes", "services"), name=names[one.sums.subject], light=one.light, reason=one.reason)
        for one in found
    ]
    return answer_changing({"counts": {light: counts[light] for light in checking.LIGHTS}, "items": items})


@blueprint.route(f"{_ONE}/doubts")
@open_to_tokens(_SCOPE)
@describe("列出疑点", {200: ("影响名单最大的在前", {JSON: schemas.Doubts})})
def listed_doubts(selection: str) -> Response:
    """List the doubtful records of those on the list or next to it."""
    with ledger().read() as tx:
        row = _opened(tx, actor(), selection)
        found = doubts.of_selection(tx, row)
        names = publishing.names_of(tx, row, {one.standing.sums.subject for one in found})
    return answer_changing({"items": [_doubt(one, names) for one in found]})


def _doubt(one: Doubt, names: dict[str, str]) -> dict[str, Any]:
    said = said_of(one.record, ("service", "subject", "activity", "served_on", "start", "end", "minutes", "grade"))
    said |= {"name": names[one.record.subject], "rank": one.standing.rank, "reasons": one.reasons, "effect": one.effect}
    if one.proposal is not None:
        said["proposal"] = said_of(one.proposal, ("finding", "reason"), own=one.proposal.asked_by == actor().account)
    if one.decision is not None:
        said["decision"] = said_of(one.decision, ("finding", "reason"), index=one.decision.entry_index)
    return said


@blueprint.route(f"{_DOUBT}/proposals", methods=["POST"])
@open_to_tokens(_SCOPE)
@describe(
    "提出怎样处理一条疑点",
    {201: ("等另一个人确认", {JSON: schemas.Service}), 200: (_AGAIN, {JSON: schemas.Service})},
    parameters=[KEY],
)
@reads(schemas.Finding())
def propose(said: dict[str, Any], selection: str, service: int) -> Response:
    """Say what should become of a doubtful record."""

    def work(tx: WriteTransaction) -> Answer:
        _opened(tx, tx.actor, selection)
        doubts.propose(tx, selection, service, said["finding"], said["reason"])
        return {"service": service}

    return carry_out(work)


@blueprint.route(f"{_DOUBT}/confirmations", methods=["POST"])
@open_to_tokens(_SCOPE)
@describe(
    "确认一条疑点的处理意见",
    {201: ("已写进账本", {JSON: schemas.Entered}), 200: (_AGAIN, {JSON: schemas.Entered})},
    description="提出的人、登记这条记录的人不能确认。",
    parameters=[KEY],
)
def confirm(selection: str, service: int) -> Response:
    """Decide a doubtful record as somebody else proposed."""
    return _enter(selection, lambda tx: doubts.confirm(tx, selection, service))


@blueprint.route(f"{_DOUBT}/withdrawals", methods=["POST"])
@open_to_tokens(_SCOPE)
@describe("撤下一条疑点的处理意见", {201: ("已撤下", {JSON: schemas.Service}), 200: (_AGAIN, {JSON: schemas.Service})}, parameters=[KEY])
def withdraw(selection: str, service: int) -> Response:
    """Drop what was proposed."""

    def work(tx: WriteTransaction) -> Answer:
        _opened(tx, tx.actor, selection)
        doubts.take_back(tx, selection, service)
        return {"service": service}

    return carry_out(work)


# --- ranking and publicity


@blueprint.route(f"{_ONE}/ranking")
@open_to_tokens(_SCOPE)
@describe("读排名", {200: ("名单、候补和名单的摘要", {JSON: schemas.Ranked})}, description="定稿以后是定稿的那一份。")
def ranking(selection: str) -> Response:
    """Show the list as it stands, or as it was signed."""
    with ledger().read() as tx:
        row = _opened(tx, actor(), selection)
        found = reading.ranking_of(tx.connection, row, row.sealed_index)

        def shown(standings: list[Standing]) -> list[dict[str, Any]]:
            return [said_of(one, CANDIDATE) for one in yearly.candidates(tx, reading.rules_of(row), standings)]

        said = {name: shown(getattr(found, name)) for name in ("chosen", "reserve", "excluded")}
    return answer_changing({"considered": found.considered, "undrawn": found.undrawn, "list": reading.digest_of(row, found), **said})


@blueprint.route(f"{_ONE}/draws", methods=["POST"])
@open_to_tokens(_SCOPE)
@describe("写下公开随机数", {201: ("已写进账本", {JSON: schemas.Entered}), 200: (_AGAIN, {JSON: schemas.Entered})}, parameters=[KEY])
@reads(schemas.Drawn())
def draw(said: dict[str, Any], selection: str) -> Response:
    """Write down the public random value that the freeze named."""
    return _enter(selection, lambda tx: publishing.draw(tx, selection, said["value"], said["drawn_on"]))


@blueprint.route(f"{_ONE}/publications", methods=["POST"])
@open_to_tokens(_SCOPE)
@describe("公示名单", {201: ("已公示", {JSON: schemas.Entered}), 200: (_AGAIN, {JSON: schemas.Entered})}, parameters=[KEY])
def publish(selection: str) -> Response:
    """Make the list public."""
    return _enter(selection, lambda tx: publishing.publish(tx, selection))


@blueprint.route(f"{_ONE}/publications")
@open_to_tokens(_SCOPE)
@describe("读公示名单", {200: ("打码的名单，每行一个承诺值", {JSON: schemas.Public})})
def public(selection: str) -> Response:
    """Show the public list, as it was made public."""
    with ledger().read() as tx:
        row = _opened(tx, actor(), selection)
        if row.published_index is None:
            raise NotFound("名单还没有公示")
        lines = publishing.public_lines(tx, row)
    items = [said_of(line, ("row", "name", "station", "minutes", "commitment")) for line in lines]
    return answer_changing(said_of(row, ("published_from", "published_until"), index=row.published_index, list=row.list, items=items))


# --- objections and the final list


@blueprint.route(f"{_ONE}/objections")
@open_to_tokens(_SCOPE)
@describe("列出对名单的异议", {200: ("还没有结果的在前", {JSON: schemas.Objections})}, description="本人写的话不在这里，请在页面上看。")
def listed_objections(selection: str) -> Response:
    """List the objections to a public list."""
    names = ("ground", "means", "row", "due_on", "contested_at", "finding", "reason", "decided_at", "decision")
    with ledger().read() as tx:
        found = reading.objections_of(tx.connection, _opened(tx, actor(), selection).id)
    items = [said_of(one, names, index=one.entry_index, effect=orjson.loads(one.effect or "null")) for one in found]
    return answer_changing({"items": items})


@blueprint.route(f"{_ONE}/objections", methods=["POST"])
@open_to_tokens(_SCOPE)
@describe(
    "记下窗口收到的异议", {201: ("等另一个人来定", {JSON: schemas.Entered}), 200: (_AGAIN, {JSON: schemas.Entered})}, parameters=[KEY]
)
@reads(schemas.Contested())
def contest(said: dict[str, Any], selection: str) -> Response:
    """Take an objection down for somebody at the desk."""
    return _enter(selection, lambda tx: objecting.contest(tx, selection, said["ground"], said.get("words", ""), said.get("row")))


@blueprint.route(f"{_OBJECTION}/decisions", methods=["POST"])
@open_to_tokens(_SCOPE)
@describe(
    "决定一条对名单的异议",
    {201: ("已写进账本，名单已重排", {JSON: schemas.Entered}), 200: (_AGAIN, {JSON: schemas.Entered})},
    description="提出、记下它的人不能决定。成立的，写明改动哪些记录或人；不成立的，不写。",
    parameters=[KEY],
)
@reads(schemas.ObjectionDecision())
def decide(said: dict[str, Any], selection: str, index: int) -> Response:
    """Decide an objection."""
    effect = objecting.Effect(**{name: said.get(name, ()) for name in objecting.EFFECTS})

    def deed(tx: WriteTransaction) -> Receipt:
        if index not in {one.entry_index for one in reading.objections_of(tx.connection, selection)}:
            raise NotFound("这次评选没有这条异议，请核对")
        return objecting.decide(tx, index, said["finding"], said["reason"], effect)

    return _enter(selection, deed)


@blueprint.route(f"{_ONE}/signatures", methods=["POST"])
@open_to_tokens(_SCOPE)
@describe(
    "在定稿名单上签字",
    {201: ("已签；两个人都签了，才算定稿", {JSON: schemas.Signed}), 200: (_AGAIN, {JSON: schemas.Signed})},
    description="公示期满、异议都有结果以后。第二个签字的要是另一个人，签的是同一份名单。",
    parameters=[KEY],
)
@reads(schemas.Signature())
def sign(said: dict[str, Any], selection: str) -> Response:
    """Sign the final list: first, or second."""

    def work(tx: WriteTransaction) -> Answer:
        _opened(tx, tx.actor, selection)
        receipt = sealing.sign(tx, selection, said.get("board_minutes", ""), seen=said.get("list", ""))
        return {"sealed": receipt is not None} | (_entered(receipt) if receipt is not None else {})

    return carry_out(work)
