"""Tasks that units were given."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "task",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("id", "station", "title", "basis", "due_on", "assigned_on", "assigned_by")
        ),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("detail", "done_on", "result", "dropped_reason")),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("closed_by", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    op.create_index(op.f("ix_task_station"), "task", ["station"], unique=False)


def downgrade() -> None:
    op.drop_table("task")
