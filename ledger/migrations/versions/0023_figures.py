"""Figures that units hand in, and marks of organisations."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "figure",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("station", "figure", "counted_on")),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("station", "figure", "counted_on", name=op.f("pk_figure")),
    )
    op.create_table(
        "organisation_mark",
        sa.Column("entry_index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("organisation", "mark", "station", "since", "basis")),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("ended_on", "ended_reason")),
        sa.PrimaryKeyConstraint("entry_index", name=op.f("pk_organisation_mark")),
    )
    op.create_index("ix_organisation_mark_organisation", "organisation_mark", ["organisation"], unique=False)


def downgrade() -> None:
    for name in ("organisation_mark", "figure"):
        op.drop_table(name)
