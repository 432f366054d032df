"""Days of work, second signatures, objections."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_INDEX = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NEW: dict[str, sa.types.TypeEngine[Any]] = {
    "second": sa.Text(),
    "approved_by": sa.Text(),
    "contested_by": sa.BigInteger(),
    "frozen": sa.Integer(),
}


def upgrade() -> None:
    for name, kind in _NEW.items():
        op.add_column("service", sa.Column(name, kind, nullable=True))
    _say_who_approved()
    op.execute("UPDATE service SET frozen = 0")
    with op.batch_alter_table("service") as batch:
        batch.alter_column("frozen", existing_type=sa.Integer(), nullable=False)
    op.create_table(
        "objection",
        sa.Column("entry_index", _INDEX, autoincrement=False, nullable=False),
        sa.Column("service", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("station", "claim")),
        sa.Column("due_on", sa.Text(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("contested_at", "actor")),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("finding", "reason", "decided_by", "decided_at")),
        sa.Column("decision", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("entry_index", name=op.f("pk_objection")),
    )
    for name in ("service", "station", "finding"):
        op.create_index(op.f(f"ix_objection_{name}"), "objection", [name], unique=False)
    op.create_table(
        "objection_note",
        sa.Column("objection", _INDEX, autoincrement=False, nullable=False),
        sa.Column("volunteer", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("objection", name=op.f("pk_objection_note")),
    )
    op.create_index(op.f("ix_objection_note_volunteer"), "objection_note", ["volunteer"], unique=False)
    op.create_table(
        "second_signature",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("id", "station", "said", "reason", "asked_by", "asked_at", "state")),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("decided_by", "decided_at", "remark")),
        sa.Column("service", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_second_signature")),
    )
    op.create_index(op.f("ix_second_signature_station"), "second_signature", ["station"], unique=False)


def _say_who_approved() -> None:
    """Read from the log who approved each service: the newest approval is who."""
    connection = op.get_bind()
    asked = sa.text('SELECT body FROM entry WHERE "index" >= :start AND "index" < :stop ORDER BY "index"')
    size = connection.execute(sa.text('SELECT coalesce(max("index") + 1, 0) FROM entry')).scalar_one()
    said = sa.text("UPDATE service SET approved_by = :actor WHERE entry_index = :service")
    for start in range(0, size, 5_000):
        for (body,) in connection.execute(asked, {"start": start, "stop": start + 5_000}).all():
            if b'"kind":"service.approved"' in bytes(body):
                entry = json.loads(bytes(body))
                connection.execute(said, [{"actor": entry["actor"], "service": index} for index in entry["body"]["services"]])


def downgrade() -> None:
    for name in ("second_signature", "objection_note", "objection"):
        op.drop_table(name)
    with op.batch_alter_table("service") as batch:
        for name in _NEW:
            batch.drop_column(name)
