"""Places asked for at activities, services that somebody says are missing; nothing of an erased person's phone in the projection."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_INDEX = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "sign_up",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("activity", "volunteer", "signed_up_at")),
        sa.PrimaryKeyConstraint("activity", "volunteer", name=op.f("pk_sign_up")),
    )
    op.create_index(op.f("ix_sign_up_volunteer"), "sign_up", ["volunteer"], unique=False)
    op.create_table(
        "omission",
        sa.Column("entry_index", _INDEX, autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("volunteer", "station", "served_on")),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("activity", "start", "end")),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("receipt_index", sa.BigInteger(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("receipt_hash", "receipt_state")),
        sa.Column("means", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Text(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("claimed_at", "actor")),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("finding", "reason", "decided_by", "decided_at")),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("decision", "service")),
        sa.PrimaryKeyConstraint("entry_index", name=op.f("pk_omission")),
    )
    for name in ("volunteer", "station", "finding"):
        op.create_index(op.f(f"ix_omission_{name}"), "omission", [name], unique=False)
    op.execute(
        "UPDATE volunteer SET contact = NULL, guardian = NULL "
        "WHERE EXISTS (SELECT 1 FROM erasure WHERE subject = 'person/' || volunteer.number AND state = 'erased')"
    )


def downgrade() -> None:
    for name in ("omission", "sign_up"):
        op.drop_table(name)
