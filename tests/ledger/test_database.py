"""Where SQLite sorts: on the disk while it is asked to, and in memory again."""

from ledger.database import open_engine, sorting_on_disk

FILE, MEMORY = 1, 2


def stored(connection):
    return connection.exec_driver_sql("PRAGMA temp_store").scalar()


def test_sqlite_sorts_on_the_disk_only_while_it_is_asked_to(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    with engine.connect() as connection, connection.begin():
        assert stored(connection) == MEMORY
        with sorting_on_disk(connection):
            assert stored(connection) == FILE
        assert stored(connection) == MEMORY
    engine.dispose()


def test_a_connection_that_looked_for_temporary_tables_sorts_in_memory(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    with engine.connect() as connection, connection.begin():
        connection.exec_driver_sql('PRAGMA temp.table_info("service")')
        with sorting_on_disk(connection):
            assert stored(connection) == MEMORY
    engine.dispose()
