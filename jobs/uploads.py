"""Uploads by the clock: a sealed file that nobody imported within a day is removed, with the personal data in it."""

from datetime import date, timedelta

from sqlalchemy import delete

from ledger.entries import format_time
from ledger.store import Ledger
from ledger.tables import UploadRow, table
from ledger.transactions import WriteTransaction

KEPT = timedelta(days=1)
_UPLOAD = table(UploadRow)


def drop(_ledger: Ledger, tx: WriteTransaction, _business_date: date) -> int:
    """Drop the uploads older than a day. Returns how many there were."""
    return tx.connection.execute(delete(_UPLOAD).where(_UPLOAD.c.uploaded_at < format_time(tx.now - KEPT))).rowcount
