"""
Organisations that have held no activity for twelve months: shown where they stand, told to their desk once, and never acted upon by themselves.

The filing plans let a year without activity count as having left, «without reason»: a reason is something only people know. So nothing here changes a
filing; whoever talked to the organisation handles its end (注销备案) like any other. Quiet since: its last activity, or its filing where there was none.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from ledger import organisations
from ledger.bulk import insert_rows, rows_where_in
from ledger.entries import format_time
from ledger.notices import News, tell_desks
from ledger.organisations import years_later
from ledger.tables import ActivityRow, DormancyNoticeRow, OrganisationRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

YEARS = 1
_ACTIVITY, _ORGANISATION, _NOTICE = table(ActivityRow), table(OrganisationRow), table(DormancyNoticeRow)


def quiet_since(tx: ReadTransaction, rows: Sequence[Any]) -> dict[str, str]:
    """Give the day since when organisations (rows) have held nothing, of those for which that is a year or more; of ended filings nothing."""
    today = tx.today.isoformat()
    gone = set(tx.connection.execute(organisations.cancelled(today)).scalars())
    last = _last_held(tx, [row.id for row in rows])
    found = {}
    for row in rows:
        since = max(last.get(row.id, ""), row.since)
        if row.id not in gone and (row.expires_on or today) >= today and years_later(date.fromisoformat(since), YEARS) < tx.today:
            found[row.id] = since
    return found


def _last_held(tx: ReadTransaction, ids: Sequence[str]) -> dict[str, str]:
    """Give the day of the newest activity, up to today, that was not called off; of one brought over from another system the end of its year."""
    columns = (_ACTIVITY.c.organisation, _ACTIVITY.c.start, _ACTIVITY.c.migrated_year, _ACTIVITY.c.ended_as)
    last: dict[str, str] = {}
    for row in rows_where_in(tx.connection, columns, _ACTIVITY.c.organisation, ids):
        day = row.start[:10] if row.start else f"{row.migrated_year}-12-31" if row.migrated_year else ""
        if row.ended_as != "cancelled" and day <= tx.today.isoformat():
            last[row.organisation] = max(last.get(row.organisation, ""), day)
    return last


def remind(tx: WriteTransaction) -> int:
    """Tell the desks of organisations that have fallen quiet. Returns of how many; of each once, until it has held something again."""
    rows = {row.id: row for row in tx.connection.execute(select(_ORGANISATION).order_by(_ORGANISATION.c.id))}
    quiet = quiet_since(tx, list(rows.values()))
    told = {(row.organisation, row.quiet_since) for row in rows_where_in(tx.connection, _NOTICE.c, _NOTICE.c.organisation, quiet)}
    new = {one: since for one, since in quiet.items() if (one, since) not in told}
    news: list[News] = [
        (rows[one].station, "organisation.dormant", {"organisation": one, "quiet_since": since}) for one, since in new.items()
    ]
    tell_desks(tx, "file", news)
    insert_rows(tx.connection, _NOTICE, [{"organisation": one, "quiet_since": new[one], "told_at": format_time(tx.now)} for one in new])
    return len(new)
