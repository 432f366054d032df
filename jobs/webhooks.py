"""
Webhooks by the clock: registered receivers are told what has entered the log since they were last told.

Telling takes seconds and is done before the writer's place is taken. A receiver that does not answer is no failure of the job: its own row says so
(ledger/webhooks.py), and administrators see it on its page.
"""

from datetime import date

from ledger import deliveries, repeats
from ledger.store import Ledger
from ledger.transactions import WriteTransaction


def deliver(ledger: Ledger) -> int:
    """Tell the receivers. Returns how many messages were taken."""
    return deliveries.deliver(ledger)


def forget(_ledger: Ledger, tx: WriteTransaction, _business_date: date) -> int:
    """Forget the requests of programs that are too old to be sent again. Returns how many there were."""
    return repeats.forget(tx.connection, tx.now)
