"""Making one step of a write fail: before it was done, or after it was done and nobody told.

Statements and COMMIT are caught on their way through the engine; the ledger's own code is not touched.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

STATEMENTS = {
    "lock": ("BEGIN IMMEDIATE", "SELECT pg_advisory_xact_lock"),
    "savepoint": ("SAVEPOINT",),
    "entries": ('INSERT INTO "entry"',),
    "projections": ('INSERT INTO "service"',),
    "tiles": ('INSERT INTO "tile"',),
    "chains": ('INSERT INTO "chain"',),
    "batch": ('INSERT INTO "batch"',),
}
STEPS = [*STATEMENTS, "commit"]


@contextmanager
def failing(engine: Engine, step: str, *, done: bool) -> Iterator[None]:
    """Make a step fail the first time that it is reached; with *done*, when all of it was done. "commit" is that of a batch. It must be reached."""
    reached: list[str] = []

    def strike(at: str) -> None:
        reached.append(at)
        if at == step and reached.count(step) == 1:
            raise OperationalError(step, None, OSError("disk I/O error"))

    def statement(_connection, _cursor, text, *_rest) -> None:
        for name, beginnings in STATEMENTS.items():
            if text.startswith(beginnings):
                strike(name)

    def commit(connection) -> None:
        if step == "commit" and "batch" in reached and "commit" not in reached:
            if done:
                connection.connection.driver_connection.execute("COMMIT")
            strike("commit")

    statements = "after_cursor_execute" if done else "before_cursor_execute"
    event.listen(engine, statements, statement)
    event.listen(engine, "commit", commit)
    try:
        yield
    finally:
        event.remove(engine, statements, statement)
        event.remove(engine, "commit", commit)
    assert step in reached, f"{step} was never reached"
