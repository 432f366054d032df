"""
The schema's history: Alembic migrations inside the package, run by `shouwang init`, never at import.

Entries are never migrated: old kinds and versions decode for ever. Projections are migrated as tables and remade by `shouwang rebuild`.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory


def _config(url: str = "") -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = url
    return config


def upgrade(url: str) -> None:
    """Bring a database to the newest schema. Safe to repeat."""
    command.upgrade(_config(url), "head")


def newest_revision() -> str:
    """Name the schema version this code works with."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None, "the package ships its migrations"
    return revision
