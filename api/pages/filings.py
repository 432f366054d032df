"""「备案」: a street's organisations and how their filing stands, what waits for an opinion, one application with its steps and its three copies."""

from datetime import date
from typing import Any

import orjson
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import STAFF, actor, ledger, open_to
from api.downloads import attachment
from ledger import categories, stations
from ledger.errors import InvalidRequest, LedgerError, NotAllowed, NotFound
from ledger.filing import drafts, erasing, forms, judging, papers, reading
from ledger.filing.reading import Application
from ledger.kinds.filing import DECLARED, ERASED, FORMS, ITEMS, LEGAL_FORMS, OUTCOMES, SETTLED, STEPS, TIERS
from ledger.people import accounts as account_names
from ledger.people import identity
from ledger.people.actors import below, require, units
from ledger.transactions import ReadTransaction, WriteTransaction

blueprint = Blueprint("filings", __name__, url_prefix="/filings")
WORDS: dict[str, Any] = {
    "FORMS": FORMS,
    "STEPS": STEPS,
    "OUTCOMES": OUTCOMES,
    "STATES": reading.STATES,
    "PROGRESS": reading.PROGRESS,
    "LEGAL_FORMS": LEGAL_FORMS,
    "TIERS": TIERS,
    "DECLARED": DECLARED,
    "SETTLED": SETTLED,
    "ITEMS": ITEMS,
    "ERASED": ERASED,
    "COPIES": papers.COPIES,
    "PERSON": forms.PERSON,
    "PAPER": forms.PAPER,
    "category_name": categories.name_of,
    "mask_name": identity.mask_name,
    "mask_id": identity.mask_id,
    "mask_phone": identity.mask_phone,
    "step_of": judging.step_of,
}
"""What the templates of filings call things."""
LISTED = 100
"""Organisations of several units on a page; those of the unit that is asked for are listed to the last."""


@blueprint.get("/")
@open_to(*STAFF)
def listing() -> ResponseReturnValue:
    """List the organisations where one sees, with how their filing stands; drafts, and what is under way."""
    wanted, unit = request.args.get("state", ""), request.args.get("unit", "")
    with ledger().read() as tx:
        seen = set(units(tx.connection, actor(), "see_station"))
        if unit and unit not in seen:
            raise NotFound("请选择您看得到的单位")
        places = seen.intersection(below(tx.connection, unit)) if unit else seen
        everyone = [one for one in reading.listing(tx, actor()) if one.row.station in places]
        counts = {state: sum(one.state == state for one in everyone) for state in reading.STATES}
        found = [one for one in everyone if not wanted or one.state == wanted]
        names = {unit.code: unit.name for unit in stations.everyone(tx.connection)}
        under_way = reading.applications(tx, actor(), ("asked", "heard", "returned"))
        shown = {"waiting": judging.waiting(tx, actor()), "drafts": drafts.of(tx, actor()), "days": _days(tx, under_way)}
    listed = [one for place, one in enumerate(found) if place < LISTED or one.row.station == unit]
    page = {"found": listed, "count": len(found), "counts": counts, "wanted": wanted, "names": names, "under_way": under_way}
    page |= {"unit": unit, "units": sorted(seen) if len(seen) > 1 else []}
    return render_template("filings.html", **page, **shown, **WORDS)


def _days(tx: ReadTransaction, rows: list[Any]) -> dict[str, int]:
    return {row.filing: (tx.today - date.fromisoformat(row.first_asked_on)).days for row in rows}


@blueprint.get("/waiting")
@open_to(*STAFF)
def queue() -> ResponseReturnValue:
    """List what waits for one's own opinion, and what waits for others'."""
    with ledger().read() as tx:
        every = reading.applications(tx, actor(), ("asked", "heard"))
        barred = [(row, judging.barred(tx, actor(), row)) for row in every]
        mine = [row for row, why in barred if not why]
        others = [(row, why) for row, why in barred if why]
        names = {unit.code: unit.name for unit in stations.everyone(tx.connection)}
        days = _days(tx, every)
    return render_template("filing_queue.html", mine=mine, others=others, names=names, days=days, **WORDS)


def _visible(tx: ReadTransaction, filing: str) -> Application:
    """Open an application of one's own stations. Raises NotFound."""
    try:
        row = reading.get_row(tx, filing)
        require(tx.connection, actor(), "see_station", row.station)
    except (NotFound, NotAllowed):
        raise NotFound("您管理的站点里没有这件申请。请回到「备案」的列表重新选择") from None
    return reading.open_application(tx, row)


def filed(tx: ReadTransaction, unit: Any) -> dict[str, Any]:
    """Say of an organisation how its filing stands and what is on file, fit for everybody: no person, and its address only if it wishes so."""
    standing = reading.standing_row(tx, unit.id)
    return {
        "state": reading.state_of(unit, standing.cancelled_on if standing is not None else None, tx.today),
        "standing_on_file": standing,
        "on_file": orjson.loads(standing.said) if standing is not None else {},
        "premises": reading.premises(tx, unit.id),
        "counted": reading.counted(tx, unit.id),
        "acts": reading.of_organisation(tx, unit.id),
    }


def _page(filing: str, problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        opened = _visible(tx, filing)
        row = opened.row
        shown = {
            "opened": opened,
            "row": row,
            "said": opened.said,
            "step": judging.step_of(row),
            "barred": judging.barred(tx, actor(), row),
            "names": stations.names(tx.connection, {row.station, row.street}),
            "logins": account_names.logins(tx.connection, {who for who in (row.asked_by, row.community_by, row.street_by) if who}),
            "printed": papers.printed(tx, filing),
            "today": tx.today.isoformat(),
        }
    return render_template("filing.html", problem=problem, typed=request.form, **shown, **WORDS), status


@blueprint.get("/<filing>")
@open_to(*STAFF)
def one(filing: str) -> ResponseReturnValue:
    """Show one application: how far it came, what it says (people masked), the opinion that is asked for."""
    return _page(filing)


@blueprint.post("/<filing>/opinion")
@open_to("recorder", "approver")
def judge(filing: str) -> ResponseReturnValue:
    """Give the community's or the street's opinion."""
    form = request.form
    step, outcome = form.get("step", ""), form.get("outcome", "")
    with ledger().read() as tx:
        _visible(tx, filing)
    try:
        ledger().write(lambda tx: judging.judge(tx, filing, step, outcome, form.get("reason", "")), actor())
    except LedgerError as refusal:
        return _page(filing, str(refusal), 400)
    with ledger().read() as tx:
        row = _visible(tx, filing).row
    given = f"给出编号：{row.number}。" if row.state == "agreed" and row.form in ("file", "refile") else ""
    flash(f"{STEPS[step]}：{OUTCOMES[outcome]}，已记入账本。{given}")
    return redirect(url_for("filings.one", filing=filing))


@blueprint.get("/<filing>/copies.pdf")
@open_to(*STAFF)
def copies(filing: str) -> Response:
    """Print the copies: all three, or the one that is asked for."""
    with ledger().read() as tx:
        row = _visible(tx, filing).row
    wanted = request.args.get("copy", "")
    content = papers.print_copies(ledger(), actor(), filing, [wanted] if wanted else tuple(papers.COPIES))
    return attachment(content, "application/pdf", f"{papers.TITLES[row.form]}-{row.name}.pdf", personal=True)


@blueprint.post("/<filing>/erase")
@open_to("approver", "official")
def erase(filing: str) -> ResponseReturnValue:
    """Erase what an application holds of people who left, and destroy their keys."""
    form = request.form
    chosen = form.getlist("whose")

    def work(tx: WriteTransaction) -> Any:
        places = [int(one) for one in chosen if one.isdecimal()]
        try:
            on = date.fromisoformat(form.get("requested_on", ""))
        except ValueError:
            raise InvalidRequest("请填写要求销毁的日期") from None
        return erasing.erase(tx, filing, places, form.get("ground", ""), on, particulars="paper" in chosen)

    with ledger().read() as tx:
        _visible(tx, filing)
    try:
        ledger().write(work, actor())
    except LedgerError as refusal:
        return _page(filing, str(refusal), 400)
    ledger().finish_erasures()
    flash("选中的个人资料已销毁，旧备份里也读不出了。")
    return redirect(url_for("filings.one", filing=filing))
