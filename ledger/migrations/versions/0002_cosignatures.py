"""Witnesses' cosignatures, which only grow like the rest of the log; and how asking the witnesses went."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cosignature",
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("witness", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", "witness", name=op.f("pk_cosignature")),
        sqlite_with_rowid=False,  # as for tile
    )
    op.create_table(
        "witness_contact",
        sa.Column("witness", sa.Text(), nullable=False),
        sa.Column("succeeded_at", sa.Text(), nullable=True),
        sa.Column("failed_at", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("witness", name=op.f("pk_witness_contact")),
    )
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Refuse: a log is never taken back."""
    raise RuntimeError("cosignatures are part of the log and cannot be downgraded")


_REFUSAL = "the log only grows: mend a mistake with a new entry"
# INSERT OR REPLACE on SQLite fires no delete trigger: what is there is refused by the insert's own.
_SQLITE = [
    *(
        f"CREATE TRIGGER cosignature_refuses_{act.lower()} BEFORE {act} ON cosignature BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        for act in ("UPDATE", "DELETE")
    ),
    """CREATE TRIGGER cosignature_in_order BEFORE INSERT ON cosignature
        WHEN NEW.size NOT IN (SELECT size FROM checkpoint)
        OR EXISTS (SELECT 1 FROM cosignature WHERE size = NEW.size AND witness = NEW.witness)
        BEGIN SELECT RAISE(ABORT, 'cosignature: out of order'); END""",
]
_POSTGRESQL = [
    "CREATE TRIGGER cosignature_refuses_change BEFORE UPDATE OR DELETE ON cosignature FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER cosignature_refuses_truncate BEFORE TRUNCATE ON cosignature EXECUTE FUNCTION refuse_change()",
    """CREATE FUNCTION cosignature_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF EXISTS (SELECT 1 FROM added WHERE size NOT IN (SELECT size FROM checkpoint))
        THEN RAISE EXCEPTION 'cosignature: out of order'; END IF; RETURN NULL; END $$""",
    """CREATE TRIGGER cosignature_in_order AFTER INSERT ON cosignature REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION cosignature_in_order()""",
]
