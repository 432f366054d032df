"""The credit record beside services: training, evaluations, awards, conduct, organisations' lists, points given up; proposals about all of it."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def _texts(names: str, *, nullable: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names.split()]


def _entries(names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.BigInteger(), nullable=True) for name in names.split()]


def _lifted() -> list[sa.Column[Any]]:
    return [*_entries("lifted_index"), *_texts("lifted_on lifted_ground lifted_reason", nullable=True)]


def _table(name: str, indexed: str, *columns: sa.Column[Any], also: str = "") -> None:
    """Create a table of entries with an index on each of some columns. also: another column of the key."""
    key = sa.Column("entry_index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False)
    op.create_table(name, key, *columns, sa.PrimaryKeyConstraint("entry_index", *also.split(), name=op.f(f"pk_{name}")))
    for column in indexed.split():
        op.create_index(op.f(f"ix_{name}_{column}"), name, [column], unique=False)


def upgrade() -> None:
    _table(
        "training",
        "volunteer station",
        *_texts("volunteer station title content"),
        sa.Column("minutes", sa.Integer(), nullable=False),
        *_texts("organiser trained_on recorder"),
        *_texts("voided_by voided_reason", nullable=True),
        also="volunteer",
    )
    _table(
        "evaluation",
        "volunteer activity",
        *_texts("volunteer station activity"),
        *_entries("service"),
        *_texts("organisation", nullable=True),
        *_texts("quality by evaluated_on recorder recorded_at"),
        *_texts("remark voided_by voided_reason", nullable=True),
    )
    _table(
        "award",
        "volunteer organisation selection",
        *_texts("volunteer organisation", nullable=True),
        *_texts("station title unit level granted_on"),
        *_texts("evidence selection", nullable=True),
        *_entries("rank"),
        *_texts("asked_by", nullable=True),
        *_texts("granted_by"),
        *_texts("withdrawn_by withdrawn_reason", nullable=True),
    )
    op.create_index("ix_award_station_granted_on", "award", ["station", "granted_on"], unique=False)
    _table(
        "conduct",
        "volunteer organisation station",
        *_texts("volunteer organisation", nullable=True),
        *_texts("station item sense occurred_on"),
        *_texts("basis", nullable=True),
        *_texts("reason"),
        *_texts("expires_on", nullable=True),
        *_texts("effects services"),
        *_entries("points"),
        *_texts("asked_by decided_by"),
        *_lifted(),
    )
    _table(
        "appraisal",
        "organisation",
        *_texts("organisation station appraiser name grade opinion appraised_on recorder"),
    )
    _table(
        "organisation_note",
        "organisation station",
        *_texts("organisation station list basis reason noted_on"),
        *_texts("mend_by", nullable=True),
        *_texts("asked_by decided_by"),
        *_lifted(),
    )
    _table(
        "points_spent",
        "volunteer",
        *_texts("volunteer station policy"),
        sa.Column("points", sa.BigInteger(), nullable=False),
        *_texts("purpose spent_on recorder"),
    )
    with op.batch_alter_table("proposal") as proposal:
        proposal.alter_column("volunteer", existing_type=sa.Text(), nullable=True)
        proposal.add_column(sa.Column("organisation", sa.Text(), nullable=True))
    op.create_index(op.f("ix_proposal_organisation"), "proposal", ["organisation"], unique=False)
    op.create_table(
        "proposal_paper",
        *_texts("proposal"),
        *_texts("volunteer organisation", nullable=True),
        *_texts("media_type sha256"),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("proposal", name=op.f("pk_proposal_paper")),
    )
    op.create_index(op.f("ix_proposal_paper_volunteer"), "proposal_paper", ["volunteer"], unique=False)


def downgrade() -> None:
    op.drop_table("proposal_paper")
    op.execute("DELETE FROM proposal WHERE volunteer IS NULL")
    op.drop_index(op.f("ix_proposal_organisation"), "proposal")
    with op.batch_alter_table("proposal") as proposal:
        proposal.drop_column("organisation")
        proposal.alter_column("volunteer", existing_type=sa.Text(), nullable=False)
    for name in ("points_spent", "organisation_note", "appraisal", "conduct", "award", "evaluation", "training"):
        op.drop_table(name)
