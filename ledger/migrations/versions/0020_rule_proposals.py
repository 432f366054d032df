"""Rule sets of credit that wait for a second person."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rule_proposal",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("id", "policy", "said", "proposed_by", "proposed_at")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_proposal")),
    )
    op.create_index(op.f("ix_rule_proposal_policy"), "rule_proposal", ["policy"], unique=False)


def downgrade() -> None:
    op.drop_table("rule_proposal")
