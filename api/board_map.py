"""
The map of a board: a tile for each station below a unit, by street, each with its rate, a colour, and a mark that says the same without the colour.

A station is at its target (✓), near it (△: four fifths of it or more), or far from it (×); without anything to divide by it has no state (·).
"""

from dataclasses import dataclass

from api.board import Board, Tile, Unit

NEAR_PERCENT = 80
STATES = {"ok": ("✓", "达标"), "near": ("△", "接近目标"), "far": ("×", "差距较大"), "none": ("·", "算不出")}
"""In the order of a legend: the mark, and the word."""
_ENDINGS = ("社区社会服务站", "社会服务站", "社区居委会", "社会服务中心", "社区")


@dataclass(frozen=True)
class Square:
    """A station on the map: its tile of the rate that the map shows, and its state (a code of STATES)."""

    unit: Unit
    tile: Tile
    state: str

    @property
    def mark(self) -> str:
        """The mark that says the state without a colour."""
        return STATES[self.state][0]

    @property
    def word(self) -> str:
        """The state in a word."""
        return STATES[self.state][1]


@dataclass(frozen=True)
class Street:
    """The squares of the stations right below a unit. *unit*: that unit."""

    unit: Unit
    squares: list[Square]

    @property
    def reached(self) -> int:
        """How many of them are at their target."""
        return sum(square.state == "ok" for square in self.squares)


@dataclass(frozen=True)
class Map:
    """All streets of a unit, for one measure (a place in MEASURES); counts: how many stations are in each state."""

    measure: str
    streets: list[Street]

    @property
    def counts(self) -> dict[str, int]:
        """How many stations are in each state, in the order of STATES."""
        states = [square.state for street in self.streets for square in street.squares]
        return {state: states.count(state) for state in STATES}


def draw(board: Board, measure: str) -> Map:
    """Draw the map of a board's unit for a measure; empty for a unit with nothing below it."""
    at = next(place for place, tile in enumerate(board.unit.tiles) if tile.measure == measure) if board.unit else 0
    streets: dict[str, Street] = {}
    units = {unit.rate.code: unit for unit in board.units}
    for leaf in board.leaves:
        if leaf.rate.parent in units and leaf is not board.unit:
            street = streets.setdefault(leaf.rate.parent, Street(units[leaf.rate.parent], []))
            street.squares.append(Square(leaf, leaf.tiles[at], state_of(leaf.tiles[at])))
    return Map(measure, list(streets.values()))


def state_of(tile: Tile) -> str:
    """Tell how a rate stands to its target."""
    if tile.rate is None:
        return "none"
    if tile.reached:
        return "ok"
    return "near" if tile.numerator * 10_000 * 100 >= tile.target * tile.denominator * NEAR_PERCENT else "far"


def short(name: str) -> str:
    """Shorten a unit's name to what tells it from its neighbours: 梅山路社区社会服务站 is 梅山路."""
    ending = next((one for one in _ENDINGS if name.endswith(one) and name != one), "")
    return name.removesuffix(ending)
