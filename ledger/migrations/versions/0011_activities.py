"""Activities planned and closed, signing in and out."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_SAID = (
    *("theme", "breaks", "head_counts", "responsible_account", "responsible_volunteer", "major"),
    *("reported_on", "declared", "recurrence", "ended_as", "ended_reason"),
)


def upgrade() -> None:
    for name in _SAID:
        op.add_column("activity", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("activity", sa.Column("places", sa.Integer(), nullable=True))
    op.add_column("activity", sa.Column("attended", sa.Integer(), nullable=True))
    op.add_column("activity", sa.Column("ended_by", sa.BigInteger(), nullable=True))
    op.create_table(
        "plan",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("saved_by", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
    )
    op.create_index(op.f("ix_plan_station"), "plan", ["station"], unique=False)
    op.create_table(
        "desk",
        sa.Column("activity", sa.Text(), nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("planned_end", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.Text(), nullable=True),
        sa.Column("batch", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("activity", name=op.f("pk_desk")),
    )
    op.create_index(op.f("ix_desk_closed_at"), "desk", ["closed_at"], unique=False)
    op.create_table(
        "presence",
        sa.Column("activity", sa.Text(), nullable=False),
        sa.Column("volunteer", sa.Text(), nullable=False),
        sa.Column("pair", sa.Integer(), nullable=False),
        sa.Column("came_at", sa.Text(), nullable=False),
        sa.Column("came_by", sa.Text(), nullable=False),
        sa.Column("left_at", sa.Text(), nullable=True),
        sa.Column("left_by", sa.Text(), nullable=True),
        sa.Column("entry_index", sa.BigInteger(), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("activity", "volunteer", "pair", name=op.f("pk_presence")),
    )
    op.create_index(op.f("ix_presence_entry_index"), "presence", ["entry_index"], unique=False)
    op.create_table(
        "calendar",
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("station", name=op.f("pk_calendar")),
    )


def downgrade() -> None:
    for name in ("calendar", "presence", "desk", "plan"):
        op.drop_table(name)
    with op.batch_alter_table("activity") as batch:
        for name in ("ended_by", "attended", "places", *reversed(_SAID)):
            batch.drop_column(name)
