"""The board as files: its table as a report, and all of it as one picture for a wall (SVG, and the same as PNG): a district's is A3 across."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from flask import render_template

from api.board import Board, Trend
from api.board_map import STATES, Map, Square, Street, draw, short
from ledger.codes import BENEFICIARIES, LEVELS, SERIES
from ledger.reports import Column, Report
from ledger.typesetting import picture

WIDTH, HEIGHT = 1684, 1190
"""The shape of A3 across, a unit about a quarter of a millimetre."""
_PER_LINE, _TILE, _TOP, _GROUPS_MAX = 9, (104, 52), 372, 8
_LOW = 800
"""A map that reaches below this has the rest of the board beside it; a shorter one, under it."""
_COLUMNS = (
    Column("单位", 34),
    Column("级别", 8),
    Column("常住人口", 12, "integer"),
    Column("注册志愿者", 12, "integer"),
    Column("注册率", 10, "share"),
    Column("差（人）", 10, "integer"),
    Column("参加过服务", 12, "integer"),
    Column("参与率", 10, "share"),
    Column("差（人）", 10, "integer"),
    Column("骨干", 8, "integer"),
    Column("骨干率", 10, "share"),
    Column("差（人）", 10, "integer"),
    Column("服务时长", 16, "minutes"),
)


@dataclass(frozen=True)
class Placed:
    """A square of the map, or the name of a street, with its place in the picture."""

    what: Square | Street
    x: int
    y: int


def report(board: Board, today: date) -> Report:
    """Make a report of a board's table; the board has a unit."""
    assert board.unit is not None
    rows = [
        (
            "　" * row.depth + row.rate.name,
            LEVELS[row.rate.level],
            row.rate.population,
            *(cell for tile in row.tiles for cell in (tile.numerator, (tile.numerator, tile.denominator, tile.target), tile.missing)),
            row.rate.minutes,
        )
        for row in board.units
    ]
    source = board.unit.rate.population_source or "下级之和"
    return Report(
        f"{board.unit.rate.name} {board.year} 年三率看板",
        board.unit.rate.name,
        "守望账本",
        today,
        _COLUMNS,
        rows,
        subtitle=f"数据截至 {board.counted_on}，账本 {board.size} 条",
        notes=(
            "注册率＝注册志愿者÷常住人口；参与率＝当年有过已计入服务的÷注册志愿者；骨干率＝骨干÷注册志愿者。上级的数是下级之和。",
            f"常住人口来源：{source}。任何持有账本的人可以复算。",
        ),
        paper="A3",
    )


def svg(board: Board, trend: Trend, measure: str) -> str:
    """Draw the whole board as one picture; the board has a unit."""
    shown = draw(board, measure)
    placed, bottom = _placed(shown)
    beside = bottom > _LOW
    top = _TOP if beside else bottom + (60 if placed else 0)
    return render_template(
        "board.svg",
        board=board,
        unit=board.unit,
        map=shown,
        placed=placed,
        tile_width=_TILE[0] - 6,
        tile_height=_TILE[1] - 6,
        STATES=STATES,
        measured=next(tile for tile in board.unit.tiles if tile.measure == measure) if board.unit else None,
        short=short,
        series=bars([(SERIES[code], count) for code, count in board.care.series.items()], 200),
        groups=bars([(BENEFICIARIES[code], count) for code, count in list(board.care.groups.items())[:_GROUPS_MAX]], 200),
        lines=trend.lines,
        beside=beside,
        series_at=(1160 if beside else 40, top),
        groups_at=(1160 if beside else 600, 670 if beside else top),
        trend_at=(1160, 982 if beside else top),
        width=WIDTH,
        height=max(HEIGHT, bottom + 90) if beside else top + 540,
    )


@lru_cache(maxsize=8)
def png(drawn: str) -> bytes:
    """Set a picture drawn by `svg` as PNG: as A3, 140 dots an inch."""
    return picture(drawn, ppi=100)


def bars(counted: list[tuple[str, int]], length: int) -> list[tuple[str, int, int]]:
    """Give each count the length of its bar: the longest has all of *length*."""
    most = max((count for _, count in counted), default=0) or 1
    return [(label, count, count * length // most) for label, count in counted]


def _placed(shown: Map) -> tuple[list[Placed], int]:
    """Lay out the map: a street begins a new line, and has as many lines as it takes. Returns what is where, and where it ends."""
    found: list[Placed] = []
    y = _TOP
    for street in shown.streets:
        found.append(Placed(street, 40, y))
        for at, square in enumerate(street.squares):
            found.append(Placed(square, 170 + at % _PER_LINE * _TILE[0], y + at // _PER_LINE * _TILE[1]))
        y += -(-len(street.squares) // _PER_LINE) * _TILE[1]
    return found, y
