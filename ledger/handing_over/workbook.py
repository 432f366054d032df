"""The file of a handover: a workbook (ISO/IEC 29500) with one sheet a block under their names, and one that says what it is. All of it text cells."""

from collections.abc import Mapping, Sequence
from io import BytesIO

import xlsxwriter

from ledger.errors import InvalidRequest
from ledger.handing_over.gathering import Gathered, Row
from ledger.handing_over.mapping import SHEET, TYPES, Mapped

_ROWS_MAX = 1_000_000
_WIDTH = 20


def made(mapped: Mapped, gathered: Gathered, facts: Mapping[str, str]) -> bytes:
    """Write the workbook; *facts*: what its first sheet says of it. Raises InvalidRequest for more rows than a sheet takes."""
    too_long = next((name for name, count in gathered.counts.items() if count > _ROWS_MAX), None)
    if too_long:
        raise InvalidRequest(f"一张表最多放 {_ROWS_MAX:,} 行，这里有 {gathered.counts[too_long]:,} 行。请缩短时段，或按街镇分开交")
    out = BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        said = [(name, value) for name, value in facts.items()]
        said += [("对照", mapped.name), ("依据", mapped.document), ("说明", mapped.note)]
        said += [(f"没有交出的：{why}", f"{count} 人") for why, count in left_out(gathered).items()]
        about = [("项目", "内容"), *said, ("", ""), ("表", "列", "类型", "本账本的字段", "格式", "说明")]
        for block in mapped.blocks:
            for one in block.fields:
                known = "待核对" if one.unknown else ""
                about.append((f"{block.title}（{block.article}）", one.theirs, TYPES[one.type], f"{block.id}.{one.ours}", known, one.note))
        _write(book, SHEET, about)
        for block in mapped.blocks:
            rows = gathered.blocks[block.id]
            _write(
                book, block.title, [[one.theirs for one in block.fields], *(_cells(row, [f.ours for f in block.fields]) for row in rows)]
            )
    return out.getvalue()


def left_out(gathered: Gathered) -> dict[str, int]:
    """Say of how many people nothing is handed over, and why."""
    said = {"本人还没有确认登记": gathered.unconfirmed, "资料已注销或封存": gathered.sealed}
    return {why: count for why, count in said.items() if count}


def _cells(row: Row, names: Sequence[str]) -> list[str]:
    return [str(row[name]) for name in names]


def _write(book: xlsxwriter.Workbook, title: str, rows: Sequence[Sequence[str]]) -> None:
    """Write a sheet; a text stays a text whatever it begins with."""
    sheet = book.add_worksheet(title)
    text = book.add_format({"num_format": "@", "quote_prefix": True})
    head = book.add_format({"num_format": "@", "bold": True, "bg_color": "#E6EFE9", "border": 1})
    sheet.set_column(0, max(map(len, rows)) - 1, _WIDTH)
    for at, row in enumerate(rows):
        for column, value in enumerate(row):
            if value:
                sheet.write_string(at, column, value, text if at else head)
    sheet.freeze_panes(1, 0)
