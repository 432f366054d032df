"""Statements spelt once for all engines of a test process.

Nearly every test opens a database of its own, and SQLAlchemy keeps what it has compiled with the engine: the same few hundred statements would be
compiled anew for each test, which takes longer than most of them. Here the engines of one kind of database keep it together. The texts are the
same: a statement's own key says all that it depends on, but for the dialect, and those of one kind talk to one server.
"""

from sqlalchemy import Engine, event
from sqlalchemy.util import LRUCache

KEPT = 1_000


class Spelt:
    """What is compiled, by the dialect's kind in place of one engine's own object: what SQLAlchemy asks of such a store."""

    def __init__(self) -> None:
        self._kept: LRUCache = LRUCache(KEPT)

    def get(self, key):
        return self._kept.get((type(key[0]), *key[1:]))

    def __setitem__(self, key, compiled):
        self._kept[(type(key[0]), *key[1:])] = compiled


_spelt = Spelt()


@event.listens_for(Engine, "engine_connect")
def share(connection) -> None:
    if "compiled_cache" not in connection.get_execution_options():
        connection.execution_options(compiled_cache=_spelt)
