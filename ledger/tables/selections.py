"""Yearly selections: what follows from the log, the records and people as frozen among it; and beside it drafts, proposals, sealed salts and words."""

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from ledger.tables.columns import blob, count, index_key, text


def _index() -> int | None:
    """Make a column for the index of an entry that may come later."""
    found: int | None = Field(default=None, sa_type=BigInteger)
    return found


class SelectionRow(SQLModel, table=True):
    """A projection: a selection, from its freeze on. *rules*, *seats* and *rows* are JSON; *replaced_by*: the later round, if there is one."""

    __tablename__ = "selection"
    id: str = text(primary_key=True)
    entry_index: int = count()
    station: str = text(index=True)
    subject: str = text()
    year: int
    rules: str = text()
    rules_sha256: str = text()
    period_from: str = text()
    period_to: str = text()
    tree_size: int = count()
    root: str = text()
    counted_on: str = text()
    seats: str = text()
    random_source: str | None = text(default=None)
    replaces: str | None = text(default=None)
    replaced_by: str | None = text(default=None)
    opened_by: str = text()
    opened_at: str = text()
    drawn_index: int | None = _index()
    drawn_value: str | None = text(default=None)
    drawn_on: str | None = text(default=None)
    drawn_by: str | None = text(default=None)
    published_index: int | None = _index()
    list: str | None = text(default=None)
    rows: str | None = text(default=None)
    published_from: str | None = text(default=None)
    published_until: str | None = text(default=None)
    published_by: str | None = text(default=None)
    sealed_index: int | None = _index()
    sealed_list: str | None = text(default=None)
    chosen: int | None = Field(default=None)
    asked_by: str | None = text(default=None)
    sealed_by: str | None = text(default=None)
    sealed_at: str | None = text(default=None)
    board_minutes: str | None = text(default=None)


class SelectionRecordRow(SQLModel, table=True):
    """A projection: a service as a selection froze it, or as an objection let it in at the entry *since*; *until* a later one replaced it.

    *subject*: whose record it is there: the volunteer's, or the organisation's. *out*: why it does not count by the rules themselves. The table lies in
    the order of its key (SQLite), so that each person's records, and each day's, are added up side by side.
    """

    __tablename__ = "selection_record"
    selection: str = text(primary_key=True)
    subject: str = text(primary_key=True)
    served_on: str = text(primary_key=True)
    service: int = Field(sa_type=BigInteger, primary_key=True)
    since: int = Field(sa_type=BigInteger, primary_key=True)
    until: int | None = _index()
    person: str = text()
    activity: str = text()
    series: str | None = text(default=None)
    start: str = text()
    end: str = text()
    minutes: int
    grade: str = text()
    recorder: str = text()
    recorded_at: str = text()
    out: str | None = text(default=None)
    __table_args__ = {"sqlite_with_rowid": False}


class SelectionCandidateRow(SQLModel, table=True):
    """A projection: somebody with a frozen record, as they were then. *facts*: what else the rules weigh (JSON), if there is any."""

    __tablename__ = "selection_candidate"
    selection: str = text(primary_key=True)
    subject: str = text(primary_key=True)
    station: str = text()
    registered_on: str = text()
    confirmed_on: str | None = text(default=None)
    left_on: str | None = text(default=None)
    facts: str | None = text(default=None)


class SelectionDoubtRow(SQLModel, table=True):
    """A projection: what was decided of a doubtful record, each time anew."""

    __tablename__ = "selection_doubt"
    entry_index: int = index_key("entry_index")
    selection: str = text(index=True)
    service: int = count()
    finding: str = text()
    reason: str = text()
    asked_by: str = text()
    decided_by: str = text()
    decided_at: str = text()


class SelectionObjectionRow(SQLModel, table=True):
    """A projection: an objection to a public list, and what came out. *effect*: which records and people it changed (JSON)."""

    __tablename__ = "selection_objection"
    entry_index: int = index_key("entry_index")
    selection: str = text(index=True)
    station: str = text()
    ground: str = text()
    means: str = text()
    row: int | None = Field(default=None)
    volunteer: str | None = text(default=None)
    due_on: str | None = text(default=None)
    contested_at: str = text()
    actor: str = text()
    decision: int | None = _index()
    finding: str | None = text(default=None)
    reason: str | None = text(default=None)
    effect: str | None = text(default=None)
    decided_by: str | None = text(default=None)
    decided_at: str | None = text(default=None)


SELECTIONS: tuple[type[SQLModel], ...] = (
    SelectionRow,
    SelectionRecordRow,
    SelectionCandidateRow,
    SelectionDoubtRow,
    SelectionObjectionRow,
)


class SelectionDraftRow(SQLModel, table=True):
    """A version of the rules of a selection that is being prepared; nothing of it is in the log before the freeze. *replaces*: the round before."""

    __tablename__ = "selection_draft"
    id: str = text(primary_key=True)
    version: int = Field(primary_key=True)
    station: str = text(index=True)
    year: int
    rules: str = text()
    random_source: str | None = text(default=None)
    replaces: str | None = text(default=None)
    saved_by: str = text()
    saved_at: str = text()


class SelectionProposalRow(SQLModel, table=True):
    """What one person proposes and a second one does: what is found of a doubtful record (*service*), or the final list (*service* -1)."""

    __tablename__ = "selection_proposal"
    selection: str = text(primary_key=True)
    service: int = Field(sa_type=BigInteger, primary_key=True)
    finding: str = text()
    reason: str = text()
    asked_by: str = text()
    asked_at: str = text()


class SelectionLineRow(SQLModel, table=True):
    """A row of a public list: whose it is, home station and minutes as published; the salt of its commitment, sealed under the key of the person."""

    __tablename__ = "selection_line"
    selection: str = text(primary_key=True)
    row: int = Field(primary_key=True)
    subject: str = text(index=True)
    station: str = text()
    minutes: int = count()
    sealed: bytes = blob()


class SelectionWordsRow(SQLModel, table=True):
    """What somebody said about a list in their own words, sealed."""

    __tablename__ = "selection_words"
    objection: int = index_key("objection")
    sealed: bytes = blob()
