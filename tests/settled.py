"""Worlds in which much was done before the test begins: done once in a test process on each engine, and copied for each test.

def grown(world): ...                   # builds

@pytest.fixture
def town(settled):
    return settled(grown)
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
from postgres import scratch_database
from sqlalchemy import make_url
from world import World

Build = Callable[[World], object]


def _built(build: Build, home: Path, url: str) -> World:
    town = World(home, url)
    build(town)
    town.close()
    return town


@pytest.fixture(scope="session")
def built_on_sqlite(tmp_path_factory) -> Callable[[Build], World]:
    """What was built in files, by what builds it."""

    @cache
    def built(build: Build) -> World:
        home = tmp_path_factory.mktemp("built")
        return _built(build, home, f"sqlite:///{home}/ledger.db")

    return built


@pytest.fixture(scope="session")
def built_on_postgres(tmp_path_factory, postgres_server, schema_template) -> Iterator[Callable[[Build], World]]:
    """What was built on the server, by what builds it."""
    with ExitStack() as databases:

        @cache
        def built(build: Build) -> World:
            url = databases.enter_context(scratch_database(postgres_server, schema_template))
            return _built(build, tmp_path_factory.mktemp("built"), url)

        yield built


@pytest.fixture(params=["sqlite", pytest.param("postgres", id="postgresql")])
def settled(request, tmp_path) -> Iterator[Callable[[Build], World]]:
    """Give a new world as *build(world)* leaves one, on each engine; at the end of the test all of it is checked."""
    given: list[World] = []
    built = request.getfixturevalue(f"built_on_{request.param}")
    copied = request.getfixturevalue("postgres_url") if request.param == "postgres" else None

    def give(build: Build) -> World:
        made, home = built(build), tmp_path / f"settled{len(given)}"
        url = copied(make_url(made.settings.database_url).database) if copied else f"sqlite:///{home}/ledger.db"
        given.append(made.copy(home, url))
        return given[-1]

    yield give
    for town in given:
        town.check()
        town.close()
