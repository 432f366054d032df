"""The log, its projections, people and accounts; and triggers by which the log only grows."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("station", sa.Text(), nullable=True),
        sa.Column("volunteer", sa.Text(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("must_change", sa.Integer(), nullable=False),
        sa.Column("session_epoch", sa.Integer(), nullable=False),
        sa.Column("disabled", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("login", name=op.f("uq_account_login")),
        sa.UniqueConstraint("volunteer", name=op.f("uq_account_volunteer")),
    )
    op.create_table(
        "activity",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=True),
        sa.Column("responsible_unit", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("start", sa.Text(), nullable=True),
        sa.Column("end", sa.Text(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("beneficiaries", sa.Text(), nullable=False),
        sa.Column("services", sa.Text(), nullable=False),
        sa.Column("migrated_year", sa.Integer(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("recorder", sa.Text(), nullable=False),
        sa.Column("entry_index", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity")),
    )
    op.create_index("ix_activity_station_start", "activity", ["station", "start"], unique=False)

    op.create_table(
        "batch",
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_batch")),
    )
    op.create_table(
        "blind_index",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "subject", name=op.f("pk_blind_index")),
    )
    op.create_index(
        "uq_blind_index_id_number",
        "blind_index",
        ["digest"],
        unique=True,
        sqlite_where=sa.text("field = 'id_number'"),
        postgresql_where=sa.text("field = 'id_number'"),
    )

    op.create_table(
        "chain",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("leaf", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_chain")),
    )
    op.create_table(
        "checkpoint",
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_checkpoint")),
    )
    op.create_table(
        "entry",
        sa.Column("index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("index", name=op.f("pk_entry")),
        sa.UniqueConstraint("id", name=op.f("uq_entry_id")),
    )
    op.create_table(
        "failed_sign_in",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_failed_sign_in")),
    )
    op.create_table(
        "job_run",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("business_date", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("finished_at", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("remark", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("job", "business_date", name=op.f("pk_job_run")),
    )
    op.create_table(
        "organisation",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("volunteer_organisation", sa.Integer(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("expires_on", sa.Text(), nullable=True),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.Column("entry_index", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
    )
    op.create_index(op.f("ix_organisation_name"), "organisation", ["name"], unique=False)
    op.create_index(op.f("ix_organisation_number"), "organisation", ["number"], unique=False)
    op.create_index(op.f("ix_organisation_station"), "organisation", ["station"], unique=False)

    op.create_table(
        "parked",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("activity", sa.Text(), nullable=False),
        sa.Column("source_sha256", sa.Text(), nullable=False),
        sa.Column("source_row", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("parked_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parked")),
    )
    op.create_index(op.f("ix_parked_digest"), "parked", ["digest"], unique=False)
    op.create_index(op.f("ix_parked_station"), "parked", ["station"], unique=False)

    op.create_table(
        "person",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("identity", sa.LargeBinary(), nullable=True),
        sa.Column("contact", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_person")),
    )
    op.create_table(
        "policy",
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("effective_on", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("entry_index", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("policy", "effective_on", name=op.f("pk_policy")),
    )
    op.create_table(
        "population",
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("counted_on", sa.Text(), nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("entry_index", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("station", "counted_on", name=op.f("pk_population")),
    )
    op.create_table(
        "published_rate",
        sa.Column("entry_index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("period_from", sa.Text(), nullable=False),
        sa.Column("period_to", sa.Text(), nullable=False),
        sa.Column("counted_on", sa.Text(), nullable=False),
        sa.Column("tree_size", sa.BigInteger(), nullable=False),
        sa.Column("population", sa.BigInteger(), nullable=False),
        sa.Column("registered", sa.BigInteger(), nullable=False),
        sa.Column("confirmed", sa.BigInteger(), nullable=False),
        sa.Column("participants", sa.BigInteger(), nullable=False),
        sa.Column("backbone", sa.BigInteger(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entry_index", name=op.f("pk_published_rate")),
    )
    op.create_index("ix_published_rate_station_period", "published_rate", ["station", "period_from", "period_to"], unique=False)

    op.create_table(
        "service",
        sa.Column("entry_index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("volunteer", sa.Text(), nullable=False),
        sa.Column("activity", sa.Text(), nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=True),
        sa.Column("served_on", sa.Text(), nullable=False),
        sa.Column("start", sa.Text(), nullable=False),
        sa.Column("end", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("break_minutes", sa.Integer(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("batch", sa.Text(), nullable=False),
        sa.Column("source_sha256", sa.Text(), nullable=True),
        sa.Column("source_row", sa.Integer(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("effective_on", sa.Text(), nullable=True),
        sa.Column("recorder", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.Integer(), nullable=True),
        sa.Column("corrected_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("entry_index", name=op.f("pk_service")),
    )
    op.create_index(op.f("ix_service_activity"), "service", ["activity"], unique=False)
    op.create_index(op.f("ix_service_batch"), "service", ["batch"], unique=False)
    op.create_index("ix_service_station_status", "service", ["station", "status"], unique=False)
    op.create_index("ix_service_volunteer_start", "service", ["volunteer", "start"], unique=False)

    op.create_table(
        "station",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("area_type", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Text(), nullable=False),
        sa.Column("closed_on", sa.Text(), nullable=True),
        sa.Column("entry_index", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_station")),
    )
    op.create_index(op.f("ix_station_parent"), "station", ["parent"], unique=False)

    op.create_table(
        "tile",
        sa.Column("level", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "index", name=op.f("pk_tile")),
        sqlite_with_rowid=False,  # INSERT OR REPLACE by a row number would take the place of another tile unseen
    )
    op.create_table(
        "upload",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("outcome", sa.LargeBinary(), nullable=True),
        sa.Column("uploaded_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
    )
    op.create_index(op.f("ix_upload_account"), "upload", ["account"], unique=False)

    op.create_table(
        "volunteer",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("registered_on", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("confirmed_on", sa.Text(), nullable=True),
        sa.Column("backbone_on", sa.Text(), nullable=True),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.Column("entry_index", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_volunteer")),
    )
    op.create_index(op.f("ix_volunteer_station"), "volunteer", ["station"], unique=False)

    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Refuse: a log is never taken back."""
    raise RuntimeError("the first schema holds the log and cannot be downgraded")


_REFUSAL = "the log only grows: mend a mistake with a new entry"
_LOG = ("entry", "tile", "batch", "checkpoint")

# On SQLite, INSERT OR REPLACE deletes the row it conflicts with without firing delete triggers: so the insert itself must be refused
# unless it is the very next row, and for entry unless its id is new.
_NEXT = {
    "entry": """NEW."index" IS NOT (SELECT coalesce(max("index") + 1, 0) FROM entry) OR EXISTS (SELECT 1 FROM entry WHERE id = NEW.id)""",
    "tile": """NEW."index" IS NOT (SELECT coalesce(max("index") + 1, 0) FROM tile WHERE level = NEW.level)""",
    "batch": """NEW.size IS NOT (SELECT max("index") + 1 FROM entry) OR NEW.size <= (SELECT max(size) FROM batch)""",
    "checkpoint": """NEW.size NOT IN (SELECT size FROM batch) OR NEW.size <= (SELECT max(size) FROM checkpoint)""",
}
_SQLITE = [
    *(
        f"CREATE TRIGGER {name}_refuses_{act.lower()} BEFORE {act} ON {name} BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        for name in _LOG
        for act in ("UPDATE", "DELETE")
    ),
    *(
        f"CREATE TRIGGER {name}_in_order BEFORE INSERT ON {name} WHEN {out_of_order} BEGIN SELECT RAISE(ABORT, '{name}: out of order'); END"
        for name, out_of_order in _NEXT.items()
    ),
]

# PostgreSQL checks order once a statement, over the rows it added.
_IN_ORDER = {
    "entry": """(SELECT max("index") - min("index") + 1 <> count(*) OR min("index") <>
        coalesce((SELECT max(e."index") + 1 FROM entry e WHERE e."index" < (SELECT min("index") FROM added)), 0)
        OR max("index") <> (SELECT max("index") FROM entry) FROM added)""",
    "tile": """EXISTS (SELECT 1 FROM added a WHERE a."index" <> 0
        AND NOT EXISTS (SELECT 1 FROM tile t WHERE t.level = a.level AND t."index" = a."index" - 1))""",
    "batch": """EXISTS (SELECT 1 FROM added a WHERE a.size <> (SELECT max("index") + 1 FROM entry))""",
    "checkpoint": """EXISTS (SELECT 1 FROM added a WHERE a.size NOT IN (SELECT size FROM batch)
        OR a.size <> (SELECT max(size) FROM checkpoint))""",
}
_POSTGRESQL = [
    "ALTER TABLE tile ALTER hashes SET STORAGE EXTERNAL",
    f"""CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$""",
    *(
        f"CREATE TRIGGER {name}_refuses_change BEFORE UPDATE OR DELETE ON {name} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        for name in _LOG
    ),
    *(f"CREATE TRIGGER {name}_refuses_truncate BEFORE TRUNCATE ON {name} EXECUTE FUNCTION refuse_change()" for name in _LOG),
    *(
        f"""CREATE FUNCTION {name}_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF EXISTS (SELECT 1 FROM added) AND {out_of_order} THEN RAISE EXCEPTION '{name}: out of order'; END IF; RETURN NULL; END $$"""
        for name, out_of_order in _IN_ORDER.items()
    ),
    *(
        f"CREATE TRIGGER {name}_in_order AFTER INSERT ON {name} REFERENCING NEW TABLE AS added "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {name}_in_order()"
        for name in _IN_ORDER
    ),
]
