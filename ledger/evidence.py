"""
Evidence: the photo or scan of a sign-in sheet, as it was handed in.

Entries name it by its SHA-256, so that a picture shown later is that picture or is not. The bytes are sealed under a key of their own. It shows
names in full: who opens it is noted.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from ledger.bulk import insert_rows
from ledger.drafting import keeping
from ledger.drafting.sheets import Sheet
from ledger.entries import b64, format_time
from ledger.errors import InvalidRequest, NotFound
from ledger.ids import new_entry_id
from ledger.people import actors
from ledger.people.actors import Actor
from ledger.store import Ledger
from ledger.tables import EvidenceLookRow, EvidenceRow, ServiceRow, table
from ledger.transactions import ReadTransaction

BYTES_MAX = 10 * 1024 * 1024
_SIGNS = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"%PDF-", "application/pdf"))
_EVIDENCE, _LOOK, _SERVICE = table(EvidenceRow), table(EvidenceLookRow), table(ServiceRow)


@dataclass(frozen=True)
class Evidence:
    """A picture or scan that is kept: its row, how often it was opened."""

    id: str
    sha256: str
    media_type: str
    kept_at: str
    looks: int


def attach(ledger: Ledger, actor: Actor, draft: str, content: bytes) -> None:
    """Keep a photo or scan with a draft of one's own, in the place of the one before. Raises InvalidRequest, and as `keeping.get`."""
    if not content:
        raise InvalidRequest("照片是空文件，请检查是否选错了")
    if len(content) > BYTES_MAX:
        raise InvalidRequest("照片太大，请不超过 10 MB。可以把手机拍照的清晰度调低一档，或扫描成 PDF")
    media_type = _media_type(content)
    new_id, digest = new_entry_id(), b64(hashlib.sha256(content).digest())
    sealed, key = ledger.vault.seal_new(f"evidence/{new_id}", content)

    def keep(tx: ReadTransaction, sheet: Sheet) -> None:
        ledger.vault.store_keys(key)
        tx.connection.execute(_EVIDENCE.delete().where(_EVIDENCE.c.id == sheet.evidence, _EVIDENCE.c.batch.is_(None)))
        row = {"id": new_id, "sha256": digest, "station": sheet.station, "account": actor.account, "media_type": media_type}
        insert_rows(tx.connection, _EVIDENCE, [row | {"sealed": sealed, "kept_at": format_time(tx.now), "batch": None}])
        sheet.evidence = new_id

    keeping.change(ledger, actor, draft, keep)


def _media_type(content: bytes) -> str:
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
    digests = select(_SERVICE.c.source_sha256).where(_SERVICE.c.batch == batch, _SERVICE.c.source_sha256.is_not(None)).distinct()
    columns = (_EVIDENCE.c.id, _EVIDENCE.c.sha256, _EVIDENCE.c.media_type, _EVIDENCE.c.kept_at)
    query = select(*columns).where(_EVIDENCE.c.sha256.in_(digests), _EVIDENCE.c.batch.is_not(None)).order_by(_EVIDENCE.c.kept_at)
    found: dict[str, Evidence] = {}
    for row in tx.connection.execute(query):
        looks = tx.connection.execute(select(func.count()).where(_LOOK.c.evidence == row.id)).scalar_one()
        found.setdefault(row.sha256, Evidence(*row, looks))
    return list(found.values())


def show(ledger: Ledger, actor: Actor, evidence: str) -> tuple[str, bytes]:
    """Open a photo or scan, and note who did: its media type and bytes. Raises NotFound, NotAllowed (another's station)."""

    def note(connection: Connection, now: datetime) -> Any:
        row = connection.execute(select(_EVIDENCE).where(_EVIDENCE.c.id == evidence)).one_or_none()
        if row is None:
            raise NotFound("没有这张照片，它可能已按规定删除")
        actors.require(connection, actor, "see_station", row.station)
        said = {"id": new_entry_id(), "evidence": evidence, "account": actor.account, "looked_at": format_time(now)}
        insert_rows(connection, _LOOK, [said])
        return row

    row = ledger.operate(note)
    label = f"evidence/{row.id}"
    return row.media_type, ledger.vault.open_more(label, bytes(row.sealed), label)
