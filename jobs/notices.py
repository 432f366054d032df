"""
Notices by the clock: messages go out to those who asked for them, and old notices are forgotten.

Sending takes seconds and is done before the writer's place is taken. A gateway that does not answer is no failure of the job: each message's own
row says so, and it is tried again.
"""

from datetime import date

from ledger import dormancy, messages, notices, reminders
from ledger.filing import expiry
from ledger.gateways import gateway
from ledger.store import Ledger
from ledger.transactions import WriteTransaction

LEDGERS_ON = 18
"""The day of the month on which the draft of its filing ledger is pointed out: a week before the ledger is due."""


def deliver(ledger: Ledger) -> int:
    """Send what waits. Returns how many messages went out."""
    chosen = gateway(ledger.settings)
    return messages.deliver(ledger, chosen) if chosen else 0


def forget(_ledger: Ledger, tx: WriteTransaction, _business_date: date) -> int:
    """Forget the notices that are older than they are kept. Returns how many there were."""
    return notices.forget(tx.connection, tx.now)


def remind(_ledger: Ledger, tx: WriteTransaction, _business_date: date) -> int:
    """Tell the staff in the morning what waits for them. Returns how many notices that made."""
    return reminders.remind(tx)


def tell_overdue(_ledger: Ledger, tx: WriteTransaction, _business_date: date) -> int:
    """Tell the units above which objections are past their due day. Returns of how many stations."""
    return reminders.tell_overdue(tx)


def warn_of_filings(_ledger: Ledger, tx: WriteTransaction, _business_date: date) -> int:
    """Tell the desks in the morning which filings (备案) lapse soon. Returns of how many."""
    return expiry.warn(tx)


def tell_of_quiet(_ledger: Ledger, tx: WriteTransaction, _business_date: date) -> int:
    """Tell the desks which organisations have held nothing for a year. Returns of how many."""
    return dormancy.remind(tx)


def tell_of_ledgers(_ledger: Ledger, tx: WriteTransaction, business_date: date) -> int:
    """Tell the streets, on one day of the month, that this month's filing ledger is counted and may be looked at. Returns how many streets."""
    return reminders.tell_of_ledgers(tx) if business_date.day == LEDGERS_ON else 0
