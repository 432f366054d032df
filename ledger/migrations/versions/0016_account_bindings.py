"""Whose accounts are, in the log: what entries say of them, and the salts of what is committed to."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_binding",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=True),
        sa.Column("volunteer", sa.Text(), nullable=True),
        sa.Column("identity", sa.Text(), nullable=True),
        sa.Column("entry_index", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_account_binding")),
    )
    for table in ("account", "linked_identity"):
        op.add_column(table, sa.Column("salt", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    for table in ("account", "linked_identity"):
        with op.batch_alter_table(table) as batch:
            batch.drop_column("salt")
    op.drop_table("account_binding")
