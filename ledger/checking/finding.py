"""
Comparing the index by which people are found (ID number, phone) with what the vault opens.

Whoever is found under somebody else's number takes that person's hours, so each row has to follow from what is sealed of its subject: none moved, none
missing, none too many. Those whose data were erased or restricted are found by nothing.
"""

from collections.abc import Collection, Mapping
from contextlib import closing
from itertools import islice

from sqlalchemy import Connection, func, select

from ledger import tables
from ledger.bulk import rows_where_in
from ledger.checking.faults import Report
from ledger.checking.streaming import stream
from ledger.errors import Corrupt
from ledger.people.vault import Retraced, Vault
from ledger.tables import table

_BLIND = table(tables.BlindIndexRow)
_ROWS = "SELECT subject, digest, field FROM blind_index ORDER BY subject, digest"
_AT_ONCE = 1_000


class Finding:
    """Follows the opening of the vault, some subjects at a time. *hidden*: subjects that must not be found."""

    def __init__(self, connection: Connection, vault: Vault, hidden: Collection[str], report: Report) -> None:
        self._connection = connection
        self._vault = vault
        self._hidden = hidden
        self._report = report
        self._right = 0

    def take(self, opened: Mapping[str, Retraced | Corrupt]) -> None:
        """Compare the rows of some subjects with what was opened of them."""
        expected = {(digest, subject): name for subject in opened for name, digest in self._findable(opened, subject).items()}
        columns = (_BLIND.c.digest, _BLIND.c.subject, _BLIND.c.field)
        rows = rows_where_in(self._connection, columns, _BLIND.c.digest, {digest for digest, _ in expected})
        found = {(bytes(row.digest), row.subject): row.field for row in rows}
        for (digest, subject), name in expected.items():
            if (digest, subject) in found:
                self._right += 1
                self._report.compare(None, f"blind_index[{subject}].field", name, found[digest, subject])
            else:
                self._report.add(None, f"blind_index[{subject}].{name}", "这一行", "缺失")

    def finish(self) -> None:
        """Name the rows that do not follow from anything, if there are more rows than were found right."""
        if self._connection.execute(select(func.count()).select_from(_BLIND)).scalar_one() == self._right:
            return
        with closing(stream(self._connection, _ROWS, lenient=True)) as rows:
            while part := list(islice(rows, _AT_ONCE)):
                opened = self._vault.retrace(self._connection, {subject for subject, _, _ in part if isinstance(subject, str)})
                for subject, digest, name in part:
                    if not isinstance(opened.get(subject), Corrupt) and digest not in self._findable(opened, subject).values():
                        self._report.add(None, f"blind_index[{subject}].{name}", "不应有", "多出的一行")

    def _findable(self, opened: Mapping[str, Retraced | Corrupt], subject: str) -> Mapping[str, bytes]:
        made = opened.get(subject)
        return made.findable if isinstance(made, Retraced) and subject not in self._hidden else {}
