"""
Typesetting: a PDF/A from one of our templates, or a PNG of a drawing, the same file on every machine.

What is said goes in as data, never as markup, and only our own fonts are looked at. They have 30,000 Chinese characters, but not every rare one in a
name: `missing` tells which, before anything is printed, and `gapped` puts a mark in their place.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import orjson
import pylopdf_fonts_zh_cn as fonts
import typst

GAP = "〓"
"""What stands where the fonts have no character (the mark that printers have for it), to be filled in by hand."""
_TABLE, _CMAP, _SUBTABLE = struct.Struct(">4sLLL"), struct.Struct(">HHL"), struct.Struct(">HHLLL")
_GROUP = struct.Struct(">LLL")


def typeset(template: Path, said: Mapping[str, Any], made_at: datetime, *, standard: Literal["a-2b", "a-3b"], **inputs: str) -> bytes:
    """Set a template as a PDF. *said*: its data; *standard*: the PDF/A part and level, as typst names them; *inputs*: further texts that it asks for."""
    return typst.compile(
        template,
        format="pdf",
        pdf_standards=standard,
        font_paths=_faces(),
        sys_inputs={"data": orjson.dumps(said).decode(), **inputs},
        timestamp=int(made_at.timestamp()),
    )


def picture(svg: str, *, ppi: int) -> bytes:
    """Set a drawing as PNG, its units taken as points, *ppi* dots to 72 of them. Its text has our fonts: Noto Sans SC or Noto Serif SC, as it says."""
    return typst.compile(
        b'#set page(width: auto, height: auto, margin: 0pt)\n#image(bytes(sys.inputs.svg), format: "svg")',
        format="png",
        ppi=ppi,
        font_paths=_faces(),
        sys_inputs={"svg": svg},
    )


def missing(texts: Iterable[str]) -> list[str]:
    """List the characters that the fonts do not have, each once, in order."""
    return [character for character in dict.fromkeys("".join(texts)) if not _has(ord(character))]


def gapped(said: Any, lacking: list[str]) -> Any:
    """Put the mark in the place of every character that cannot be printed."""
    if not lacking:
        return said
    if isinstance(said, str):
        return said.translate(dict.fromkeys(map(ord, lacking), GAP))
    if isinstance(said, dict):
        return {name: gapped(value, lacking) for name, value in said.items()}
    return [gapped(value, lacking) for value in said] if isinstance(said, list) else said


def gap_names(lacking: list[str]) -> list[str]:
    """Say which characters the marks stand for, in a way that can be printed."""
    return [f"{GAP}（U+{ord(one):04X}）" for one in lacking]


# --- fonts


@lru_cache(maxsize=1)
def _faces() -> typst.Fonts:
    """Load our two faces, and nothing of the machine's."""
    folders = sorted({str(Path(path).parent) for path in _paths()})
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)


def _has(point: int) -> bool:
    """Tell whether both faces have a character."""
    return all(_covers(*_coverage(path), point) for path in _paths())


def _covers(starts: list[int], ends: list[int], point: int) -> bool:
    at = bisect_right(starts, point) - 1
    return at >= 0 and point <= ends[at]


def _paths() -> tuple[str, str]:
    return str(fonts.serif_path()), str(fonts.sans_path())


@lru_cache(maxsize=2)
def _coverage(path: str) -> tuple[list[int], list[int]]:
    """Read which characters an OpenType font has: the groups of its cmap table's format 12, as first and last code points."""
    with Path(path).open("rb") as file:
        head = file.read(12)
        tables = [_TABLE.unpack(file.read(_TABLE.size)) for _ in range(int.from_bytes(head[4:6]))]
        offset, length = next((offset, length) for tag, _, offset, length in tables if tag == b"cmap")
        file.seek(offset)
        cmap = file.read(length)
    places = [_CMAP.unpack_from(cmap, 4 + 8 * number)[2] for number in range(int.from_bytes(cmap[2:4]))]
    place = next(place for place in places if cmap[place : place + 2] == b"\0\x0c")
    count = _SUBTABLE.unpack_from(cmap, place)[4]
    groups = [_GROUP.unpack_from(cmap, place + 16 + 12 * number) for number in range(count)]
    return [first for first, _, _ in groups], [last for _, last, _ in groups]
