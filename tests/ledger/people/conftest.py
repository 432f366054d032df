"""A street with two stations, for what happens to its people."""

import pytest
from world import HOME, OTHER


@pytest.fixture
def street(world):
    world.station(HOME, population=100)
    world.station(OTHER, population=100)
    return world
