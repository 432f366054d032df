"""「评选公示」: the public lists of selections, masked, for as long as their publicity lasts; and for a person the rows that are theirs."""

from typing import Any

import orjson
from flask import Blueprint, Response, flash, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import actor, ledger, open_to, open_to_all
from api.downloads import attachment
from ledger import stations
from ledger.errors import InvalidRequest, LedgerError, NotFound
from ledger.kinds.selections import GROUNDS
from ledger.selections import objecting, publishing, reading
from ledger.transactions import ReadTransaction

blueprint = Blueprint("honours", __name__, url_prefix="/honours")


@blueprint.get("/")
@open_to_all
def listing() -> ResponseReturnValue:
    """List the selections whose lists are public today."""
    with ledger().read() as tx:
        found = [(row, reading.rules_of(row).name) for row in publishing.in_publicity(tx)]
        places = stations.names(tx.connection, {row.station for row, _ in found})
    return _unlisted(render_template("honours.html", found=found, places=places))


@blueprint.get("/<selection>")
@open_to_all
def one(selection: str) -> ResponseReturnValue:
    """Show a public list; after its publicity the names are gone from here."""
    return _page(selection)


def _page(selection: str, problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        row = reading.get(tx.connection, selection)
        if row.published_index is None:
            raise NotFound("没有这份公示名单")
        today = tx.today.isoformat()
        public = row.published_from <= today <= row.published_until and row.replaced_by is None
        lines = publishing.public_lines(tx, row) if public else []
        publishing.check_leaks(lines)
        rules, unit = reading.rules_of(row), objecting.unit_name(tx, row)
        mine = _own_row(tx, selection)
    shown = {"row": row, "rules": rules, "unit": unit, "is_public": public, "lines": lines, "mine": mine, "GROUNDS": GROUNDS}
    volunteer = g.session is not None and g.session.actor.volunteer is not None
    return _unlisted(render_template("honour.html", problem=problem, said=request.form, volunteer=volunteer, **shown)), status


def _own_row(tx: ReadTransaction, selection: str) -> Any:
    """Give the row that is the reader's own, if they are a volunteer on the list."""
    number = g.session.actor.volunteer if g.session is not None else None
    found = publishing.own_lines(tx, number) if number else []
    return next((line.row for row, line in found if row.id == selection), None)


def _unlisted(page: str) -> Response:
    """Ask search engines to keep a list with names, masked as they are, out of their indexes."""
    response = make_response(page)
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/<selection>")
@open_to("volunteer")
def contest(selection: str) -> ResponseReturnValue:
    """Take a volunteer's objection."""
    said = request.form.get("row", "").strip()
    try:
        if said and not (said.isdecimal() and len(said) <= 4):
            raise InvalidRequest("行号请填数字，例如 3；不针对哪一行的，空着")
        ground, words, row = request.form.get("ground", ""), request.form.get("words", ""), int(said) if said else None
        ledger().write(lambda tx: objecting.contest(tx, selection, ground, words, row), actor())
    except NotFound:
        raise
    except LedgerError as refusal:
        return _page(selection, str(refusal), 400)
    flash("异议已经收到，会有别的人来查。有了结果，会在「通知」里告诉您。")
    return redirect(url_for("honours.one", selection=selection))


@blueprint.get("/mine")
@open_to("volunteer")
def mine() -> ResponseReturnValue:
    """Show a volunteer the rows that are theirs."""
    with ledger().read() as tx:
        found = [(row, reading.rules_of(row).name, line) for row, line in publishing.own_lines(tx, actor().volunteer or "")]
        places = stations.names(tx.connection, {row.station for row, *_ in found})
        stages = {row.id: reading.stage(tx, row) for row, *_ in found}
    return render_template("honours_mine.html", found=found, places=places, stages=stages)


@blueprint.get("/<selection>/proof.json")
@open_to("volunteer")
def proof(selection: str) -> ResponseReturnValue:
    """Hand a volunteer what proves that a row is theirs."""
    with ledger().read() as tx:
        said = publishing.proof_of(tx, selection, actor().volunteer or "")
    content = orjson.dumps(said, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    return attachment(content, "application/json", f"评选公示-{selection}-我的一行.json", personal=True)
