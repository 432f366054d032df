"""
The schema's history: Alembic migrations inside the package, run by `shouwang init`, never at import.

Entries are never migrated: old kinds and versions decode for ever. Projections are migrated as tables and remade by `shouwang rebuild`.
"""

from pathlib import Path

from sqlalchemy import Connection, NullPool, create_engine, inspect, text

_SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(url: str, revision: str = "head") -> None:
    """Bring a database to the newest schema, or to a version on the way. Safe to repeat, and cheap where nothing is to be done."""
    if revision == "head" and _stands_at(url) == newest_revision():
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["url"] = url
    command.upgrade(config, revision)


def _stands_at(url: str) -> str | None:
    with create_engine(url, poolclass=NullPool, hide_parameters=True).connect() as connection:
        return current_revision(connection)


def newest_revision() -> str:
    """Name the schema version this code works with: revisions are numbered, and a file's name begins with its number."""
    return max(_revisions())


def _revisions() -> set[str]:
    return {path.name[:4] for path in (_SCRIPTS / "versions").glob("[0-9]*.py")}


def current_revision(connection: Connection) -> str | None:
    """Read the schema version of a database; None when it has none yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return found


def knows(revision: str) -> bool:
    """Tell whether a schema version is one of this code's own, now or earlier; one of a newer program's is not."""
    return revision in _revisions()
