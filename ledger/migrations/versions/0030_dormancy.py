"""Of which quiet organisations the desks were told."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dormancy_notice",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("organisation", "quiet_since", "told_at")),
        sa.PrimaryKeyConstraint("organisation", "quiet_since", name=op.f("pk_dormancy_notice")),
    )


def downgrade() -> None:
    op.drop_table("dormancy_notice")
