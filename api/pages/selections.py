"""「评选」: the eight steps of a selection, a list of tasks with where each stands, and a page for each."""

from base64 import b64encode
from collections.abc import Callable
from datetime import date
from hashlib import sha256
from itertools import islice
from typing import Any

import orjson
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api import selection_board, selection_forms
from api.auth import actor, ledger, open_to
from api.downloads import report_file
from api.selection_board import PAGES, WORDS
from ledger import stations
from ledger.errors import InvalidRequest, LedgerError, NotFound
from ledger.ids import parse_number
from ledger.kinds.selections import SUBJECTS
from ledger.people import accounts
from ledger.people.actors import units
from ledger.selections import checking, doubts, drafts, freezing, objecting, publishing, reading, reports, sealing
from ledger.selections.reading import ACTION

blueprint = Blueprint("selections", __name__, url_prefix="/selections")
BOARD_MINUTES_MAX = 20 * 1024 * 1024
CHECKED_MAX = 50_000
"""Lines of a pre-check that a file holds: those with most minutes."""


def _page(selection: str, at: int, problem: str = "", status: int = 200, **more: Any) -> ResponseReturnValue:
    """Show a step; before the freeze, the later ones say that it is not their turn."""
    with ledger().read() as tx:
        shown = selection_board.frame(tx, selection)
        if at >= 2 and shown["row"] is None:
            return render_template("selection_later.html", problem=problem, here=at + 1, **shown), status
        shown |= selection_board.GATHER[at](tx, shown)
    if at == 0 and problem:
        shown["fields"] = selection_forms.typed()
    return render_template(f"selection_{PAGES[at]}.html", problem=problem, here=at + 1, said=request.form, **{**shown, **more}), status


@blueprint.get("/")
@open_to("approver", "official")
def listing() -> ResponseReturnValue:
    """List the selections of the units one works for."""
    with ledger().read() as tx:
        found = reading.listing(tx, actor())
        places = stations.names(tx.connection, {one.station for one in found})
    return render_template("selections.html", found=found, places=places, SUBJECTS=SUBJECTS)


@blueprint.get("/new")
@open_to("approver", "official")
def form() -> ResponseReturnValue:
    """Ask for the rules of a new selection, or of another round of one."""
    return _new()


def _new(problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        mine = units(tx.connection, actor(), ACTION)
        places = stations.names(tx.connection, mine)
        replaces = request.values.get("replaces") or None
        earlier = reading.see(tx, actor(), replaces) if replaces else None
        fields = selection_forms.shown(orjson.loads(earlier.rules) if earlier else drafts.EXAMPLE)
        year = earlier.year if earlier else tx.today.year - (tx.today.month < 7)
        source = earlier.random_source if earlier else "冻结后第一期双色球的开奖号码（红球从小到大，再写蓝球）"
        here = earlier.station if earlier else actor().station or (mine[0] if mine else "")
    if problem:
        fields = selection_forms.typed()
    shown = {"units": places, "here": here, "replaces": replaces, "fields": fields, "year": year, "random_source": source, **WORDS}
    return render_template("selection_new.html", problem=problem, said=request.form, SUBJECTS=SUBJECTS, **shown), status


@blueprint.post("/")
@open_to("approver", "official")
def create() -> ResponseReturnValue:
    """Save the rules of a new selection."""
    try:
        station, replaces = request.form.get("station", ""), request.form.get("replaces") or None
        content, year, source = selection_forms.said(), _year(), request.form.get("random_source", "")
        number = ledger().write(lambda tx: drafts.save(tx, None, station, year, content, source, replaces), actor())
    except (InvalidRequest, NotFound) as refusal:
        return _new(str(refusal), 400)
    flash("规则已保存为第 1 版。看一遍再冻结；冻结以前随时能改。")
    return redirect(url_for("selections.one", selection=number))


def _year() -> int:
    said = request.form.get("year", "")
    if not said.isdecimal() or len(said) != 4:
        raise InvalidRequest("年度请填四位数字，例如 2025")
    return int(said)


@blueprint.get("/<selection>")
@open_to("approver", "official")
def one(selection: str) -> ResponseReturnValue:
    """Show the list of tasks."""
    with ledger().read() as tx:
        shown = selection_board.frame(tx, selection)
    return render_template("selection.html", **shown)


@blueprint.get("/<selection>/<any(rules,freeze,check,doubts,ranking,publicity,objections,final):step>")
@open_to("approver", "official")
def step(selection: str, step: str) -> ResponseReturnValue:
    """Show a step."""
    return _page(selection, PAGES.index(step))


def _act(selection: str, at: int, work: Any, said: str | Callable[[], str]) -> ResponseReturnValue:
    """Do something of a step, and show the step again. *said*: what to say then, or what gives it once the thing is done."""
    with ledger().read() as tx:
        selection_board.frame(tx, selection)
    try:
        work()
    except LedgerError as refusal:
        return _page(selection, at, str(refusal), 400)
    flash(said() if callable(said) else said)
    return redirect(url_for("selections.step", selection=selection, step=PAGES[at]))


@blueprint.post("/<selection>/rules")
@open_to("approver", "official")
def save(selection: str) -> ResponseReturnValue:
    """Save the next version of the rules."""

    def work() -> None:
        content, year, source = selection_forms.said(), _year(), request.form.get("random_source", "")
        with ledger().read() as tx:
            station = reading.see_draft(tx, actor(), selection).station
        ledger().write(lambda tx: drafts.save(tx, selection, station, year, content, source), actor())

    return _act(selection, 0, work, "规则已保存为新的一版。")


@blueprint.post("/<selection>/freeze")
@open_to("approver", "official")
def freeze(selection: str) -> ResponseReturnValue:
    """Freeze it."""
    return _act(selection, 1, lambda: freezing.freeze(ledger(), actor(), selection), "已冻结。从现在起登记的、更正的，都不影响这次评选。")


def _service() -> int:
    said = request.form.get("service", "")
    if not said.isdecimal() or len(said) > 15:
        raise InvalidRequest("请从列表里选一条记录")
    return int(said)


@blueprint.post("/<selection>/doubts/<any(propose,confirm,decline):deed>")
@open_to("approver", "official")
def judge(selection: str, deed: str) -> ResponseReturnValue:
    """Propose what becomes of a doubtful record, agree to it, or not."""

    def work() -> None:
        service, finding, reason = _service(), request.form.get("finding", ""), request.form.get("reason", "")
        if deed == "propose":
            ledger().write(lambda tx: doubts.propose(tx, selection, service, finding, reason), actor())
        elif deed == "confirm":
            ledger().write(lambda tx: doubts.confirm(tx, selection, service), actor())
        else:
            ledger().write(lambda tx: doubts.take_back(tx, selection, service), actor())

    told = {"propose": "意见已记下，等另一个人确认。", "confirm": "已确认，写进了账本；名次已重排。", "decline": "意见已撤下，可以重新提。"}
    return _act(selection, 3, work, told[deed])


@blueprint.post("/<selection>/ranking")
@open_to("approver", "official")
def draw(selection: str) -> ResponseReturnValue:
    """Write down the public random value."""

    def work() -> None:
        try:
            on = date.fromisoformat(request.form.get("drawn_on", ""))
        except ValueError:
            raise InvalidRequest("请填随机数公布的日期，例如 2026-01-20") from None
        value = request.form.get("value", "")
        ledger().write(lambda tx: publishing.draw(tx, selection, value, on), actor())

    return _act(selection, 4, work, "随机数已写进账本，并列的先后定了。")


@blueprint.post("/<selection>/publicity")
@open_to("approver", "official")
def publish(selection: str) -> ResponseReturnValue:
    """Make the list public."""
    work = lambda: ledger().write(lambda tx: publishing.publish(tx, selection), actor())  # noqa: E731
    return _act(selection, 5, work, "名单已公示。可以打印张贴，公示期满自动从公开页面撤下。")


@blueprint.post("/<selection>/objections")
@open_to("approver", "official")
def take_down(selection: str) -> ResponseReturnValue:
    """Take an objection down at the desk."""

    def work() -> None:
        row = request.form.get("row", "").strip()
        if row and not (row.isdecimal() and len(row) <= 4):
            raise InvalidRequest("行号请填数字，例如 3；不针对哪一行的，空着")
        said = request.form.get("ground", ""), request.form.get("words", ""), int(row) if row else None
        ledger().write(lambda tx: objecting.contest(tx, selection, *said), actor())

    return _act(selection, 6, work, "异议已记下，要由另一个人来查、来定。")


@blueprint.post("/<selection>/objections/<int(max=9007199254740991):index>")
@open_to("approver", "official")
def decide(selection: str, index: int) -> ResponseReturnValue:
    """Decide an objection."""

    def work() -> None:
        effect = objecting.Effect(**{name: _named(name, numbers=name in ("bar", "unbar")) for name in objecting.EFFECTS})
        said = request.form.get("finding", ""), request.form.get("reason", ""), effect
        ledger().write(lambda tx: objecting.decide(tx, index, *said), actor())

    return _act(selection, 6, work, "结果已写进账本，名单已重排。")


def _named(name: str, *, numbers: bool) -> list[Any]:
    """Read records or people as they were typed, one after the other."""
    typed = " ".join(request.form.getlist(name))
    words = typed.replace("，", " ").replace("、", " ").replace(",", " ").upper().split()
    if numbers:
        return [parse_number(word) for word in words]
    if not all(word.isdecimal() and len(word) < 16 for word in words):
        raise InvalidRequest(f"「{objecting.EFFECTS[name]}」请填账本的条号，例如 1024，几条之间空一格")
    return [int(word) for word in words]


@blueprint.post("/<selection>/final")
@open_to("approver", "official")
def sign(selection: str) -> ResponseReturnValue:
    """Sign the final list: first, or second."""

    def work() -> None:
        file = request.files.get("board_minutes")
        content = file.stream.read(BOARD_MINUTES_MAX + 1) if file else b""
        digest = b64encode(sha256(content).digest()).decode() if content else ""
        seen = request.form.get("list", "")
        said["sealed"] = ledger().write(lambda tx: sealing.sign(tx, selection, digest, seen=seen), actor()) is not None

    said = {"sealed": False}
    return _act(selection, 7, work, lambda: "两个人都签了，定稿了。" if said["sealed"] else "签好了。还要另一个人签同一份名单，才算定稿。")


@blueprint.get("/<selection>/files/<any(check,list,publicity):listed>/<any(xlsx,pdf,csv,'csv-gb18030'):form>")
@open_to("approver", "official")
def download(selection: str, listed: str, form: str) -> ResponseReturnValue:
    """Hand out the pre-check, the list as it stands, or the public list as a file."""
    with ledger().read() as tx:
        row = reading.see(tx, actor(), selection)
        maker = accounts.logins(tx.connection, {actor().account}).get(actor().account, "")
        if listed == "check":
            made = reports.check_report(tx, row, list(islice(checking.check(tx, row), CHECKED_MAX)), maker)
        elif listed == "publicity":
            if row.published_index is None:
                raise NotFound("名单还没有公示，没有可以打印的公示名单")
            made = reports.public_report(tx, row, publishing.public_lines(tx, row), maker)
        else:
            made = reports.final_report(tx, row, reading.ranking_of(tx.connection, row, row.sealed_index), maker)
    return report_file(made, form)
