"""Volunteers asked, moved, merged, withdrawn."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_NEW = ("since_on", "left_on", "left_as", "merged_into", "asked_again_on", "confirmed_by", "guardian", "recorder", "disowned")
_ALWAYS = ("since_on", "recorder")
_SAID = {"sqlite": "json_extract(CAST(body AS TEXT), '$.actor')", "postgresql": "convert_from(body, 'UTF8')::json ->> 'actor'"}


def upgrade() -> None:
    for name in _NEW:
        op.add_column("volunteer", sa.Column(name, sa.Text(), nullable=True))
    actor = _SAID[op.get_bind().dialect.name]
    by = f'(SELECT {actor} FROM entry WHERE "index" = volunteer.entry_index)'
    op.execute(f"UPDATE volunteer SET since_on = registered_on, asked_again_on = confirmed_on, recorder = {by}")
    with op.batch_alter_table("volunteer") as batch:
        for name in _ALWAYS:
            batch.alter_column(name, existing_type=sa.Text(), nullable=False)
    op.create_index(op.f("ix_volunteer_merged_into"), "volunteer", ["merged_into"], unique=False)
    op.create_index(op.f("ix_volunteer_left_as"), "volunteer", ["left_as"], unique=False)
    op.create_table(
        "past_home",
        sa.Column("entry_index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("volunteer", sa.Text(), nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("since_on", sa.Text(), nullable=False),
        sa.Column("until_on", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entry_index", name=op.f("pk_past_home")),
    )
    op.create_index(op.f("ix_past_home_volunteer"), "past_home", ["volunteer"], unique=False)
    op.create_table(
        "proposal",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("id", "kind", "volunteer", "station")),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("asked_by", "asked_at", "state")),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("decided_by", "decided_at", "remark")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal")),
    )
    op.create_index(op.f("ix_proposal_volunteer"), "proposal", ["volunteer"], unique=False)
    op.create_index(op.f("ix_proposal_station"), "proposal", ["station"], unique=False)
    op.create_table(
        "handed_code",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("volunteer", "account", "handed_at")),
        sa.PrimaryKeyConstraint("volunteer", name=op.f("pk_handed_code")),
    )


def downgrade() -> None:
    for name in ("handed_code", "proposal", "past_home"):
        op.drop_table(name)
    with op.batch_alter_table("volunteer") as batch:
        batch.drop_index(op.f("ix_volunteer_merged_into"))
        batch.drop_index(op.f("ix_volunteer_left_as"))
        for name in _NEW:
            batch.drop_column(name)
