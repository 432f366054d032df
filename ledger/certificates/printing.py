"""
A certificate as a PDF: A4, PDF/A-3b, with what proves it attached, and a code to scan that proves the paper alone.

Typst sets it from certificate.typ; what is said goes in as data, never as markup, and only our own fonts are looked at, so that every machine makes the
same file. The fonts have 30,000 Chinese characters, but not every rare one in a name: `missing` tells, before anything is issued.
"""

import io
import struct
from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
import pylopdf_fonts_zh_cn as fonts
import segno
import typst

from ledger.checking.certificates import ATTACHED, Certificate, encode_certificate, qr_text
from ledger.codes import GRADES, SERIES
from ledger.entries import SHANGHAI
from ledger.ids import spaced, spaced_code
from ledger.service.drafts import duration

_TEMPLATE = Path(__file__).with_name("certificate.typ")
GAP = "〓"
"""What stands where the fonts have no character (the mark that printers have for it), to be filled in by hand."""
_TABLE, _CMAP, _SUBTABLE = struct.Struct(">4sLLL"), struct.Struct(">HHL"), struct.Struct(">HHLLL")
_GROUP = struct.Struct(">LLL")


def print_pdf(certificate: Certificate, address: str, *, revoked_on: str = "") -> bytes:
    """Print a certificate. *address*: where it is checked, as people type it; *revoked_on*: printed right across one that no longer holds."""
    document = certificate.document
    code = qr_text(address, document["code"], certificate.slip)
    drawn = io.BytesIO()
    # What is drawn looks random under any mask; trying all eight would take longer than all the rest.
    segno.make(code, error="m", mask=2, micro=False).save(drawn, kind="svg", xmldecl=False, border=2)
    data = _words(document) | {"address": address, "qr": drawn.getvalue().decode(), "revoked_on": revoked_on and _day(revoked_on)}
    issued = datetime.fromisoformat(document["issued_on"]).replace(tzinfo=SHANGHAI)
    return typst.compile(
        _TEMPLATE,
        format="pdf",
        pdf_standards="a-3b",
        font_paths=_faces(),
        sys_inputs={"data": orjson.dumps(data).decode(), "file": encode_certificate(certificate).decode(), "name": ATTACHED},
        timestamp=int(issued.timestamp()),
    )


def missing(texts: Iterable[str]) -> list[str]:
    """List the characters that the fonts do not have, each once, in order."""
    return [character for character in dict.fromkeys("".join(texts)) if not _has(ord(character))]


def texts_of(document: dict[str, Any]) -> list[str]:
    """List what a document prints that people have written: names and titles."""
    items = [item[name] for item in document["items"] for name in ("activity", "unit", "group") if name in item]
    return [document["name"], document["unit"], document["handler"], document.get("contact", ""), *items]


def _words(document: dict[str, Any]) -> dict[str, Any]:
    """Say a document as it is printed."""
    items = document["items"]
    lacking = missing(texts_of(document))
    first, last = document.get("period_from", items[0]["served_on"]), document.get("period_to", items[-1]["served_on"])
    rows = [
        [
            str(number),
            item["served_on"],
            f"{item['start'][11:]}–{'次日 ' if item['end'][:10] > item['start'][:10] else ''}{item['end'][11:]}",
            item["activity"] + (f"\n（{item['group']}）" if "group" in item else ""),
            item["unit"],
            item["grade"],
            duration(item["minutes"]),
            str(item["index"]),
        ]
        for number, item in enumerate(items, 1)
    ]
    said = {
        "number": document["number"],
        "code": spaced_code(document["code"]),
        "issued": _day(document["issued_on"]),
        "issued_iso": [int(part) for part in document["issued_on"].split("-")],
        "name": document["name"],
        "id_number": document["id_number"],
        "volunteer": spaced(document["volunteer"]),
        "unit": document["unit"],
        "handler": document["handler"],
        "contact": document.get("contact", ""),
        "period": f"{_day(first)}至{_day(last)}",
        "total": duration(document["minutes"]),
        "count": len(items),
        "grades": [[code, GRADES[code], duration(minutes)] for code, minutes in document["grades"].items()],
        "series": [[SERIES[code], duration(minutes)] for code, minutes in document["series"].items()],
        "rows": rows,
        "origin": document["origin"],
        "size": document["tree_size"],
    }
    printed: dict[str, Any] = _gapped(said, lacking)
    return printed | {"lacking": [f"{GAP}（U+{ord(one):04X}）" for one in lacking]}


def _gapped(said: Any, lacking: list[str]) -> Any:
    """Put the mark in the place of every character that cannot be printed."""
    if isinstance(said, str):
        return said.translate(dict.fromkeys(map(ord, lacking), GAP)) if lacking else said
    if isinstance(said, dict):
        return {name: _gapped(value, lacking) for name, value in said.items()}
    return [_gapped(value, lacking) for value in said] if isinstance(said, list) else said


def _day(text: str) -> str:
    year, month, day = text[:10].split("-")
    return f"{year}年{int(month)}月{int(day)}日"


# --- fonts


@lru_cache(maxsize=1)
def _faces() -> typst.Fonts:
    """Load our two faces, and nothing of the machine's."""
    folders = sorted({str(Path(path).parent) for path in (fonts.serif_path(), fonts.sans_path())})
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
