"""
The board: three rates of a unit and of the units below it, each against its target, with what is missing in people; their bar charts; the lag; the care.

Nothing is computed here that the ledger does not count: rates come from ledger.rates, targets from the policy in force on the counting day.
Lengths of bars are whole units of the drawing. What was counted is kept until the log grows (api/kept.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from api.kept import kept
from ledger import care, rates, trends
from ledger.care import Care
from ledger.errors import InvalidRequest, NotFound
from ledger.indicators import adoption
from ledger.indicators.measures import Count
from ledger.indicators.standings import Standing, evaluate
from ledger.log import tree_head
from ledger.policies import ServicePolicy, service_policy
from ledger.rates import StationRate
from ledger.service import lags
from ledger.service.lags import Lag
from ledger.shares import hundredths
from ledger.transactions import ReadTransaction

FIRST_YEAR = 2015
YEARS_OFFERED = 5
SORTS = {"code": "站点", "registration": "注册率", "participation": "参与率", "backbone": "骨干率", "minutes": "服务时长"}
SHOWN_MAX, LISTED_MAX = 400, 30
"""So many stations a board shows at once; of a larger tree, the units right below. A table by level lists all units below one up to the second number."""
MEASURES = {
    "registration": ("注册率", "注册志愿者", "常住人口"),
    "participation": ("参与率", "当年参加过服务的", "注册志愿者"),
    "backbone": ("骨干率", "志愿服务骨干", "注册志愿者"),
}
_OF = {
    "registration": ("registered", "population"),
    "participation": ("participants", "registered"),
    "backbone": ("backbone", "registered"),
}
BAR_WIDTH = 340
LINE_STEP, LINE_HEIGHT = 20, 60


@dataclass(frozen=True)
class Tile:
    """One rate: counts, hundredths of a percent (None: no denominator; below the target when it is missed), target in hundredths, people missing."""

    measure: str
    name: str
    of: str
    by: str
    numerator: int
    denominator: int
    rate: int | None
    target: int

    @property
    def missing(self) -> int:
        """How many more people the target takes: 0 when it is reached."""
        needed = -(-self.target * self.denominator // 10_000)
        return max(needed - self.numerator, 0)

    @property
    def reached(self) -> bool:
        """Whether the target is reached; never without a denominator."""
        return self.rate is not None and not self.missing


@dataclass(frozen=True)
class Unit:
    """A unit with its three tiles, in the order of MEASURES."""

    rate: StationRate
    tiles: list[Tile]
    depth: int


@dataclass(frozen=True)
class Bar:
    """One bar of a chart: its length, and where it begins from the top."""

    label: str
    tile: Tile
    length: int
    top: int


@dataclass(frozen=True)
class Chart:
    """A bar chart of one rate: the target's place on the same scale as the bars."""

    tile: Tile
    bars: list[Bar]
    target_at: int
    height: int


@dataclass(frozen=True)
class Line:
    """How one rate moved over twelve months: hundredths of a percent by month (None: nothing published, or no denominator), and as a drawing.

    path: moves over months without a word; target_at: where the target lies from the top; last: the newest point.
    """

    tile: Tile
    rates: list[int | None]
    path: str
    target_at: int
    last: tuple[int, int] | None


@dataclass(frozen=True)
class Board:
    """What the board shows of a unit.

    path: the units above it; units: it and all below it, parents first; leaves: those of them with none below; rows: what the table lists, as sorted;
    lag: how late they write things down (None where nobody served, or too many to say it of all together);
    care: what their activities were for; size: the tree size it was counted at.
    """

    year: int
    years: list[int]
    counted_on: str
    size: int
    unit: Unit | None
    path: list[StationRate]
    units: list[Unit]
    leaves: list[Unit]
    rows: list[Unit]
    charts: list[Chart]
    lag: Lag | None
    care: Care

    @property
    def large(self) -> bool:
        """Whether so many units are below that one median of all of them tells nothing (and takes all their records to find)."""
        return len(self.units) > SHOWN_MAX

    def own(self, count: str) -> int:
        """Give what of a unit's count belongs to no station below it: people registered at a centre itself, say."""
        if self.unit is None or self.leaves == [self.unit]:
            return 0
        mine: int = getattr(self.unit.rate, count)
        below: int = sum(getattr(leaf.rate, count) for leaf in self.leaves)
        return mine - below


@dataclass(frozen=True)
class Trend:
    """How a unit's rates moved, as they were published, and what should make somebody ask."""

    months: list[trends.Month]
    lines: list[Line]
    warnings: list[trends.DriveBy | trends.PopulationMoved]


def rates_of(tx: ReadTransaction, year: int) -> dict[str, StationRate]:
    """Give a year's counts of every unit, parents first."""
    return kept().get(tx, ("rates", year), lambda: {rate.code: rate for rate in rates.count(tx.connection, year, tx.today)})


def standings_of(tx: ReadTransaction, year: int) -> dict[str, list[Standing]]:
    """Give where every unit stands in a year's indicators, by the set in force on its counting day; parents first."""

    def count() -> dict[str, list[Standing]]:
        chosen = adoption.in_force(tx.connection, rates.counting_day(year, tx.today).isoformat())
        return evaluate(Count(tx.connection, year, tx.today, counted), chosen)

    counted = rates_of(tx, year)
    return kept().get(tx, ("indicators", year), count)


def show(tx: ReadTransaction, year: int, code: str | None, sort: str = "code", *, upwards: bool = False) -> Board:
    """Count a year's board for a unit (None: the whole tree). *upwards*: the least first. Raises NotFound for an unknown unit."""
    day = rates.counting_day(year, tx.today)
    policy = service_policy(tx.connection, day.isoformat())
    found = rates_of(tx, year)
    if code is not None and code not in found:
        raise NotFound(f"没有编码为 {code[:20]} 的站点")
    chosen = found[code] if code else next(iter(found.values()), None)
    if chosen is None:
        return Board(
            year, years_offered(tx.today), day.isoformat(), tree_head(tx.connection).size, None, [], [], [], [], [], None, Care({}, {}, 0)
        )
    units = kept().get(tx, ("units", year, chosen.code), lambda: _units(found, chosen, policy))
    above = {unit.rate.parent for unit in units}
    leaves = [unit for unit in units if unit.rate.code not in above]
    compared = [unit for unit in units if unit.rate.parent == chosen.code] or [units[0]]
    if len(leaves) > SHOWN_MAX:
        leaves = compared
    listed = [units[0], *compared] if len(units) > LISTED_MAX else units
    charts = [
        _chart(units[0].tiles[at], [(row, row.tiles[at]) for row in _sorted(compared, sort, upwards=upwards)])
        for at in range(len(MEASURES))
    ]
    codes = [unit.rate.code for unit in units]
    return Board(
        year,
        years_offered(tx.today),
        day.isoformat(),
        tree_head(tx.connection).size,
        units[0],
        path_to(found, chosen),
        units,
        leaves,
        listed if sort == "code" else _sorted(leaves, sort, upwards=upwards),
        charts,
        kept().get(tx, ("lag", year, chosen.code), lambda: lags.of(tx, codes, year)) if len(units) <= SHOWN_MAX else None,
        kept().get(tx, ("care", year), lambda: care.count(tx.connection, year, tx.today))[chosen.code],
    )


def trend(tx: ReadTransaction, board: Board) -> Trend:
    """Tell how the rates of a board's unit moved; nothing for years that are over."""
    if board.unit is None or board.year != tx.today.year:
        return Trend([], [], [])
    found = trends.of(tx.connection, board.unit.rate, tx.today)
    known = any(month.published is not None for month in found.months)
    return Trend(found.months, [_line(tile, found.months) for tile in board.unit.tiles] if known else [], found.warnings)


def years_offered(today: date) -> list[int]:
    """List the years that a page offers, this one first."""
    return list(range(today.year, today.year - YEARS_OFFERED, -1))


def year_said(said: str | None, today: date, first: int = FIRST_YEAR) -> int:
    """Read the year that a page is asked for; this one if none is. Raises InvalidRequest."""
    if said is None:
        return today.year
    if not said.isdecimal() or len(said) > 4 or not first <= int(said) <= today.year:
        raise InvalidRequest(f"年份应在 {first} 到 {today.year} 之间")
    return int(said)


def _unit(rate: StationRate, policy: ServicePolicy, depth: int) -> Unit:
    counts = (
        (rate.registered, rate.population, policy.registration_target_permille),
        (rate.participants, rate.registered, policy.participation_target_permille),
        (rate.backbone, rate.registered, policy.backbone_target_permille),
    )
    tiles = [
        Tile(measure, *words, numerator, denominator, hundredths(numerator, denominator, at_least=target * 10), target * 10)
        for (measure, words), (numerator, denominator, target) in zip(MEASURES.items(), counts, strict=True)
    ]
    return Unit(rate, tiles, depth)


def _sorted(rows: list[Unit], sort: str, *, upwards: bool) -> list[Unit]:
    """Sort units, the most first unless upwards; those without a rate last either way."""
    if sort == "code":
        return rows
    sign = 1 if upwards else -1
    if sort == "minutes":
        return sorted(rows, key=lambda row: sign * row.rate.minutes)
    at = list(MEASURES).index(sort)
    return sorted(rows, key=lambda row: (row.tiles[at].rate is None, sign * (row.tiles[at].rate or 0)))


def _chart(head: Tile, rows: list[tuple[Unit, Tile]]) -> Chart:
    top = max([head.target, *(tile.rate or 0 for _, tile in rows)]) * 10 // 9 or 1
    bars = [Bar(unit.rate.name, tile, (tile.rate or 0) * BAR_WIDTH // top, 48 + 46 * place) for place, (unit, tile) in enumerate(rows)]
    return Chart(head, bars, head.target * BAR_WIDTH // top, 48 + 46 * len(rows) - 14)


def _month_rate(month: trends.Month, tile: Tile) -> int | None:
    """Give a tile's rate as published in a month, in hundredths of a percent; None where nothing was published, or there was no denominator."""
    if month.published is None:
        return None
    numerator, denominator = _OF[tile.measure]
    return hundredths(getattr(month.published, numerator), getattr(month.published, denominator), at_least=tile.target)


def _line(tile: Tile, months: list[trends.Month]) -> Line:
    found = [_month_rate(month, tile) for month in months]
    top = max([tile.target, *(rate for rate in found if rate is not None)]) * 10 // 9 or 1
    points = [(LINE_STEP * place, LINE_HEIGHT - rate * LINE_HEIGHT // top) for place, rate in enumerate(found) if rate is not None]
    path = " ".join(f"{'L' if place and points[place - 1][0] == x - LINE_STEP else 'M'}{x} {y}" for place, (x, y) in enumerate(points))
    return Line(tile, found, path, LINE_HEIGHT - tile.target * LINE_HEIGHT // top, points[-1] if points else None)


def _units(found: dict[str, StationRate], chosen: StationRate, policy: ServicePolicy) -> list[Unit]:
    """Give a unit and all below it, parents first."""
    depths = {chosen.code: 0}
    for rate in found.values():
        if rate.parent in depths and rate.code not in depths:
            depths[rate.code] = depths[rate.parent] + 1
    return [_unit(found[code], policy, depth) for code, depth in depths.items()]


def path_to(found: Mapping[str, Any], unit: Any) -> list[Any]:
    """List the units above one, highest first; *found*: whatever is known of units, by code."""
    above: list[Any] = []
    parent = unit.parent
    while parent is not None and parent in found and len(above) < len(found):
        above.append(found[parent])
        parent = found[parent].parent
    return above[::-1]
