"""Who holds which role, by the log; sessions, second factors, linked identities; tries of several kinds.

The roles that accounts had before become proposals of the operator's, which `shouwang init` confirms by entries.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _make_projections()
    _make_tables()
    op.execute(
        "INSERT INTO role_proposal (id, account, role, station, proposed_by, proposed_at) "
        "SELECT id, id, role, station, 'operator', created_at FROM account WHERE role <> 'volunteer'"
    )
    op.drop_column("account", "role")
    op.drop_column("account", "station")
    op.add_column("account", sa.Column("code_expires_at", sa.Text(), nullable=True))
    op.drop_table("failed_sign_in")  # tries of the last day: they begin anew
    op.create_table(
        "failed_sign_in",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since_at", sa.Text(), nullable=False),
        sa.Column("last_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_failed_sign_in")),
    )


def _make_projections() -> None:
    op.create_table(
        "role_grant",
        sa.Column("entry_index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("station", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("entry_index", name=op.f("pk_role_grant")),
    )
    op.create_index(op.f("ix_role_grant_account"), "role_grant", ["account"], unique=False)
    op.create_table(
        "account_change",
        sa.Column("entry_index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("station", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("proposed_by", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entry_index", name=op.f("pk_account_change")),
    )
    op.create_index(op.f("ix_account_change_account"), "account_change", ["account"], unique=False)


def _make_tables() -> None:
    op.create_table(
        "role_proposal",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("station", sa.Text(), nullable=True),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_proposal")),
    )
    op.create_index(op.f("ix_role_proposal_account"), "role_proposal", ["account"], unique=False)
    op.create_table(
        "session",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("means", sa.Text(), nullable=False),
        sa.Column("waits_for", sa.Text(), nullable=False),
        sa.Column("browser", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.Text(), nullable=False),
        sa.Column("last_used_at", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_session")),
    )
    op.create_index(op.f("ix_session_account"), "session", ["account"], unique=False)
    op.create_table(
        "second_factor",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("confirmed_at", sa.Text(), nullable=True),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.Column("recovery", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_second_factor")),
    )
    op.create_table(
        "linked_identity",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("linked_by", sa.Text(), nullable=False),
        sa.Column("linked_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_linked_identity")),
    )
    op.create_index(op.f("ix_linked_identity_account"), "linked_identity", ["account"], unique=False)


def downgrade() -> None:
    for name in ("linked_identity", "second_factor", "session", "role_proposal", "account_change", "role_grant"):
        op.drop_table(name)
    op.add_column("account", sa.Column("role", sa.Text(), nullable=False, server_default="volunteer"))
    op.add_column("account", sa.Column("station", sa.Text(), nullable=True))
    op.drop_column("account", "code_expires_at")
    op.drop_column("failed_sign_in", "kind")
    op.drop_column("failed_sign_in", "since_at")
