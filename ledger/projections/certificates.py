"""What follows from what is said of certificates: the register."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from ledger import tables
from ledger.bulk import update_rows
from ledger.entries import Entry
from ledger.projections.shapes import Handler, as_json, inserting
from ledger.tables import table

_CERTIFICATE = table(tables.CertificateRow)


def _issued(entry: Entry) -> dict[str, Any]:
    body = entry.body
    series, _, serial = body["certificate"].rpartition("-")
    return {
        "entry_index": entry.index,
        "number": body["certificate"],
        "series": series,
        "serial": int(serial),
        **{name: body[name] for name in ("volunteer", "station", "issued_on", "minutes", "tree_size", "paper", "code")},
        **{name: body.get(name) for name in ("period_from", "period_to")},
        **{name: as_json(body[name]) for name in ("grades", "records")},
        "issued_by": entry.actor,
        "issued_at": entry.recorded_at,
        **dict.fromkeys(("revoked_index", "revoked_by", "revoked_at", "revoked_reason")),
    }


def _revoked(connection: Connection, run: Sequence[Entry]) -> None:
    rows = [
        {
            "number": entry.body["certificate"],
            "revoked_index": entry.index,
            "revoked_by": entry.actor,
            "revoked_at": entry.recorded_at,
            "revoked_reason": entry.body["reason"],
        }
        for entry in run
    ]
    update_rows(connection, _CERTIFICATE, "number", rows)


HANDLERS: dict[str, Handler] = {
    "certificate.issued": inserting(tables.CertificateRow, _issued),
    "certificate.revoked": _revoked,
}
