"""「抽查」: a sample of records that nobody can steer, what was found of each, and the results for everybody (民政部令第67号 article 21)."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import actor, ledger, open_to, open_to_all
from ledger import activities, checkpoints, spot_checks, stations
from ledger.entries import b64
from ledger.errors import InvalidRequest, LedgerError
from ledger.kinds.spot_checks import FINDINGS, RECORDS_MAX
from ledger.notes import Checkpoint
from ledger.people.actors import require, units
from ledger.service import records
from ledger.transactions import ReadTransaction

blueprint = Blueprint("spot_checks", __name__, url_prefix="/spot-checks")
SHOWN_MAX = 500
USUAL = 20
"""How many records a check takes where nobody says otherwise."""
FOUND = dict(zip(FINDINGS, ("属实", "不属实", "无法核实"), strict=True))


@blueprint.get("/")
@open_to_all
def listing() -> ResponseReturnValue:
    """List what was checked, the newest first."""
    with ledger().read() as tx:
        found = spot_checks.published(tx.connection, SHOWN_MAX)
        places = stations.names(tx.connection, {one.station for one in found})
    return render_template("spot_checks.html", found=found, places=places)


@blueprint.get("/<int(max=9007199254740991):index>")
@open_to_all
def one(index: int) -> ResponseReturnValue:
    """Show a check: each record drawn with what was found of it, and how anybody draws them again."""
    with ledger().read() as tx:
        row, body = spot_checks.one(tx.connection, index)
        place = stations.names(tx.connection, {row.station})[row.station]
        drawn = _drawn(tx, sorted(number for name in FINDINGS for number in body[name]))
    came_out = {number: name for name in FINDINGS for number in body[name]}
    return render_template("spot_check.html", row=row, body=body, place=place, drawn=drawn, came_out=came_out, FOUND=FOUND)


@blueprint.get("/draw")
@open_to("official")
def form() -> ResponseReturnValue:
    """Go through the drawing: what is checked, at which checkpoint, the number that nobody knew, the sample."""
    return _form()


@blueprint.post("/draw")
@open_to("official")
def record() -> ResponseReturnValue:
    """Record what was found."""
    try:
        with ledger().read() as tx:
            asked = _asked(tx)
            drawn = _sample(tx, asked)
        found = spot_checks.Found(
            _day(), asked.nonce, asked.count, *_findings(drawn), remark=" ".join(request.form.get("remark", "").split())
        )
        receipt = ledger().write(lambda tx: spot_checks.record(tx, asked.unit, asked.checkpoint, found), actor())
    except LedgerError as refusal:
        return _form(str(refusal), 400)
    flash(f"抽查结果已记入账本第 {receipt.index} 条，谁都看得到。")
    return redirect(url_for("spot_checks.one", index=receipt.index))


@dataclass(frozen=True)
class _Asked:
    """What is to be checked, as far as it was said."""

    unit: str
    count: int
    checkpoint: Checkpoint
    nonce: str


def _form(problem: str = "", status: int = 200) -> ResponseReturnValue:
    asked, sample = None, None
    with ledger().read() as tx:
        places = stations.names(tx.connection, units(tx.connection, actor(), "spot_check"))
        try:
            asked = _asked(tx) if request.values.get("unit") else None
            sample = _drawn(tx, _sample(tx, asked)) if asked is not None and asked.nonce else None
        except LedgerError as refusal:
            problem, status = problem or str(refusal), 400 if status == 200 else status
        today = tx.today.isoformat()
    root = b64(asked.checkpoint.root) if asked else ""
    shown = {
        "asked": asked,
        "root": root,
        "sample": sample,
        "places": places,
        "today": today,
        "said": request.form,
        "usual": USUAL,
        "FOUND": FOUND,
    }
    return render_template("spot_check_draw.html", problem=problem, most=RECORDS_MAX, **shown), status


def _asked(tx: ReadTransaction) -> _Asked:
    """Read what was said; without a size, the newest signed checkpoint is taken. Raises InvalidRequest, NotFound, NoteError."""
    unit, count, size = (request.values.get(name, "").strip() for name in ("unit", "count", "size"))
    if not count.isdecimal() or len(count) > 6:
        raise InvalidRequest(f"抽几条请填 1 到 {RECORDS_MAX:,} 的整数")
    if size and not (size.isdecimal() and len(size) < 16):
        raise InvalidRequest("检查点的条数应是整数，请从头来一遍")
    note = checkpoints.checkpoint_of_size(tx.connection, int(size)) if size else checkpoints.newest_checkpoint(tx.connection)
    if note is None:
        raise InvalidRequest("账本还没有签过检查点，请等几分钟再来")
    stations.get(tx.connection, unit)
    require(tx.connection, actor(), "spot_check", unit)
    book = ledger()
    checkpoint = book.signing.keyring(tx.connection).open_checkpoint(note.encode(), book.settings.origin)
    spot_checks.draw(tx.connection, unit, checkpoint, "?", int(count))
    return _Asked(unit, int(count), checkpoint, " ".join(request.values.get("nonce", "").split()))


def _sample(tx: ReadTransaction, asked: _Asked) -> list[int]:
    return spot_checks.draw(tx.connection, asked.unit, asked.checkpoint, asked.nonce, asked.count)


def _drawn(tx: ReadTransaction, indexes: list[int]) -> list[tuple[Any, str]]:
    """Give the rows of records with what was done."""
    rows = records.rows_of(tx.connection, indexes)
    done = activities.get_many(tx.connection, {row.activity for row in rows})
    return [(row, done[row.activity].title) for row in rows]


def _findings(drawn: list[int]) -> tuple[list[int], list[int]]:
    said = {index: request.form.get(f"found-{index}", "") for index in drawn}
    if unsaid := [index for index, word in said.items() if word not in FOUND]:
        raise InvalidRequest(f"第 {unsaid[0]} 条还没有写核实的结果，请选属实、不属实或无法核实（一共还差 {len(unsaid)} 条）")
    return [index for index in drawn if said[index] == "wrong"], [index for index in drawn if said[index] == "unclear"]


def _day() -> date:
    try:
        return date.fromisoformat(request.form.get("checked_on", ""))
    except ValueError:
        raise InvalidRequest("请填抽查的日期，例如 2026-03-15") from None
