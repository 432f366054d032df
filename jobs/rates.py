"""
Rates by the clock: every night the running year's figures of each unit whose counts changed are published.

A night's figures are counted on the day they are published, whatever night was missed before: figures of a past night could not be told
from today's, so only the newest missed night is made up for (`schedule.due`). A year's closing figures, counted on 31 December, are
published all through the January after it, because services are still recorded and approved then; where the whole of January was missed, by
the first run of the year.
"""

from datetime import date

from jobs.runs import last_done
from ledger import rates
from ledger.store import Ledger
from ledger.transactions import WriteTransaction

JOB = "rates"


def publish(_ledger: Ledger, tx: WriteTransaction, business_date: date) -> int:
    """Publish the running year's rates, and in its turn the closing figures of the year before. Returns how many entries that made."""
    year = business_date.year
    last = last_done(tx.connection, JOB, before=business_date)
    closing = business_date.month == 1 or (last is not None and last.year < year)
    return (rates.publish(tx, year - 1) if closing else 0) + rates.publish(tx, year)
