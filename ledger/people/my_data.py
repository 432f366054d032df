"""
Everything about one person, for that person: what is held and why, what the log says, credit, who looked, what was asked.

个人信息保护法 articles 45 and 46. One plain structure, so that the JSON and the page to print say the same. The caller has made sure that it is
the person, or has had the look written down (reveals.py).
"""

from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from sqlalchemy import func, select, text

from ledger import credit, evidence, stations
from ledger.bulk import rows_where_in
from ledger.certificates import register
from ledger.entries import format_time
from ledger.errors import NotFound
from ledger.log import tree_head
from ledger.people import erasures, reveals, volunteers
from ledger.people.fields import BESIDE, FIELDS, SHEET_FIELDS
from ledger.people.identity import birth_date
from ledger.people.vault import Personal
from ledger.planning import sign_ups
from ledger.record import reading
from ledger.service import objections
from ledger.tables import AccountRow, EntryRow, MessageWishRow, NoticeRow, ObjectionNoteRow, ProposalPaperRow, SessionRow, table
from ledger.transactions import ReadTransaction

FORMAT = "shouwang-my-data/1"
_ENTRY, _ACCOUNT, _SESSION = table(EntryRow), table(AccountRow), table(SessionRow)
_WISH, _NOTICE, _NOTE = table(MessageWishRow), table(NoticeRow), table(ObjectionNoteRow)
_PAPER = table(ProposalPaperRow)


@dataclass(frozen=True)
class Held:
    """One field that may be held: its value ("" for none), what for, on what basis, how long, who sees it."""

    label: str
    value: str
    purpose: str
    basis: str
    kept: str
    seen_by: str


def held(personal: Personal, certificates: int = 0) -> list[Held]:
    """List every field there may be, with what is held of a person (or with its mask, which tells no birth date). *certificates*: how many there are."""
    number = personal.identity.get("id_number", "")
    born = birth_date(number).isoformat() if number and "*" not in number else ""
    elsewhere = {"birth_date": born, "certificates": f"{certificates} 份" if certificates else ""}
    rows = []
    for field in FIELDS:
        value = personal.parts.get(field.part, {}).get(field.key, "") if field.part else elsewhere[field.key]
        rows.append(Held(field.label, value, field.purpose, field.basis, field.kept, field.seen_by))
    return rows


def beside(tx: ReadTransaction, number: str) -> list[Held]:
    """List what is kept beside the vault of a person, in words: how much of each, nothing of what there is none of."""
    wish = tx.connection.execute(select(_WISH.c.channel).where(_WISH.c.recipient == "person/" + number)).scalar_one_or_none()
    told = tx.connection.execute(select(func.count()).where(_NOTICE.c.recipient == "person/" + number)).scalar_one()
    papers = tx.connection.execute(select(func.count()).where(_PAPER.c.volunteer == number)).scalar_one()
    counted = {
        "papers": papers,
        "sign_ups": len(sign_ups.of_volunteer(tx.connection, number)),
        "words": len(_words(tx, number)),
        "notices": told,
    }
    said = {name: f"{count} 件" for name, count in counted.items() if count} | ({"message_wish": wish} if wish else {})
    return [Held(one.label, said.get(one.key, ""), one.purpose, one.basis, one.kept, one.seen_by) for one in BESIDE]


def _words(tx: ReadTransaction, number: str) -> list[dict[str, Any]]:
    """Give what somebody said in their own words, by the entry that it belongs to."""
    own = volunteers.numbers_of(tx, number)
    rows = sorted(row.objection for row in rows_where_in(tx.connection, [_NOTE.c.objection], _NOTE.c.volunteer, own))
    return [{"entry": index, "words": objections.words(tx, index)} for index in rows]


def everything(tx: ReadTransaction, number: str) -> dict[str, Any]:
    """Gather all of it: texts, whole numbers, lists and objects, ready for JSON."""
    person = volunteers.get(tx, number)
    number = person.row.number
    head = tree_head(tx.connection)
    shown = credit.statement(tx, number)
    registration = {name: value for name, value in person.row._mapping.items() if value is not None}  # noqa: SLF001 its documented name
    return {
        "format": FORMAT,
        "made_at": format_time(tx.now),
        "tree_size": head.size,
        "volunteer": number,
        "home_station": stations.get(tx.connection, person.row.station).name,
        "fields": [asdict(one) for one in held(person.personal, len(register.of_volunteer(tx, number)))],
        "photos": _photos(tx, number),
        "registration": registration,
        "credit": asdict(shown),
        "record": reading.in_words(tx, number),
        "entries": entries_of(tx, number),
        "reveals": _looks(tx, number),
        "beside": [asdict(one) for one in beside(tx, number)],
        "sign_ups": [dict(row._mapping) for row in sign_ups.of_volunteer(tx.connection, number)],  # noqa: SLF001 as above
        "words": _words(tx, number),
        "certificates": _certificates(tx, number),
        "requests": [_request(row) for row in erasures.requests_of(tx, number)],
        "account": _account(tx, number),
    }


def _photos(tx: ReadTransaction, number: str) -> list[dict[str, Any]]:
    """List the photos of sheets that may show the person's name: since when, until when, whether gone."""
    [field] = SHEET_FIELDS
    said = {"purpose": field.purpose, "basis": field.basis, "kept": field.kept, "seen_by": field.seen_by}
    return [
        {"kept_at": one.kept_at, "until": one.until, "gone": one.gone, "sha256": one.sha256, **said}
        for one in evidence.of_person(tx, volunteers.numbers_of(tx, number))
    ]


def entries_of(tx: ReadTransaction, number: str) -> list[dict[str, Any]]:
    """List every entry in the person's chain, in order: index, short hash, time, kind, place in the chain, and what it says."""
    named = "position(:named in body) > 0" if tx.connection.dialect.name == "postgresql" else "instr(body, :named) > 0"
    statement = select(_ENTRY.c.index, _ENTRY.c.leaf, _ENTRY.c.body).where(text(named)).order_by(_ENTRY.c.index)
    found = []
    for row in tx.connection.execute(statement, {"named": f'"person/{number}":['.encode()}):
        said = orjson.loads(row.body)
        if f"person/{number}" in said["chains"]:
            found.append(
                {
                    "index": row.index,
                    "short_hash": bytes(row.leaf).hex()[:12],
                    "recorded_at": said["recorded_at"],
                    "kind": said["kind"],
                    "place": said["chains"][f"person/{number}"][0],
                    "body": _own(said["body"], number),
                }
            )
    return found


def _looks(tx: ReadTransaction, number: str) -> list[dict[str, Any]]:
    found = reveals.of(tx, number)
    places = stations.names(tx.connection, {one.station for one in found if one.station})
    return [{**asdict(one), "place": places.get(one.station or "", "")} for one in found]


def _certificates(tx: ReadTransaction, number: str) -> list[dict[str, Any]]:
    """List a person's certificates with their documents as they were issued; without, where they are not kept any more."""
    found = []
    for row in register.of_volunteer(tx, number):
        names = ("number", "issued_on", "minutes", "period_from", "period_to", "revoked_at", "revoked_reason", "entry_index")
        said = {name: getattr(row, name) for name in names if getattr(row, name) is not None}
        with suppress(NotFound):
            said["document"] = register.paper(tx, row)[0]
        found.append(said)
    return found


def _own(body: dict[str, Any], number: str) -> dict[str, Any]:
    """Leave other people's numbers out of an entry about many."""
    return {key: [number] if key == "volunteers" else value for key, value in body.items()}


def _request(row: Any) -> dict[str, Any]:
    names = ("means", "reason", "asked_at", "state", "decided_at", "reply", "entry_index")
    return {name: getattr(row, name) for name in names if getattr(row, name) is not None}


def _account(tx: ReadTransaction, number: str) -> dict[str, Any] | None:
    row = tx.connection.execute(select(_ACCOUNT).where(_ACCOUNT.c.volunteer == number)).one_or_none()
    if row is None:
        return None
    open_ = tx.connection.execute(select(_SESSION).where(_SESSION.c.account == row.id).order_by(_SESSION.c.begun_at.desc()))
    names = ("means", "browser", "begun_at", "last_used_at", "ends_at")
    return {
        "login": row.login,
        "created_at": row.created_at,
        "disabled": bool(row.disabled),
        "sessions": [{name: getattr(one, name) for name in names} for one in open_],
    }


def as_file(said: dict[str, Any]) -> bytes:
    """Write what `everything` gathered as JSON that people can read too."""
    return orjson.dumps(said, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
