"""Sheets being written by hand, what proves them, and batches that somebody wants void: work in hand, not part of the ledger."""

from sqlmodel import SQLModel

from ledger.tables.columns import blob, text


class SheetDraftRow(SQLModel, table=True):
    """A sheet that somebody is writing, sealed under a key of its own (draft/…).

    *account*: whose it is now; taken_from, taken_note: from whom it was taken over last, and why. *batch*: what became of it once it was committed.
    """

    __tablename__ = "sheet_draft"
    id: str = text(primary_key=True)
    station: str = text(index=True)
    account: str = text(index=True)
    state: str = text()
    sealed: bytes = blob()
    began_at: str = text()
    changed_at: str = text(index=True)
    taken_from: str | None = text(default=None)
    taken_note: str | None = text(default=None)
    batch: str | None = text(default=None)


class EvidenceRow(SQLModel, table=True):
    """A photo or scan of a sheet as it was handed in, sealed under a key of its own (evidence/…). *sha256*: of its bytes, in base64 as entries say it.

    *batch*: the first that was committed with it.
    """

    __tablename__ = "evidence"
    id: str = text(primary_key=True)
    sha256: str = text(index=True)
    station: str = text()
    account: str = text()
    media_type: str = text()
    sealed: bytes = blob()
    kept_at: str = text()
    batch: str | None = text(default=None)


class EvidenceLookRow(SQLModel, table=True):
    """Somebody opened a photo or scan: it shows names in full."""

    __tablename__ = "evidence_look"
    id: str = text(primary_key=True)
    evidence: str = text(index=True)
    account: str = text()
    looked_at: str = text()


class BatchVoidRow(SQLModel, table=True):
    """What somebody wants void as a whole, and a second person decides: one a batch."""

    __tablename__ = "batch_void"
    batch: str = text(primary_key=True)
    reason: str = text()
    asked_by: str = text()
    asked_at: str = text()
