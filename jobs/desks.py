"""Activities by the clock: those whose desk nobody closed are closed (who forgot to sign out left at the planned end); old sign-ups are deleted."""

from datetime import date

from ledger.attendance.closing import close_forgotten
from ledger.planning import sign_ups
from ledger.store import Ledger
from ledger.transactions import WriteTransaction


def close(_ledger: Ledger, tx: WriteTransaction, _business_date: date) -> int:
    """Close what was forgotten. Returns how many activities."""
    return close_forgotten(tx)


def forget_sign_ups(_ledger: Ledger, tx: WriteTransaction, _business_date: date) -> int:
    """Delete who signed up for activities that are long over. Returns how many."""
    return sign_ups.forget(tx.connection, tx.today)
