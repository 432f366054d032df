"""Clearing up by the clock: a sealed file that nobody imported within a day is removed, with the personal data in it; so is a photo after its term.

Then go the keys of what is no longer there, so that old backups of it cannot be read either, and whatever a crash left of people who were erased.
"""

from datetime import date, timedelta

from sqlalchemy import delete

from ledger import evidence
from ledger.drafting import keeping
from ledger.entries import format_time
from ledger.filing import drafts
from ledger.people.destruction import sweep
from ledger.store import Ledger
from ledger.tables import UploadRow, table
from ledger.transactions import WriteTransaction

KEPT = timedelta(days=1)
_UPLOAD = table(UploadRow)


def finish_erasures(ledger: Ledger) -> int:
    """Destroy what is left of people who were erased."""
    return ledger.finish_erasures()


def drop(ledger: Ledger, tx: WriteTransaction, _business_date: date) -> int:
    """Drop the uploads older than a day, old drafts, photos whose term is over, and the keys of what was gone before. Returns how many there were."""
    sweep(tx.connection, ledger.vault)
    dropped = keeping.drop_old(tx.connection, tx.now) + drafts.drop_old(tx.connection, tx.now) + evidence.drop_old(tx.connection, tx.now)
    return dropped + tx.connection.execute(delete(_UPLOAD).where(_UPLOAD.c.uploaded_at < format_time(tx.now - KEPT))).rowcount
