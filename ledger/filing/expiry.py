"""
Filings that lapse: who is told, and when.

The station's desk is told WARN_DAYS days before the last day, again 30 and 7 days before, and once it is past; each once, however often it is asked for,
and after days without it only what is due then. Whoever has already handed in a re-filing, and an organisation that was de-filed, is left alone.
"""

from datetime import date

from sqlalchemy import select

from ledger.bulk import insert_rows, rows_where_in
from ledger.entries import format_time
from ledger.filing.naming import OPEN
from ledger.filing.reading import WARN_DAYS
from ledger.notices import News, tell_desks
from ledger.tables import FilingApplicationRow, FilingStandingRow, FilingWarningRow, OrganisationRow, table
from ledger.transactions import WriteTransaction

MARKS = (WARN_DAYS, 30, 7, -1)
"""Days before the last day, the last day's morrow as -1."""
_ORGANISATION, _STANDING = table(OrganisationRow), table(FilingStandingRow)
_APPLICATION, _WARNING = table(FilingApplicationRow), table(FilingWarningRow)


def mark_on(expires_on: str, today: date) -> int | None:
    """Give the mark that a filing has reached; None when it is not yet time."""
    left = (date.fromisoformat(expires_on) - today).days
    return min((mark for mark in MARKS if left <= mark), default=None)


def warn(tx: WriteTransaction) -> int:
    """Tell the desks of filings that lapse soon, or have. Returns of how many. To be run each morning; running it twice tells nobody twice."""
    asked = select(_ORGANISATION).where(_ORGANISATION.c.expires_on.is_not(None)).order_by(_ORGANISATION.c.expires_on, _ORGANISATION.c.id)
    due = {row.id: (row, mark) for row in tx.connection.execute(asked) if (mark := mark_on(row.expires_on, tx.today)) is not None}
    told = {
        (row.organisation, row.expires_on, row.mark)
        for row in rows_where_in(tx.connection, _WARNING.c, _WARNING.c.organisation, due.keys())
    }
    open_ = select(_APPLICATION.c.organisation).where(_APPLICATION.c.state.in_(OPEN), _APPLICATION.c.form.in_(("refile", "cancel")))
    gone = select(_STANDING.c.organisation).where(_STANDING.c.cancelled_on.is_not(None))
    left_alone = {*tx.connection.execute(open_).scalars(), *tx.connection.execute(gone).scalars()}
    new = [(row, mark) for row, mark in due.values() if row.id not in left_alone and (row.id, row.expires_on, mark) not in told]
    news: list[News] = [
        (row.station, "filing.lapsed" if mark < 0 else "filing.expiring", {"organisation": row.id, "expires_on": row.expires_on})
        for row, mark in new
    ]
    tell_desks(tx, "file", news)
    said = {"told_at": format_time(tx.now)}
    noted = [{"organisation": row.id, "expires_on": row.expires_on, "mark": mark, **said} for row, mark in new]
    insert_rows(tx.connection, _WARNING, noted)
    return len(noted)
