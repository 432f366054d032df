"""Figures that units hand in, marks of organisations, and what volunteers gave in a year; indexes by which rates are counted."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "figure",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("figure", "station", "counted_on")),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("figure", "station", "counted_on", name=op.f("pk_figure")),
    )
    op.create_index("ix_figure_station", "figure", ["station"], unique=False)
    op.create_table(
        "organisation_mark",
        sa.Column("entry_index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("organisation", "mark", "station", "since", "basis")),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("ended_on", "ended_reason")),
        sa.PrimaryKeyConstraint("entry_index", name=op.f("pk_organisation_mark")),
    )
    op.create_index("ix_organisation_mark_organisation", "organisation_mark", ["organisation"], unique=False)
    op.create_table(
        "year_served",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("year", "volunteer")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("records", "minutes")),
        sa.PrimaryKeyConstraint("year", "volunteer", name=op.f("pk_year_served")),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO year_served (year, volunteer, records, minutes) SELECT substr(served_on, 1, 4), volunteer, count(*), sum(minutes) "
        "FROM service WHERE status = 'approved' AND frozen = 0 GROUP BY 1, 2"
    )
    counting, waiting = ["effective_on", "volunteer", "served_on", "minutes", "status", "frozen"], sa.text("effective_on IS NOT NULL")
    op.create_index("ix_service_effective_on", "service", counting, unique=False, sqlite_where=waiting, postgresql_where=waiting)
    ahead = sa.text("effective_on < served_on")
    op.create_index("ix_service_ahead", "service", ["served_on"], unique=False, sqlite_where=ahead, postgresql_where=ahead)
    op.drop_index("ix_volunteer_station", "volunteer")
    counted = ["station", "since_on", "left_on", "left_as", "confirmed_on", "confirmed_by", "backbone_on"]
    op.create_index("ix_volunteer_counted", "volunteer", counted, unique=False)


def downgrade() -> None:
    op.drop_index("ix_volunteer_counted", "volunteer")
    op.create_index("ix_volunteer_station", "volunteer", ["station"], unique=False)
    for name in ("ix_service_ahead", "ix_service_effective_on"):
        op.drop_index(name, "service")
    for name in ("year_served", "organisation_mark", "figure"):
        op.drop_table(name)
