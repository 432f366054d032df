"""Certificates of service: the register, and the papers as issued, sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "certificate",
        sa.Column("entry_index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("number", "series")),
        sa.Column("serial", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("volunteer", "station", "issued_on")),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("period_from", "period_to")),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("grades", "records")),
        sa.Column("tree_size", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("paper", "code", "issued_by", "issued_at")),
        sa.Column("revoked_index", sa.BigInteger(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("revoked_by", "revoked_at", "revoked_reason")),
        sa.PrimaryKeyConstraint("entry_index", name=op.f("pk_certificate")),
        sa.UniqueConstraint("number", name=op.f("uq_certificate_number")),
    )
    for column in ("volunteer", "code"):
        op.create_index(op.f(f"ix_certificate_{column}"), "certificate", [column], unique=False)
    op.create_index("uq_certificate_series_serial", "certificate", ["series", "serial"], unique=True)
    op.create_index("ix_certificate_station_issued_on", "certificate", ["station", "issued_on"], unique=False)
    op.create_table(
        "certificate_paper",
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("volunteer", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("certificate", name=op.f("pk_certificate_paper")),
    )
    op.create_index(op.f("ix_certificate_paper_volunteer"), "certificate_paper", ["volunteer"], unique=False)


def downgrade() -> None:
    for table in ("certificate_paper", "certificate"):
        op.drop_table(table)
