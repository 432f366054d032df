"""
Lists under /api/v1: in the order in which the ledger came to hold what they list, so many a page, each page beginning after a cursor.

A page is `{"items": […], "cursor": …, "next": …}`. `cursor` is the place after its last item, good for ever: whoever keeps it asks later only for what
is new. `next` is the address of the next page and is there only if there is more; the Link header (RFC 8288) says the same. What is appended meanwhile
comes at the end, so nothing is missed and nothing comes twice. (What was filed or changed anew moves to the end.)
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import marshmallow as ma
from flask import Response, request
from marshmallow import fields
from sqlalchemy import Column, Connection, Select

from api.v1.fields import Field, Schema, Whole, station
from api.v1.requests import answer, answer_changing
from ledger.errors import NotAllowed, NotFound
from ledger.kinds.checks import INTEGER_MAX
from ledger.people.actors import Actor, below, reach, require

LIMIT, LIMIT_MAX = 50, 200
_CURSOR = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_PLACE = re.compile(r"[0-9a-f-]{1,36}", re.ASCII)


class Cursor(Field):
    """A place in a list, as an earlier page of it gave it."""

    def read(self, value: Any) -> str:
        """Give the place."""
        try:
            if type(value) is str and _CURSOR.fullmatch(value):
                place = urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode("ascii")
                if _PLACE.fullmatch(place) and written(place) == value:
                    return place
        except ValueError:
            pass
        raise ma.ValidationError("不是这个列表给出的 cursor，请原样使用上一页的")


def written(place: str | int) -> str:
    """Write a place as a cursor."""
    return urlsafe_b64encode(str(place).encode()).decode().rstrip("=")


class Query(Schema):
    """What every list may be asked."""

    limit = Whole(1, LIMIT_MAX, spelt=True, required=False, description=f"一页最多几项，1 到 {LIMIT_MAX}", default=LIMIT)
    cursor = Cursor(required=False, description="上一页给的 cursor：从它之后继续", pattern=f"^{_CURSOR.pattern}$")


class StationQuery(Query):
    """What a list of stations' things may be asked."""

    station = station(required=False, description="只要这个站点和它下级的")


def page_of(item: type[ma.Schema], name: str) -> type[ma.Schema]:
    """Make the schema of a page of such items."""
    return ma.Schema.from_dict(
        {
            "items": fields.List(fields.Nested(item), required=True),
            "cursor": fields.String(metadata={"description": "这一页之后的位置：留着它，以后只取新增的"}),
            "next": fields.String(metadata={"description": "下一页的地址；没有更多时不写", "format": "uri-reference"}),
        },
        name=name,
    )


LINK = {"Link": {"description": 'rel="next"：下一页的地址（RFC 8288）', "schema": {"type": "string"}}}


def within(connection: Connection, who: Actor, action: str, asked: str | None) -> frozenset[str] | None:
    """Give the units whose things are listed: what *who* may see, or that part of it which is asked for. None: everywhere. Raises NotAllowed."""
    if asked is not None:
        require(connection, who, action, asked)
        return frozenset(below(connection, asked))
    return reach(connection, who, action)


def require_seen(connection: Connection, who: Actor, station: str, missing: str) -> None:
    """Make sure that somebody may see what is a station's. Raises NotFound, saying *missing*, as for what is not there: whose it is is not told."""
    try:
        require(connection, who, "see_station", station)
    except NotAllowed:
        raise NotFound(missing) from None


def page(statement: Select[Any], column: Column[Any], said: Mapping[str, Any]) -> Select[Any]:
    """Ask for one page of rows in the order of *column*, and one row more to know whether there is another."""
    if "cursor" in said:
        place = said["cursor"]
        statement = statement.where(column > (min(int(place), INTEGER_MAX) if place.isdecimal() else -1))
    return statement.order_by(column).limit(said.get("limit", LIMIT) + 1)


def numbered(found: Sequence[Any], said: Mapping[str, Any]) -> list[tuple[int, Any]]:
    """Give one page of what was counted, each with its place in the whole, and one more to know whether there is another."""
    start = int(said["cursor"]) + 1 if said.get("cursor", "").isdecimal() else 0
    return list(enumerate(found))[start : start + said.get("limit", LIMIT) + 1]


def answer_page(
    rows: Sequence[Any],
    said: Mapping[str, Any],
    place: Callable[[Any], str | int],
    shown: Callable[[Sequence[Any]], list[dict[str, Any]]],
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with one page of rows, of which there may be one too many. *headers*: from `unless_seen`; without, the ETag is of what is answered."""
    limit = said.get("limit", LIMIT)
    kept = rows[:limit]
    body: dict[str, Any] = {"items": shown(kept)}
    link: dict[str, str] = {}
    if kept or "cursor" in said:
        body["cursor"] = written(place(kept[-1]) if kept else said["cursor"])
    if len(rows) > limit:
        body["next"] = f"{request.path}?{urlencode({**request.args, 'cursor': body['cursor']})}"
        link = {"Link": f'<{body["next"]}>; rel="next"'}
    if headers is None:
        response = answer_changing(body)
        response.headers.update(link)
        return response
    return answer(body, headers={**headers, **link})


def said_of(row: Any, names: Sequence[str], **more: Any) -> dict[str, Any]:
    """Give a row's columns by name, without those that say nothing."""
    return {name: value for name in names if (value := getattr(row, name)) is not None} | {k: v for k, v in more.items() if v is not None}
