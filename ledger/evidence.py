"""
Evidence: the photo or scan of a sign-in sheet, as it was handed in.

Entries name it by its SHA-256, so that a picture shown later is that picture or is not. The bytes are sealed under a key of their own. It shows
names in full: who opens it is noted, and it is kept for its term and no longer (KEPT; fields.py says so to the people on it). While somebody objects
to a record made from it, it stays. Then the picture goes, with its key; its hash, who kept it and who looked at it remain.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from ledger.bulk import insert_rows
from ledger.drafting import keeping
from ledger.drafting.sheets import Sheet
from ledger.entries import SHANGHAI, b64, format_time
from ledger.errors import InvalidRequest, NotFound
from ledger.ids import new_entry_id
from ledger.people import actors
from ledger.people.actors import Actor
from ledger.people.fields import PHOTO_YEARS
from ledger.store import Ledger
from ledger.tables import EvidenceLookRow, EvidenceRow, ServiceRow, table
from ledger.transactions import ReadTransaction

BYTES_MAX = 10 * 1024 * 1024
KEPT = timedelta(days=365 * PHOTO_YEARS)
_SIGNS = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"%PDF-", "application/pdf"))
_EVIDENCE, _LOOK, _SERVICE = table(EvidenceRow), table(EvidenceLookRow), table(ServiceRow)
_GONE = func.length(_EVIDENCE.c.sealed) == 0


@dataclass(frozen=True)
class Evidence:
    """A picture or scan: since when it is kept and until when, or that it is gone and only its hash stands; how often it was opened."""

    id: str
    sha256: str
    media_type: str
    kept_at: str
    until: str
    gone: bool
    looks: int


def attach(ledger: Ledger, actor: Actor, draft: str, content: bytes) -> None:
    """Keep a photo or scan with a draft of one's own, in the place of the one before. Raises InvalidRequest, and as `keeping.get`."""
    if not content:
        raise InvalidRequest("照片是空文件，请检查是否选错了")
    if len(content) > BYTES_MAX:
        raise InvalidRequest("照片太大，请不超过 10 MB。可以把手机拍照的清晰度调低一档，或扫描成 PDF")
    media_type = type_of(content)
    new_id, digest = new_entry_id(), b64(hashlib.sha256(content).digest())
    sealed, key = ledger.vault.seal_new(f"evidence/{new_id}", content)

    def keep(tx: ReadTransaction, sheet: Sheet) -> None:
        ledger.vault.store_keys(key)
        tx.connection.execute(_EVIDENCE.delete().where(_EVIDENCE.c.id == sheet.evidence, _EVIDENCE.c.batch.is_(None)))
        row = {"id": new_id, "sha256": digest, "station": sheet.station, "account": actor.account, "media_type": media_type}
        insert_rows(tx.connection, _EVIDENCE, [row | {"sealed": sealed, "kept_at": format_time(tx.now), "batch": None}])
        sheet.evidence = new_id

    keeping.change(ledger, actor, draft, keep)


def type_of(content: bytes) -> str:
    """Tell the media type of a picture or scan by how it begins. Raises InvalidRequest for anything else."""
    for sign, media_type in _SIGNS:
        if content.startswith(sign):
            return media_type
    raise InvalidRequest("只能附照片（JPG、PNG）或扫描件（PDF）。苹果手机的 HEIC 照片请先另存为 JPG；表格文件请用「上传表格文件」")


def row_of(tx: ReadTransaction, evidence: str) -> Any:
    """Give the row of what is kept under an id, without its bytes; None when there is none."""
    columns = [column for column in _EVIDENCE.c if column.name != "sealed"]
    return tx.connection.execute(select(*columns).where(_EVIDENCE.c.id == evidence)).one_or_none() if evidence else None


def used_before(tx: ReadTransaction, sha256: str) -> Any:
    """Give the row of the same picture where something was recorded with it already; None when nothing was."""
    columns = (_EVIDENCE.c.batch, _EVIDENCE.c.kept_at)
    query = select(*columns).where(_EVIDENCE.c.sha256 == sha256, _EVIDENCE.c.batch.is_not(None))
    return tx.connection.execute(query.order_by(_EVIDENCE.c.kept_at).limit(1)).one_or_none()


def of_batch(tx: ReadTransaction, batch: str) -> list[Evidence]:
    """List what is kept as evidence of a batch's records."""
    return _of_records(tx, _SERVICE.c.batch == batch)


def of_person(tx: ReadTransaction, numbers: Sequence[str]) -> list[Evidence]:
    """List the pictures that records of a person (by all their numbers) were made from: their name may stand on them."""
    return _of_records(tx, _SERVICE.c.volunteer.in_(numbers))


def _of_records(tx: ReadTransaction, which: ColumnElement[bool]) -> list[Evidence]:
    """List the pictures of some records, one for each hash: one that is still there, if any is."""
    digests = select(_SERVICE.c.source_sha256).where(which, _SERVICE.c.source_sha256.is_not(None)).distinct()
    columns = (_EVIDENCE.c.id, _EVIDENCE.c.sha256, _EVIDENCE.c.media_type, _EVIDENCE.c.kept_at)
    query = select(*columns, _GONE.label("gone")).where(_EVIDENCE.c.sha256.in_(digests), _EVIDENCE.c.batch.is_not(None))
    found: dict[str, Evidence] = {}
    for row in tx.connection.execute(query.order_by(_GONE, _EVIDENCE.c.kept_at)):
        looks = tx.connection.execute(select(func.count()).where(_LOOK.c.evidence == row.id)).scalar_one()
        until = (datetime.fromisoformat(row.kept_at) + KEPT).astimezone(SHANGHAI).date().isoformat()
        found.setdefault(row.sha256, Evidence(row.id, row.sha256, row.media_type, row.kept_at, until, bool(row.gone), looks))
    return list(found.values())


def drop_old(connection: Connection, now: datetime) -> int:
    """Drop the pictures whose term is over; their keys go with the next sweep (destruction.py). Returns how many."""
    contested = select(_SERVICE.c.source_sha256).where(_SERVICE.c.contested_by.is_not(None), _SERVICE.c.source_sha256.is_not(None))
    over = (_EVIDENCE.c.batch.is_not(None), _EVIDENCE.c.kept_at < format_time(now - KEPT), ~_GONE)
    return connection.execute(_EVIDENCE.update().where(*over, _EVIDENCE.c.sha256.not_in(contested)).values(sealed=b"")).rowcount


def show(ledger: Ledger, actor: Actor, evidence: str) -> tuple[str, bytes]:
    """Open a photo or scan, and note who did: its media type and bytes. Raises NotFound, NotAllowed (another's station)."""

    def note(connection: Connection, now: datetime) -> Any:
        row = connection.execute(select(_EVIDENCE).where(_EVIDENCE.c.id == evidence)).one_or_none()
        if row is None:
            raise NotFound("没有这张照片，它可能已按规定删除")
        actors.require(connection, actor, "see_station", row.station)
        if not row.sealed:
            raise NotFound(f"照片保存满 {PHOTO_YEARS} 年，已按规定删除，只留下指纹")
        said = {"id": new_entry_id(), "evidence": evidence, "account": actor.account, "looked_at": format_time(now)}
        insert_rows(connection, _LOOK, [said])
        return row

    row = ledger.operate(note)
    label = f"evidence/{row.id}"
    return row.media_type, ledger.vault.open_more(label, bytes(row.sealed), label)
