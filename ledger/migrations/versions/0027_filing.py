"""The filing life of organisations: applications, what is on file, the names of units by day; drafts, and who was warned of a lapse."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def _texts(names: str, *, nullable: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names.split()]


def _entry(name: str = "entry_index", *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _indexes(table: str, columns: str) -> None:
    for column in columns.split():
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)


def upgrade() -> None:
    op.create_table(
        "filing_application",
        *_texts("filing organisation station street form state name"),
        *_texts("number", nullable=True),
        _entry("serial", nullable=True),
        *_texts("said leaders"),
        *_texts("particulars replaces", nullable=True),
        *_texts("asked_by asked_on first_asked_on"),
        *_texts("community_by community_on street_by street_on reason", nullable=True),
        _entry(),
        sa.PrimaryKeyConstraint("filing", name=op.f("pk_filing_application")),
    )
    _indexes("filing_application", "organisation station street state number")
    op.create_table(
        "filing_standing",
        *_texts("organisation street"),
        *_texts("filing leaders_of particulars_of", nullable=True),
        *_texts("said"),
        *_texts("changed_on cancelled_on", nullable=True),
        _entry(),
        sa.PrimaryKeyConstraint("organisation", name=op.f("pk_filing_standing")),
    )
    _indexes("filing_standing", "street")
    op.create_table(
        "filing_unit_name",
        sa.Column("entry_index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        *_texts("station name valid_from"),
        sa.PrimaryKeyConstraint("entry_index", name=op.f("pk_filing_unit_name")),
    )
    _indexes("filing_unit_name", "station name")
    op.create_table(
        "filing_draft",
        *_texts("id account station form"),
        *_texts("organisation replaces", nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        *_texts("began_at changed_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filing_draft")),
    )
    _indexes("filing_draft", "account station organisation changed_at")
    op.create_table(
        "filing_warning",
        *_texts("organisation expires_on"),
        sa.Column("mark", sa.Integer(), nullable=False, autoincrement=False),
        *_texts("told_at"),
        sa.PrimaryKeyConstraint("organisation", "expires_on", "mark", name=op.f("pk_filing_warning")),
    )
    _indexes("activity", "organisation")
    _read_names()


def _read_names() -> None:
    """Read from the log under what names units went, since when; a closed one has an empty name."""
    connection = op.get_bind()
    asked = sa.text('SELECT body FROM entry WHERE "index" >= :start AND "index" < :stop ORDER BY "index"')
    size = connection.execute(sa.text('SELECT coalesce(max("index") + 1, 0) FROM entry')).scalar_one()
    said = sa.text("INSERT INTO filing_unit_name (entry_index, station, name, valid_from) VALUES (:index, :station, :name, :valid_from)")
    last: dict[str, str] = {}
    for start in range(0, size, 5_000):
        for (raw,) in connection.execute(asked, {"start": start, "stop": start + 5_000}).all():
            if b'"kind":"station.' not in bytes(raw):
                continue
            entry = json.loads(bytes(raw))
            body = entry["body"]
            if entry["kind"] not in ("station.registered", "station.changed") or not body.keys() & {"name", "closed"}:
                continue
            station = body["station"]
            known = body.get("name", last.get(station, ""))
            last[station] = known
            name = "" if body.get("closed") else known
            connection.execute(said, {"index": entry["index"], "station": station, "name": name, "valid_from": body["valid_from"]})


def downgrade() -> None:
    op.drop_index(op.f("ix_activity_organisation"), "activity")
    for name in ("filing_warning", "filing_draft", "filing_unit_name", "filing_standing", "filing_application"):
        op.drop_table(name)
