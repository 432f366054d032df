"""Records handed over to another system, and those that were asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "handover",
        sa.Column("entry_index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("station", "period_from", "period_to", "handed_on")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("people", "services", "trainings", "awards", "evaluations")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("sha256", "asked_by", "agreed_by", "reason")),
        sa.PrimaryKeyConstraint("entry_index", name=op.f("pk_handover")),
    )
    op.create_index(op.f("ix_handover_station"), "handover", ["station"], unique=False)
    op.create_table(
        "handover_request",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("id", "station", "period_from", "period_to")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("reason", "asked_by", "asked_at", "state")),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("decided_by", "decided_at", "ends_at")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover_request")),
    )
    op.create_index(op.f("ix_handover_request_station"), "handover_request", ["station"], unique=False)


def downgrade() -> None:
    for name in ("handover_request", "handover"):
        op.drop_table(name)
