"""What follows from the filing life of organisations: how far each application came, what is on file, and under what names units went."""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, select

from ledger import tables
from ledger.bulk import insert_rows, upsert_rows
from ledger.entries import Entry
from ledger.kinds.filing import PROFILE
from ledger.projections.shapes import Handler, as_json
from ledger.tables import table

_APPLICATION, _STANDING, _ERASURE = (table(m) for m in (tables.FilingApplicationRow, tables.FilingStandingRow, tables.ErasureRow))
_NAME, _ORGANISATION = table(tables.FilingUnitNameRow), table(tables.OrganisationRow)
_SAID = (*PROFILE, "items", "reason", "procedure", "settled", "declared", "declared_on")
_DECIDED = ("community_by", "community_on", "street_by", "street_on", "reason", "serial")


def subjects_of(filing: str, leaders: int, *, particulars: bool) -> list[str]:
    """Name what is sealed of an application: a subject for each leader, and one for the rest of the paper."""
    return [*(f"leader/{filing}-{place}" for place in range(leaders)), *([f"filing/{filing}"] if particulars else [])]


def _asked(connection: Connection, run: Sequence[Entry]) -> None:
    for entry in run:
        body, day = entry.body, entry.recorded_at[:10]
        before = _application(connection, body["replaces"]) if "replaces" in body else None
        row = {
            **{name: body[name] for name in ("filing", "organisation", "station", "street", "form", "name")},
            **{name: body.get(name) for name in ("number", "particulars", "replaces")},
            **dict.fromkeys(_DECIDED),
            "state": "asked",
            "said": as_json({name: body[name] for name in _SAID if name in body}),
            "leaders": as_json(body["leaders"]),
            "asked_by": entry.actor,
            "asked_on": day,
            "first_asked_on": before.first_asked_on if before is not None else day,
            "entry_index": entry.index,
        }
        insert_rows(connection, _APPLICATION, [row])
        if before is not None:
            _change(connection, before.filing, state="replaced")
            gone = subjects_of(before.filing, len(orjson.loads(before.leaders)), particulars=before.particulars is not None)
            _erase(connection, entry, gone, "replaced", day)


def _judged(connection: Connection, run: Sequence[Entry]) -> None:
    for entry in run:
        body = entry.body
        step, outcome = body["step"], body["outcome"]
        state = "agreed" if outcome == "agreed" and step == "street" else "heard" if outcome == "agreed" else outcome
        said = {f"{step}_by": entry.actor, f"{step}_on": entry.recorded_at[:10], "reason": body.get("reason")}
        _change(connection, body["filing"], state=state, **said)


def filed(connection: Connection, run: Sequence[Entry]) -> None:
    """Follow `organisation.filed`: of an application, what it says is on file from now on; of a list, an organisation is filed again."""
    for entry in run:
        body = entry.body
        if "filing" in body:
            _change(connection, body["filing"], number=body["number"], serial=body["serial"])
            _on_file(connection, entry, _application(connection, body["filing"]), filing=body["filing"])
        else:
            connection.execute(_STANDING.update().where(_STANDING.c.organisation == body["organisation"]).values(cancelled_on=None))


def _changed(connection: Connection, run: Sequence[Entry]) -> None:
    for entry in run:
        application = _application(connection, entry.body["filing"])
        said = orjson.loads(application.said)
        now = {
            "name": application.name,
            "scheme": said["scheme"],
            "category": said["category"],
            "volunteer_organisation": int(said["volunteer_organisation"]),
        }
        organisation = entry.body["organisation"]
        connection.execute(_ORGANISATION.update().where(_ORGANISATION.c.id == organisation).values(entry_index=entry.index, **now))
        row = _standing(connection, organisation)
        _on_file(connection, entry, application, filing=row.filing if row else None, changed_on=entry.body["changed_on"])


def _cancelled(connection: Connection, run: Sequence[Entry]) -> None:
    for entry in run:
        body = entry.body
        ended = {"cancelled_on": body["cancelled_on"], "entry_index": entry.index}
        if _standing(connection, body["organisation"]) is None:
            street = _application(connection, body["filing"]).street
            upsert_rows(connection, _STANDING, [_blank(body["organisation"], street) | ended])
        else:
            connection.execute(_STANDING.update().where(_STANDING.c.organisation == body["organisation"]).values(ended))


def _erased(connection: Connection, run: Sequence[Entry]) -> None:
    for entry in run:
        body = entry.body
        gone = [f"leader/{body['filing']}-{place}" for place in body["leaders"]]
        gone += [f"filing/{body['filing']}"] if body["particulars"] else []
        _erase(connection, entry, gone, body["reason"], body["requested_on"])


def _erase(connection: Connection, entry: Entry, gone: list[str], reason: str, requested_on: str) -> None:
    said = {
        "state": "erased",
        "station": entry.body["station"],
        "requested_on": requested_on,
        "decided_on": entry.recorded_at[:10],
        "until": None,
        "reason": reason,
        "asked_by": entry.actor,
        "decided_by": entry.actor,
        "entry_index": entry.index,
    }
    upsert_rows(connection, _ERASURE, [{"subject": subject, **said} for subject in gone])


def _on_file(connection: Connection, entry: Entry, application: Any, *, filing: str | None, changed_on: str | None = None) -> None:
    said = orjson.loads(application.said)
    row = _blank(application.organisation, application.street) | {
        "filing": filing,
        "leaders_of": application.filing,
        "particulars_of": application.filing,
        "said": as_json({name: said[name] for name in PROFILE if name in said}),
        "changed_on": changed_on,
        "entry_index": entry.index,
    }
    upsert_rows(connection, _STANDING, [row])


def _blank(organisation: str, street: str) -> dict[str, Any]:
    empty = dict.fromkeys(("filing", "leaders_of", "particulars_of", "changed_on", "cancelled_on"))
    return {"organisation": organisation, "street": street, "said": "{}", **empty}


def _application(connection: Connection, filing: str) -> Any:
    return connection.execute(select(_APPLICATION).where(_APPLICATION.c.filing == filing)).one()


def _standing(connection: Connection, organisation: str) -> Any:
    return connection.execute(select(_STANDING).where(_STANDING.c.organisation == organisation)).one_or_none()


def _change(connection: Connection, filing: str, **values: Any) -> None:
    connection.execute(_APPLICATION.update().where(_APPLICATION.c.filing == filing).values(values))


def named(connection: Connection, run: Sequence[Entry]) -> None:
    """Follow what is said of units: the name of each from a day on."""
    for entry in run:
        body = entry.body
        if "name" in body or "closed" in body:
            name = "" if body.get("closed") else body.get("name")
            said = name if name is not None else _last_name(connection, body["station"])
            row = {"entry_index": entry.index, "station": body["station"], "name": said, "valid_from": body["valid_from"]}
            insert_rows(connection, _NAME, [row])


def unit_ended(connection: Connection, run: Sequence[Entry]) -> None:
    """Follow what is said of units that are no more: from that day they are called nothing."""
    rows = [
        {"entry_index": entry.index, "station": entry.body["station"], "name": "", "valid_from": entry.body["ended_on"]} for entry in run
    ]
    insert_rows(connection, _NAME, rows)


def _last_name(connection: Connection, station: str) -> str:
    """Give the name that a unit had before it was closed."""
    asked = select(_NAME.c.name).where(_NAME.c.station == station, _NAME.c.name != "").order_by(_NAME.c.entry_index.desc()).limit(1)
    return str(connection.execute(asked).scalar_one())


HANDLERS: dict[str, Handler] = {
    "organisation.filing_asked": _asked,
    "organisation.filing_judged": _judged,
    "organisation.changed": _changed,
    "organisation.cancelled": _cancelled,
    "organisation.filing_erased": _erased,
}
