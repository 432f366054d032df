"""What units hand in when it falls due."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "duty_paper",
        sa.Column("entry_index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("duty", "station")),
        sa.Column("organisation", sa.Text(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("period", "handed_on", "said")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("actor", "recorded_at")),
        sa.Column("replaced_by", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("entry_index", name=op.f("pk_duty_paper")),
    )
    op.create_index("ix_duty_paper_station_duty_period", "duty_paper", ["station", "duty", "period"], unique=False)


def downgrade() -> None:
    op.drop_table("duty_paper")
