"""The schema that migrations make is the schema that the code knows, on both engines."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, select
from sqlmodel import SQLModel

from ledger import migrating, tables
from ledger.database import open_engine
from ledger.tables import table


@pytest.fixture
def engine(database_url):
    migrating.upgrade(database_url)
    opened = open_engine(database_url)
    yield opened
    opened.dispose()


def test_a_fresh_database_is_what_the_tables_say(engine):
    assert tables.LOG
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, SQLModel.metadata) == []
        found = inspect(connection)
        assert set(found.get_table_names()) == {*SQLModel.metadata.tables, "alembic_version"}
        for name, table in SQLModel.metadata.tables.items():
            assert found.get_pk_constraint(name)["constrained_columns"] == [column.name for column in table.primary_key]


def test_upgrading_again_changes_nothing(engine, database_url):
    before = schema(engine)
    migrating.upgrade(database_url)
    assert schema(engine) == before


def schema(engine):
    """Tables, columns, indexes and triggers, as the engine tells them."""
    with engine.connect() as connection:
        found = inspect(connection)
        names = sorted(found.get_table_names())
        made = [
            (
                name,
                [(column["name"], str(column["type"])) for column in found.get_columns(name)],
                [i["name"] for i in found.get_indexes(name)],
            )
            for name in names
        ]
        asked = (
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
            if engine.dialect.name == "sqlite"
            else "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname, tgrelid"
        )
        triggers = [tuple(row) for row in connection.exec_driver_sql(asked)]
    assert len(triggers) >= 12
    return made, triggers


def test_a_database_knows_its_version(engine):
    with engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == migrating.newest_revision()


def test_volunteers_of_an_older_store_are_at_home_where_they_were_and_known_by_who_registered_them(database_url):
    migrating.upgrade(database_url, "0005")
    opened = open_engine(database_url)
    body = b'{"actor":"clerk-3","body":{},"index":0}'
    with opened.begin() as connection:
        entry = {"index": 0, "id": b"i" * 16, "leaf": b"l" * 32, "body": body}
        connection.execute(table(tables.EntryRow).insert(), [entry])
        told = {
            "number": "K7M2Q9X4R5",
            "station": "001",
            "registered_on": "2025-01-06",
            "basis": "roster",
            "identity": "x",
            "entry_index": 0,
        }
        names = ", ".join(told)
        connection.exec_driver_sql(f"INSERT INTO volunteer ({names}) VALUES ({', '.join(map(repr, told.values()))})")
    migrating.upgrade(database_url)
    with opened.connect() as connection:
        row = connection.execute(select(table(tables.VolunteerRow))).one()
    opened.dispose()
    assert (row.since_on, row.recorder, row.left_on, row.merged_into) == ("2025-01-06", "clerk-3", None, None)
