"""
What of ours goes into which table of theirs, under which name: read from JSON, strictly.

    {"name": "...", "document": "...", "note": "...", "tables": [{"id": "basic", "title": "个人基本信息", "article": "第五条",
        "fields": [{"ours": "name", "theirs": "姓名", "type": "text", "unknown": false, "note": "..."}]}]}

ours: a key of FIELDS. type: text, day or integer. unknown: the receiving standard's format for it is not known. A field that is left out of the mapping is
left out of the file; a field that FIELDS does not have cannot be put in, so that nothing beyond article 5 ever goes out. A title is a sheet's name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from ledger.errors import InvalidRequest

FIELDS: Mapping[str, tuple[str, ...]] = {
    "basic": ("number", "name", "sex", "birth_date", "id_number", "area", "phone", "skills", "services"),
    "service": ("number", "record", "title", "served_on", "place", "content", "hours", "minutes", "organiser", "responsible"),
    "training": ("number", "record", "title", "content", "hours", "minutes", "organiser", "trained_on"),
    "award": ("number", "record", "title", "granted_on", "unit"),
    "evaluation": ("number", "record", "title", "quality", "evaluated_on"),
}
"""What there is to hand over, by block: of a person what 民政部令第67号 article 5 lists, and the number by which the blocks belong together."""
SHEET, TITLE_MAX = "说明", 31
"""The sheet that says what the file is; how long the name of a sheet may be."""
_NOT_IN_TITLES = frozenset("[]:*?/\\'")
TYPES = {"text": "文字", "day": "日期", "integer": "整数"}


@dataclass(frozen=True)
class Field:
    """One column of the file."""

    ours: str
    theirs: str
    type: str
    unknown: bool
    note: str


@dataclass(frozen=True)
class Block:
    """One table of the file: a block of article 4."""

    id: str
    title: str
    article: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Mapped:
    """A whole mapping."""

    name: str
    document: str
    note: str
    blocks: tuple[Block, ...]


@cache
def shipped() -> Mapped:
    """Read the mapping that comes with the ledger."""
    return read((Path(__file__).parent / "mapping.json").read_bytes())


def read(content: bytes) -> Mapped:
    """Read a mapping. Raises InvalidRequest naming the table and field at fault."""
    try:
        said = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"对照表不是 JSON：第 {error.lineno} 行第 {error.colno} 列看不懂") from None
    if not isinstance(said, dict) or not isinstance(said.get("tables"), list) or not said["tables"]:
        raise InvalidRequest("对照表应是一个 JSON 对象，里面有 tables")
    blocks = tuple(_block(one) for one in said["tables"])
    if len({block.id for block in blocks}) < len(blocks):
        raise InvalidRequest("对照表里有一张表写了不止一次")
    titles = [SHEET, *(block.title.lower() for block in blocks)]
    if twice := next((title for title in titles if titles.count(title) > 1), None):
        raise InvalidRequest(f"对照表里有两张表都叫「{twice}」（「{SHEET}」是第一张表的名字）。请把 title 写成不同的")
    if not isinstance(said.get("note", ""), str):
        raise InvalidRequest("对照表的 note 应是文字")
    return Mapped(_text(said, "name", "对照表"), _text(said, "document", "对照表"), said.get("note", ""), blocks)


def _block(said: Any) -> Block:
    if not isinstance(said, dict) or said.get("id") not in FIELDS:
        raise InvalidRequest(f"对照表的 tables 里，id 应是 {'、'.join(FIELDS)} 之一")
    where, fields = f"对照表的「{said['id']}」", said.get("fields")
    if not isinstance(fields, list) or not fields:
        raise InvalidRequest(f"{where}没有 fields")
    read_fields = tuple(_field(one, FIELDS[said["id"]], where) for one in fields)
    for what in ("ours", "theirs"):
        names = [getattr(one, what) for one in read_fields]
        if len(set(names)) < len(names):
            raise InvalidRequest(f"{where}里有一项的 {what} 写了不止一次")
    if "number" not in {one.ours for one in read_fields}:
        raise InvalidRequest(f"{where}没有 number：各张表要靠志愿者编号连起来")
    title = _text(said, "title", where)
    if len(title) > TITLE_MAX or not _NOT_IN_TITLES.isdisjoint(title):
        raise InvalidRequest(f"{where}的 title 要做表名，应是 1 到 {TITLE_MAX} 个字，不能有 {' '.join(sorted(_NOT_IN_TITLES))}")
    return Block(said["id"], title, _text(said, "article", where), read_fields)


def _field(said: Any, known: Sequence[str], where: str) -> Field:
    if not isinstance(said, dict) or said.get("ours") not in known:
        raise InvalidRequest(f"{where}里，ours 应是 {'、'.join(known)} 之一；别的信息不能交出去")
    if said.get("type") not in TYPES:
        raise InvalidRequest(f"{where}的「{said['ours']}」，type 应是 {'、'.join(TYPES)} 之一")
    return Field(said["ours"], _text(said, "theirs", where), said["type"], bool(said.get("unknown")), str(said.get("note", "")))


def _text(said: Mapping[str, Any], name: str, where: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 200 or not value.isprintable():
        raise InvalidRequest(f"{where}的 {name} 应是 1 到 200 个字")
    return value
