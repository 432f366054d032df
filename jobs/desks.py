"""Closing activities by the clock whose desk nobody closed: whoever forgot to sign out left at the planned end."""

from datetime import date

from ledger.attendance.closing import close_forgotten
from ledger.store import Ledger
from ledger.transactions import WriteTransaction


def close(_ledger: Ledger, tx: WriteTransaction, _business_date: date) -> int:
    """Close what was forgotten. Returns how many activities."""
    return close_forgotten(tx)
