"""What people are told: inboxes, wishes for messages, and how messages fared."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("told_at", sa.Text(), nullable=False),
        sa.Column("read_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index(op.f("ix_notice_told_at"), "notice", ["told_at"], unique=False)
    op.create_index("ix_notice_recipient_id", "notice", ["recipient", "id"], unique=False)
    op.create_index("ix_notice_recipient_read_at", "notice", ["recipient", "read_at"], unique=False)
    op.create_table(
        "message_wish",
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("recipient", name=op.f("pk_message_wish")),
    )
    op.create_table(
        "message",
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.Text(), nullable=True),
        sa.Column("claim", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("settled_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("notice", name=op.f("pk_message")),
    )
    op.create_index(op.f("ix_message_recipient"), "message", ["recipient"], unique=False)
    op.create_index("ix_message_state_next_attempt_at", "message", ["state", "next_attempt_at"], unique=False)


def downgrade() -> None:
    for table in ("message", "message_wish", "notice"):
        op.drop_table(table)
