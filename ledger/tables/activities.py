"""Work in hand around activities: plans not published yet, who signed up, desks where people sign in, who came and left, addresses of calendars."""

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from ledger.tables.columns import text


class PlanRow(SQLModel, table=True):
    """An activity that is being planned; *said* is the form as it was filled in, JSON. Publishing it removes it."""

    __tablename__ = "plan"
    id: str = text(primary_key=True)
    station: str = text(index=True)
    said: str = text()
    saved_by: str = text()
    saved_at: str = text()


class SignUpRow(SQLModel, table=True):
    """A place that a volunteer asked for at an activity to come: a number, never a name. Removed when they withdraw, and some weeks after the activity."""

    __tablename__ = "sign_up"
    activity: str = text(primary_key=True)
    volunteer: str = text(primary_key=True, index=True)
    signed_up_at: str = text()


class DeskRow(SQLModel, table=True):
    """Signing in to an activity: the account that runs it. Once closed, its people's records are the batch."""

    __tablename__ = "desk"
    activity: str = text(primary_key=True)
    station: str = text()
    planned_end: str = text()
    account: str = text()
    opened_at: str = text()
    closed_at: str | None = text(default=None, index=True)
    batch: str | None = text(default=None)


class PresenceRow(SQLModel, table=True):
    """One time somebody came to an activity and left: when (instants) and how (attendance.HOW). At the close: the record made of it, or why none was."""

    __tablename__ = "presence"
    activity: str = text(primary_key=True)
    volunteer: str = text(primary_key=True)
    pair: int = Field(primary_key=True)
    came_at: str = text()
    came_by: str = text()
    left_at: str | None = text(default=None)
    left_by: str | None = text(default=None)
    entry_index: int | None = Field(default=None, sa_type=BigInteger, index=True)
    refusal: str | None = text(default=None)


class CalendarRow(SQLModel, table=True):
    """How many addresses a station's calendar has had; only the newest is good."""

    __tablename__ = "calendar"
    station: str = text(primary_key=True)
    generation: int
