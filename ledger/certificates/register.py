"""
The register of certificates: finding one, how it stands today, the file that proves it, and the list that its unit makes public.

As issued is what the entry says; as of today the same records are counted again. A certificate whose records were corrected, voided or frozen since is
still true of its day: 有效，但签发后有更正. Whoever asks without holding the paper is shown no more than the public list shows, and a masked name.
"""

import hmac
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import select

from ledger.bulk import rows_where_in
from ledger.checking.certificates import Certificate, code_digest
from ledger.errors import InvalidRequest, NotFound
from ledger.exporting import bundle_records
from ledger.ids import CODE_LENGTH, parse_code
from ledger.people import erasures, identity, volunteers
from ledger.policies import service_policy
from ledger.service.publicity import names_for_all
from ledger.service.records import counts_on
from ledger.tables import CertificatePaperRow, CertificateRow, ServiceRow, VolunteerRow, table
from ledger.transactions import ReadTransaction

STATES = {"valid": "有效", "amended": "有效，但签发后有更正", "revoked": "已撤销"}
_CERTIFICATE, _PAPER, _SERVICE, _VOLUNTEER = (table(m) for m in (CertificateRow, CertificatePaperRow, ServiceRow, VolunteerRow))
_TAIL = re.compile(r"[0-9X]{4}", re.ASCII)
_DASHES = str.maketrans(dict.fromkeys("－–—‐‑−﹣", "-"))
_NUMBER = re.compile(r"([0-9A-Z]{1,6}?)-?(20\d\d)-?(\d{6})", re.ASCII)
_LIKE_A_NUMBER = re.compile(r"[0-9A-Z]{1,6}?-?20\d\d", re.ASCII)
"""A check code has no 0 in it: with the year in its place, a number is meant."""


@dataclass(frozen=True)
class Change:
    """What became of a record since: its index, its minutes now (0: it does not count), and by which entry it was changed last, if by one."""

    index: int
    minutes: int
    changed_by: int | None


@dataclass(frozen=True)
class Standing:
    """How a certificate stands: its row, a code of STATES, the minutes that the same records count today, and what changed."""

    row: Any
    state: str
    minutes: int
    changes: list[Change]

    @property
    def grades(self) -> dict[str, int]:
        """Minutes by evidence grade, as issued."""
        said: dict[str, int] = orjson.loads(self.row.grades)
        return said

    @property
    def count(self) -> int:
        """How many records it rests on."""
        return len(orjson.loads(self.row.records))


@dataclass(frozen=True)
class Listed:
    """A line of the public list: the row, the name as it may be shown."""

    row: Any
    name: str


def find(tx: ReadTransaction, said: str) -> Any:
    """Find the row of a certificate by its number or its check code, however typed; None for one that was never issued.

    Raises InvalidRequest when a character must be wrong.
    """
    plain = re.sub(r"\s", "", said).upper().translate(_DASHES)
    if match := _NUMBER.fullmatch(plain):
        asked = _CERTIFICATE.c.number == "-".join(match.groups())
    elif _LIKE_A_NUMBER.match(plain) and not _like_a_code(plain):
        raise InvalidRequest("证明编号不完整：应像 340104-2026-000001，末段 6 位数字。请对照证明左上角")
    else:
        asked = _CERTIFICATE.c.code == code_digest(parse_code(plain))
    return tx.connection.execute(select(_CERTIFICATE).where(asked)).one_or_none()


def _like_a_code(plain: str) -> bool:
    """Tell whether this is a check code with something wrong in it, though it holds what looks like a year."""
    bare = plain.replace("-", "")
    return len(bare) == CODE_LENGTH and not bare.isdecimal()


def get(tx: ReadTransaction, number: str) -> Any:
    """Give the row of a certificate by its number. Raises NotFound."""
    row = tx.connection.execute(select(_CERTIFICATE).where(_CERTIFICATE.c.number == number)).one_or_none()
    if row is None:
        raise NotFound("没有这个编号的证明。请对照证明左上角的编号再看一遍")
    return row


def standing(tx: ReadTransaction, row: Any) -> Standing:
    """Count the records of a certificate again, as they stand today."""
    records = orjson.loads(row.records)
    services = {one.entry_index: one for one in rows_where_in(tx.connection, _SERVICE.c, _SERVICE.c.entry_index, records)}
    numbers = {one.volunteer for one in services.values()}
    disowned = {one.number for one in rows_where_in(tx.connection, _VOLUNTEER.c, _VOLUNTEER.c.number, numbers) if one.left_as == "not_me"}
    total, changes = 0, []
    for index in records:
        service = services[index]
        now = service.minutes if counts_on(service, tx.today) and service.volunteer not in disowned else 0
        total += now
        changed = service.changed_by if (service.changed_by or 0) > row.entry_index else None
        if not now or changed is not None:
            changes.append(Change(index, now, changed))
    state = "revoked" if row.revoked_index is not None else "amended" if changes else "valid"
    return Standing(row, state, total, changes)


def of_volunteer(tx: ReadTransaction, number: str) -> list[Any]:
    """List a person's certificates, newest first, also those under numbers that were merged into theirs."""
    rows = rows_where_in(tx.connection, _CERTIFICATE.c, _CERTIFICATE.c.volunteer, volunteers.numbers_of(tx, number))
    return sorted(rows, key=lambda row: -row.entry_index)


def published(tx: ReadTransaction, station: str) -> tuple[list[Listed], int]:
    """List what a unit has issued lately (民发〔2015〕149号: after issue, among its people), newest first; and for how many days that is shown."""
    days = service_policy(tx.connection, tx.today.isoformat()).certificate_publicity_days
    since = (tx.today - timedelta(days=days)).isoformat()
    asked = select(_CERTIFICATE).where(_CERTIFICATE.c.station == station, _CERTIFICATE.c.issued_on >= since)
    rows = tx.connection.execute(asked.order_by(_CERTIFICATE.c.entry_index.desc())).all()
    names = names_for_all(tx, {row.volunteer for row in rows})
    return [Listed(row, names[row.volunteer]) for row in rows], days


def masked_name(tx: ReadTransaction, row: Any) -> str:
    """Give the name as anybody may see it who has a certificate's number."""
    return names_for_all(tx, {row.volunteer})[row.volunteer]


def is_person(tx: ReadTransaction, row: Any, name: str, tail: str) -> bool:
    """Tell whether a name and the last four of an ID number are those of the person whom a certificate is about. The caller slows guessing.

    Raises InvalidRequest for what cannot be either, NotFound when nothing is known of the person any more.
    """
    name, tail = identity.normalise_name(name), "".join(tail.split()).upper()
    if not name or len(name) > 40 or not _TAIL.fullmatch(tail):
        raise InvalidRequest("请填写姓名全称，和证件号的最后四位（末位可以是 X）")
    known = volunteers.get(tx, row.volunteer).personal.identity
    if not known:
        raise NotFound("本人的资料已经注销或封存，这里核对不了。请看持证人的证件")
    theirs = f"{known.get('name', '')}\n{known.get('id_number', '')[-4:]}"
    return hmac.compare_digest(theirs.encode(), f"{name}\n{tail}".encode())


def paper(tx: ReadTransaction, row: Any) -> tuple[dict[str, Any], bytes]:
    """Open a certificate's document and its slip. Raises NotFound when the person's data is erased or restricted."""
    sealed = tx.connection.execute(select(_PAPER.c.sealed).where(_PAPER.c.certificate == row.number)).scalar_one_or_none()
    now = volunteers.get(tx, row.volunteer).row.number
    if sealed is None or erasures.state_of(tx, now) is not None:
        raise NotFound("本人的资料已经注销或封存，证明的原文不再保存。手里的原件仍可核验")
    kept = orjson.loads(tx.vault.open_more("person/" + row.volunteer, bytes(sealed), "certificate/" + row.number))
    return kept["document"], kept["slip"].encode()


def certificate(tx: ReadTransaction, row: Any) -> Certificate:
    """Put together what proves a certificate. Raises NotFound when no checkpoint covers it yet, or as `paper` does."""
    document, slip = paper(tx, row)
    indexes = [row.entry_index] if row.revoked_index is None else [row.entry_index, row.revoked_index]
    return Certificate(document, slip, bundle_records(tx.connection, indexes))
