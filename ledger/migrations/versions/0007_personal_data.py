"""Whose data is erased or restricted, who asked for it, who looked at it in full; and a sealed part for a minor's guardian."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person", sa.Column("guardian", sa.LargeBinary(), nullable=True))
    op.create_table(
        "erasure",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("subject", "state", "station", "requested_on", "decided_on")),
        sa.Column("until", sa.Text(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("reason", "asked_by", "decided_by")),
        sa.Column("entry_index", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_erasure")),
    )
    op.create_table(
        "data_request",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("id", "volunteer", "station", "means", "reason", "asked_by", "asked_at", "state")
        ),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("decided_by", "decided_at", "reply")),
        sa.Column("entry_index", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_request")),
    )
    for column in ("volunteer", "station", "state"):
        op.create_index(op.f(f"ix_data_request_{column}"), "data_request", [column], unique=False)
    _make_reveals()


def _make_reveals() -> None:
    op.create_table(
        "reveal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("volunteer", "account", "role")),
        sa.Column("station", sa.Text(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("fields", "reason", "note", "revealed_at", "digest")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reveal")),
    )
    for column in ("volunteer", "account"):
        op.create_index(op.f(f"ix_reveal_{column}"), "reveal", [column], unique=False)
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Refuse: who looked at people's data is never forgotten."""
    raise RuntimeError("the log of reveals cannot be downgraded")


_REFUSAL = "the log only grows: mend a mistake with a new entry"
_SQLITE = [
    *(
        f"CREATE TRIGGER reveal_refuses_{act.lower()} BEFORE {act} ON reveal BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        for act in ("UPDATE", "DELETE")
    ),
    """CREATE TRIGGER reveal_in_order BEFORE INSERT ON reveal
        WHEN NEW.id <> (SELECT coalesce(max(id) + 1, 0) FROM reveal)
        BEGIN SELECT RAISE(ABORT, 'reveal: out of order'); END""",
]
_POSTGRESQL = [
    "CREATE TRIGGER reveal_refuses_change BEFORE UPDATE OR DELETE ON reveal FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER reveal_refuses_truncate BEFORE TRUNCATE ON reveal EXECUTE FUNCTION refuse_change()",
    """CREATE FUNCTION reveal_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF NEW.id <> (SELECT coalesce(max(id) + 1, 0) FROM reveal)
        THEN RAISE EXCEPTION 'reveal: out of order'; END IF; RETURN NEW; END $$""",
    "CREATE TRIGGER reveal_in_order BEFORE INSERT ON reveal FOR EACH ROW EXECUTE FUNCTION reveal_in_order()",
]
