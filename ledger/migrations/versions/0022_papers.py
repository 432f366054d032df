"""Places in the status lists of Verifiable Credentials, drawn at random, for certificates issued before as well; spot checks."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0020"
branch_labels = None
depends_on = None

_BITS = 131_072


def upgrade() -> None:
    status = op.create_table(
        "certificate_status",
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("list", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("certificate", name=op.f("pk_certificate_status")),
    )
    op.create_index("uq_certificate_status_list_place", "certificate_status", ["list", "place"], unique=True)
    op.create_table(
        "spot_check_announcement",
        sa.Column("entry_index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("available", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("digits", sa.Integer(), nullable=False),
        sa.Column("number_on", sa.Text(), nullable=False),
        sa.Column("tree_size", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("root", "units", "announced_by", "announced_at")),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("recorded_index", "withdrawn_index")),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("reason", "withdrawn_by", "withdrawn_at")),
        sa.PrimaryKeyConstraint("entry_index", name=op.f("pk_spot_check_announcement")),
    )
    op.create_index(op.f("ix_spot_check_announcement_station"), "spot_check_announcement", ["station"], unique=False)
    op.create_table(
        "spot_check",
        sa.Column("entry_index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("announced", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("station", "checked_on", "nonce")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("held", "wrong", "unclear")),
        sa.Column("remark", sa.Text(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("recorder", "recorded_at")),
        sa.PrimaryKeyConstraint("entry_index", name=op.f("pk_spot_check")),
    )
    op.create_index(op.f("ix_spot_check_station"), "spot_check", ["station"], unique=False)
    issued = op.get_bind().execute(sa.text("SELECT number FROM certificate ORDER BY entry_index")).scalars().all()
    half = _BITS // 2
    for first in range(0, len(issued), half):
        drawn = secrets.SystemRandom().sample(range(_BITS), min(half, len(issued) - first))
        rows = [
            {"certificate": number, "list": first // half + 1, "place": place}
            for number, place in zip(issued[first : first + half], drawn, strict=True)
        ]
        op.bulk_insert(status, rows)


def downgrade() -> None:
    for table in ("spot_check", "spot_check_announcement", "certificate_status"):
        op.drop_table(table)
