"""「登记培训」: one training for many people, picked as on a sheet: typed, pasted, by initials and last four."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from api.auth import actor, ledger, open_to
from api.pages.record import day_said
from ledger import organisations, stations
from ledger.drafting import filling
from ledger.errors import InvalidRequest, LedgerError, NotAllowed
from ledger.kinds.credit import PEOPLE_MAX
from ledger.people import directory
from ledger.people.actors import units
from ledger.record import trainings
from ledger.record.trainings import Recorded, Training
from ledger.sheets import pasting
from ledger.tables import TrainingRow, table
from ledger.transactions import ReadTransaction

blueprint = Blueprint("trainings", __name__, url_prefix="/trainings")
RECORDERS = ("recorder", "approver")
_TRAINING = table(TrainingRow)
_RECENT = 10


def _page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    form = request.form
    with ledger().read() as tx:
        codes = units(tx.connection, actor(), "record")
        if not codes:
            raise NotAllowed("您的账号不能登记培训。请由站点登记员办理")
        station = form.get("station", "")
        station = station if station in codes else codes[-1] if len(codes) == 1 else ""
        numbers, unsure, unknown = _people(tx, station)
        page = render_template(
            "training.html",
            problem=problem,
            said=form,
            station=station,
            names=stations.names(tx.connection, codes),
            teams=organisations.at_stations(tx.connection, codes),
            people=sorted(directory.by_number(tx, numbers).values(), key=lambda one: (one.name, one.tail)),
            unsure=unsure,
            unknown=unknown,
            recent=_recent(tx, codes),
            today=tx.today.isoformat(),
            people_max=PEOPLE_MAX,
        )
    return page, status


def _people(tx: ReadTransaction, station: str) -> tuple[list[str], list[tuple[str, Any]], list[str]]:
    """Tell who is meant: those known by number, those of whom several are called the same (as said, with the choice), and what nobody is called."""
    form = request.form
    known = [number for number in form.getlist("on") if number]
    lines = pasting.parse(form.get("people", ""))
    for place in range(PEOPLE_MAX):
        if (said := form.get(f"unsure-{place}")) is None:
            break
        if form.get(f"who-{place}"):
            known.append(form[f"who-{place}"])
        else:
            lines += pasting.parse(said)
    around = directory.Station(tx, station)
    unsure, unknown = [], []
    for line in lines[:PEOPLE_MAX]:
        found = [] if line.fault else filling.candidates(tx, around, line.said, line.name, line.number)
        if len(found) == 1:
            known.append(found[0].number)
        elif found:
            unsure.append((line.said, found))
        else:
            unknown.append(line.said)
    return list(dict.fromkeys(known)), unsure, unknown


def _recent(tx: ReadTransaction, codes: list[str]) -> list[Any]:
    columns = (_TRAINING.c.entry_index, _TRAINING.c.title, _TRAINING.c.trained_on, _TRAINING.c.minutes, _TRAINING.c.organiser)
    stands = select(*columns, func.count().label("people")).where(_TRAINING.c.station.in_(codes), _TRAINING.c.voided_by.is_(None))
    return list(tx.connection.execute(stands.group_by(*columns).order_by(_TRAINING.c.entry_index.desc()).limit(_RECENT)))


@blueprint.get("/")
@open_to(*RECORDERS)
def form() -> ResponseReturnValue:
    """Show the form, and what was recorded lately."""
    return _page()


@blueprint.post("/")
@open_to(*RECORDERS)
def do() -> ResponseReturnValue:
    """Look up who is meant; or record, once everybody is known."""
    if request.form.get("do") != "record":
        return _page()
    with ledger().read() as tx:
        numbers, unsure, unknown = _people(tx, request.form.get("station", ""))
    try:
        if unsure or unknown:
            raise InvalidRequest(f"名单里还有 {len(unsure) + len(unknown)} 人没有认出来，请先选一位或改写")
        training = _said()
        done: Recorded = ledger().write(lambda tx: trainings.record(tx, training, numbers), actor())
    except LedgerError as refusal:
        return _page(str(refusal), 400)
    said = f"已登记 {len(done.people)} 人，账本第 {done.receipt.index} 条。" if done.receipt else "名单上的人以前都登记过了，没有重复登记。"
    flash(said + (f"另有 {len(done.already)} 人以前登记过，没有重复登记。" if done.already and done.receipt else ""))
    return redirect(url_for("trainings.form"))


def _said() -> Training:
    form = request.form
    try:
        minutes = int(form.get("hours") or 0) * 60 + int(form.get("minutes") or 0)
    except ValueError:
        raise InvalidRequest("学习时长请填整数：几小时、几分钟") from None
    if not form.get("station"):
        raise InvalidRequest("请选是哪个站点办的培训")
    return Training(
        form["station"],
        form.get("title", ""),
        form.get("content", ""),
        minutes,
        form.get("organiser", ""),
        day_said("trained_on", "培训日期"),
        form.get("organisation") or None,
    )
