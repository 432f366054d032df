"""「要交的材料」: what a unit owes and until when, the forms to fill in, what was handed in, and the monthly filing ledger as a file."""

from collections.abc import Sized
from datetime import date
from typing import Any

import orjson
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api import board, downloads
from api.auth import STAFF, actor, ledger, open_to
from ledger import organisations, stations
from ledger.duties import lists, owing, papers, weights
from ledger.duties.forms import EVERY, Form, shipped
from ledger.errors import InvalidRequest, LedgerError, NotFound
from ledger.people import accounts
from ledger.people.actors import Actor, below, require, units
from ledger.reports import FORMATS
from ledger.transactions import ReadTransaction

blueprint = Blueprint("duties", __name__, url_prefix="/duties")
LISTED = 100
_FILES = "any(xlsx, pdf, csv, 'csv-gb18030'):form"


@blueprint.get("/")
@open_to(*STAFF)
def listing() -> ResponseReturnValue:
    """List what the units of the visitor (or one of them and those below it) owe now, most pressing first; a large scope also by unit."""
    me = actor()
    with ledger().read() as tx:
        mine = units(tx.connection, me, "register")
        top, asked = me.station or next(iter(mine), ""), request.args.get("unit")
        if asked:
            _mine(mine, asked)
            mine = sorted(set(mine).intersection(below(tx.connection, asked)))
        found = owing.owed(tx.connection, mine, tx.today)
        happened = owing.events(tx.connection, mine, 20)
        able = set(mine)
        here = [one for one in stations.everyone(tx.connection) if one.code in able]
        shares = owing.shares(tx.connection, found, asked or top)
        today = tx.today
    counts = {state: sum(due.state == state for due in found) for state in owing.STATES}
    waiting, done = ([due for due in found if (due.state == "done") is so] for so in (False, True))
    events = [
        form for form in shipped().values() if form.every == "event" and form.owed_by in {"organisation", *(one.level for one in here)}
    ]
    return render_template(
        "duties.html",
        dues=_listed(waiting, asked or top, shares),
        done=_listed(done, asked or top, shares),
        shares=shares,
        counts=counts,
        states=owing.STATES,
        events=events,
        happened=happened,
        forms=shipped(),
        names={one.code: one.name for one in here},
        EVERY=EVERY,
        words=papers.words,
        today=today,
        top=top,
        home=asked or top,
        FORMATS=FORMATS,
    )


def _listed(dues: list[owing.Due], unit: str, shares: Sized) -> list[owing.Due]:
    """Keep the first LISTED and all that the unit owes itself; all where nothing lies below it, for then there is no other page to see them on."""
    return [due for place, due in enumerate(dues) if place < LISTED or due.station.code == unit] if len(shares) > 1 else dues


@blueprint.get("/year")
@open_to(*STAFF)
def year() -> ResponseReturnValue:
    """Show what a unit handed in and what it did not, period by period of a year."""
    me = actor()
    with ledger().read() as tx:
        mine = units(tx.connection, me, "register")
        code = request.args.get("unit") or me.station or next(iter(mine), "")
        _mine(mine, code)
        of = board.year_said(request.args.get("year"), tx.today)
        found = owing.year(tx.connection, code, of, tx.today)
        unit = stations.get(tx.connection, code)
        years = board.years_offered(tx.today)
        able = set(mine)
        offered = [one for one in stations.everyone(tx.connection) if one.code in able]
    return render_template(
        "duties_year.html", dues=found, unit=unit, units=offered, year=of, years=years, states=owing.STATES, words=papers.words
    )


@blueprint.get("/fill/<string:duty>")
@open_to(*STAFF)
def fill(duty: str) -> ResponseReturnValue:
    """Show a form: empty, or with what was handed in before."""
    return _form_page(duty)


@blueprint.post("/fill/<string:duty>")
@open_to(*STAFF)
def hand_in(duty: str) -> ResponseReturnValue:
    """Hand in a form."""
    said = {key.removeprefix("field-"): value for key, value in request.form.items() if key.startswith("field-")}
    unit, period, owner = (request.form.get(name, "").strip() for name in ("unit", "period", "organisation"))
    try:
        receipt = ledger().write(lambda tx: papers.hand_in(tx, duty, unit, period, said, organisation=owner or None), actor())
    except LedgerError as refusal:
        return _form_page(duty, str(refusal), 400)
    flash(f"已交，记入账本第 {receipt.index} 条。")
    return redirect(url_for("duties.paper", index=receipt.index))


def _form_page(duty: str, problem: str = "", status: int = 200) -> ResponseReturnValue:
    me, chosen = actor(), papers.form(duty)
    asked = request.values
    with ledger().read() as tx:
        mine = set(units(tx.connection, me, "register"))
        fitting = [one for one in stations.everyone(tx.connection) if one.code in mine and chosen.owed_by in (one.level, "organisation")]
        if not fitting:
            raise NotFound(f"「{chosen.name}」不由您这一级交")
        code = asked.get("unit") or _first(tx, chosen, me.station, [one.code for one in fitting])
        _mine([one.code for one in fitting], code)
        teams = organisations.at_stations(tx.connection, [code]) if chosen.owed_by == "organisation" else []
        owner = asked.get("organisation") or (teams[0].id if teams else "")
        period = asked.get("period") or chosen.period(tx.today)
        if not chosen.fits(period):
            raise InvalidRequest("没有这个时段，请从「要交的材料」里点进来")
        before = papers.standing(tx.connection, chosen, code, period, owner or None) if chosen.every != "event" else None
        counted = papers.counts(tx, chosen, code, period)
        weighed = weights.of_paper(tx.connection, chosen, period)
        today = tx.today.isoformat()
    said: dict[str, Any] = orjson.loads(before.said) if before is not None else {}
    said |= {key.removeprefix("field-"): value for key, value in request.form.items() if key.startswith("field-")}
    return (
        render_template(
            "duty_form.html",
            problem=problem,
            form=chosen,
            units=fitting,
            unit=code,
            teams=teams,
            owner=owner,
            period=period,
            due_on=chosen.due_on(period).isoformat(),
            before=before,
            counted=counted,
            weighed=weighed,
            said=said,
            words=papers.words,
            today=today,
        ),
        status,
    )


def _first(tx: ReadTransaction, chosen: Form, own: str | None, codes: list[str]) -> str:
    """Choose the unit a form opens with: the visitor's own where it may owe one; for what organisations owe, one that has some."""
    if chosen.owed_by == "organisation":
        having = {team.station for team in organisations.at_stations(tx.connection, codes)}
        codes = [code for code in codes if code in having] or codes
    return own if own in codes else codes[0]


@blueprint.get("/paper/<int:index>")
@open_to(*STAFF)
def paper(index: int) -> ResponseReturnValue:
    """Show a paper that was handed in."""
    me = actor()
    with ledger().read() as tx:
        row, form, said = _paper(tx, me, index)
        place = stations.get(tx.connection, row.station)
        owner = organisations.name_of(tx.connection, row.organisation) if row.organisation else ""
        by = accounts.logins(tx.connection, {row.actor})[row.actor]
        derived = lists.derived(tx, form, row.period, said)
    return render_template(
        "duty_paper.html",
        row=row,
        form=form,
        said=said,
        place=place,
        owner=owner,
        by=by,
        derived=derived,
        words=papers.words,
        FORMATS=FORMATS,
        in_time=form.every == "event" or row.handed_on <= form.due_on(row.period).isoformat(),
    )


@blueprint.get(f"/paper/<int:index>/<{_FILES}>")
@open_to(*STAFF)
def paper_file(index: int, form: str) -> ResponseReturnValue:
    """Hand out a paper as a file."""
    me = actor()
    with ledger().read() as tx:
        row, chosen, _ = _paper(tx, me, index)
        report = lists.printed(tx, chosen, row)
    return downloads.report_file(report, form)


@blueprint.get(f"/filing-ledger/<{_FILES}>")
@open_to(*STAFF)
def filing_ledger(form: str) -> ResponseReturnValue:
    """Hand out the filing ledger of a street as it is on a day."""
    me = actor()
    with ledger().read() as tx:
        code = request.args.get("unit") or me.station or next(iter(units(tx.connection, me, "register")), "")
        require(tx.connection, me, "register", code)
        on = _day(request.args.get("on"), tx.today)
        maker = accounts.logins(tx.connection, {me.account})[me.account]
        report = lists.filing_ledger(tx, code, on, stations.get(tx.connection, code).name, maker)
    return downloads.report_file(report, form)


def _day(said: str | None, today: date) -> date:
    try:
        return min(date.fromisoformat(said), today) if said else today
    except ValueError:
        raise InvalidRequest("日期应写成 2026-03-24 这样") from None


def _paper(tx: ReadTransaction, me: Actor, index: int) -> tuple[Any, Any, dict[str, Any]]:
    row = papers.get(tx, index)
    require(tx.connection, me, "register", row.station)
    return row, papers.form(row.duty), orjson.loads(row.said)


def _mine(mine: list[str], code: str) -> None:
    if code not in mine:
        raise NotFound("请选择您所在的单位")
