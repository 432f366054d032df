"""Whose credit record: a volunteer's, under the number they have now, or an organisation's."""

from dataclasses import dataclass
from typing import Any

from ledger.errors import InvalidRequest, NotFound
from ledger.kinds import Body
from ledger.organisations import get_row
from ledger.people import volunteers
from ledger.transactions import ReadTransaction


@dataclass(frozen=True)
class Subject:
    """A volunteer or an organisation (one of the two is there), and the station that looks after it."""

    station: str
    volunteer: str | None = None
    organisation: str | None = None

    @property
    def named(self) -> Body:
        """The fields that name it in an entry."""
        return {"volunteer": self.volunteer} if self.volunteer else {"organisation": self.organisation}

    @property
    def body(self) -> Body:
        """The fields that name it and its station in an entry."""
        return {**self.named, "station": self.station}

    def owns(self, row: Any) -> bool:
        """Tell whether a row of the record is its own."""
        return bool(row.volunteer == self.volunteer if self.volunteer else row.organisation == self.organisation)


def person(tx: ReadTransaction, number: str) -> Subject:
    """Give a volunteer as a subject. Raises NotFound, InvalidRequest (no number, or a registration that the person says is not theirs)."""
    row = volunteers.get(tx, number).row
    if row.left_as in ("not_me", "erased"):
        raise InvalidRequest("这份登记已被本人否认，或资料已注销，不能再往上面记")
    return Subject(row.station, volunteer=row.number)


def organisation(tx: ReadTransaction, number: str) -> Subject:
    """Give an organisation as a subject. Raises NotFound."""
    row = get_row(tx.connection, number)
    if row is None:
        raise NotFound("没有这个组织。请从组织列表里重新选择")
    return Subject(row.station, organisation=row.id)


def whose(tx: ReadTransaction, row: Any) -> Subject:
    """Give whose a row or a proposal is."""
    return person(tx, row.volunteer) if row.volunteer else organisation(tx, row.organisation)
