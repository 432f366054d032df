"""Yearly selections: projections with the frozen records and people; drafts of rules, proposals, sealed salts and words."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def _texts(*names: str, null: bool = False) -> Sequence[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=null) for name in names]


def _bigs(*names: str, null: bool = False) -> Sequence[sa.Column[Any]]:
    return [sa.Column(name, sa.BigInteger(), nullable=null) for name in names]


def _key(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False)


def upgrade() -> None:
    op.create_table(
        "selection",
        *_texts("id"),
        *_bigs("entry_index"),
        *_texts("station", "subject"),
        sa.Column("year", sa.Integer(), nullable=False),
        *_texts("rules", "rules_sha256", "period_from", "period_to"),
        *_bigs("tree_size"),
        *_texts("root", "counted_on", "seats"),
        *_texts("random_source", "replaces", "replaced_by", null=True),
        *_texts("opened_by", "opened_at"),
        *_bigs("drawn_index", null=True),
        *_texts("drawn_value", "drawn_on", "drawn_by", null=True),
        *_bigs("published_index", null=True),
        *_texts("list", "rows", "published_from", "published_until", "published_by", null=True),
        *_bigs("sealed_index", null=True),
        *_texts("sealed_list", null=True),
        sa.Column("chosen", sa.Integer(), nullable=True),
        *_texts("asked_by", "sealed_by", "sealed_at", "board_minutes", null=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_selection")),
    )
    op.create_index(op.f("ix_selection_station"), "selection", ["station"], unique=False)
    op.create_table(
        "selection_record",
        *_texts("selection", "subject", "served_on"),
        *_bigs("service", "since"),
        *_bigs("until", null=True),
        *_texts("person", "activity"),
        *_texts("series", null=True),
        *_texts("start", "end"),
        sa.Column("minutes", sa.Integer(), nullable=False),
        *_texts("grade", "recorder", "recorded_at"),
        *_texts("out", null=True),
        sa.PrimaryKeyConstraint("selection", "subject", "served_on", "service", "since", name=op.f("pk_selection_record")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "selection_candidate",
        *_texts("selection", "subject", "station", "registered_on"),
        *_texts("confirmed_on", "left_on", "facts", null=True),
        sa.PrimaryKeyConstraint("selection", "subject", name=op.f("pk_selection_candidate")),
    )
    op.create_table(
        "selection_doubt",
        _key("entry_index"),
        *_texts("selection"),
        *_bigs("service"),
        *_texts("finding", "reason", "asked_by", "decided_by", "decided_at"),
        sa.PrimaryKeyConstraint("entry_index", name=op.f("pk_selection_doubt")),
    )
    op.create_table(
        "selection_objection",
        _key("entry_index"),
        *_texts("selection", "station", "ground", "means"),
        sa.Column("row", sa.Integer(), nullable=True),
        *_texts("volunteer", "due_on", null=True),
        *_texts("contested_at", "actor"),
        *_bigs("decision", null=True),
        *_texts("finding", "reason", "effect", "decided_by", "decided_at", null=True),
        sa.PrimaryKeyConstraint("entry_index", name=op.f("pk_selection_objection")),
    )
    for table in ("selection_doubt", "selection_objection"):
        op.create_index(op.f(f"ix_{table}_selection"), table, ["selection"], unique=False)
    op.create_table(
        "selection_draft",
        *_texts("id"),
        sa.Column("version", sa.Integer(), nullable=False),
        *_texts("station"),
        sa.Column("year", sa.Integer(), nullable=False),
        *_texts("rules"),
        *_texts("random_source", "replaces", null=True),
        *_texts("saved_by", "saved_at"),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_selection_draft")),
    )
    op.create_index(op.f("ix_selection_draft_station"), "selection_draft", ["station"], unique=False)
    op.create_table(
        "selection_proposal",
        *_texts("selection"),
        *_bigs("service"),
        *_texts("finding", "reason", "asked_by", "asked_at"),
        sa.PrimaryKeyConstraint("selection", "service", name=op.f("pk_selection_proposal")),
    )
    op.create_table(
        "selection_line",
        *_texts("selection"),
        sa.Column("row", sa.Integer(), nullable=False),
        *_texts("subject", "station"),
        *_bigs("minutes"),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("selection", "row", name=op.f("pk_selection_line")),
    )
    op.create_index(op.f("ix_selection_line_subject"), "selection_line", ["subject"], unique=False)
    op.create_table(
        "selection_words",
        _key("objection"),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("objection", name=op.f("pk_selection_words")),
    )


def downgrade() -> None:
    for suffix in ("words", "line", "proposal", "draft", "objection", "doubt", "candidate", "record"):
        op.drop_table(f"selection_{suffix}")
    op.drop_table("selection")
