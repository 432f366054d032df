"""「公示」: what each station has approved and does not count yet, masked, to be printed and put up; and how to object."""

from flask import Blueprint, Response, make_response, render_template

from api.auth import ledger, open_to_all
from ledger import stations
from ledger.certificates import register
from ledger.policies import service_policy
from ledger.service import publicity
from ledger.transactions import ReadTransaction

blueprint = Blueprint("publicity", __name__, url_prefix="/publicity")


@blueprint.get("/")
@open_to_all
def listing() -> Response:
    """List the stations with something in publicity."""
    with ledger().read() as tx:
        counts = publicity.by_station(tx)
        names = stations.names(tx.connection, counts)
        days = _days(tx) if counts else 0
    return _unlisted(render_template("publicity.html", counts=counts, names=names, days=days))


@blueprint.get("/<code>")
@open_to_all
def station(code: str) -> Response:
    """Show what is in publicity at a station."""
    with ledger().read() as tx:
        unit = stations.get(tx.connection, code)
        found = publicity.at(tx, unit.code)
        today, days = tx.today.isoformat(), _days(tx) if found else 0
    return _unlisted(render_template("publicity_station.html", unit=unit, found=found, today=today, days=days))


@blueprint.get("/<code>/certificates")
@open_to_all
def certificates(code: str) -> Response:
    """Show which certificates a unit has issued lately, and to whom, masked (民发〔2015〕149号)."""
    with ledger().read() as tx:
        unit = stations.get(tx.connection, code)
        found, days = register.published(tx, unit.code)
        today = tx.today.isoformat()
    return _unlisted(render_template("publicity_certificates.html", unit=unit, found=found, days=days, today=today))


def _days(tx: ReadTransaction) -> int:
    return service_policy(tx.connection, tx.today.isoformat()).publicity_working_days


def _unlisted(page: str) -> Response:
    """Keep search engines from holding on to what is only shown for some days."""
    response = make_response(page)
    response.headers["X-Robots-Tag"] = "noindex, noarchive"
    return response
