"""
How requests under /api/v1 are read, described, carried out, and answered: one JSON parse, one load, one dump.

Nothing is guessed: a body has a length limit, says that it is JSON, and holds no field that its schema does not name. A request that writes is carried
out once a key. What follows from the log alone has an ETag made of the tree size, which is looked at before any work is done.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any, TypeVar, cast

import flask_smorest
import marshmallow as ma
import orjson
from flask import Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from api.auth import actor, ledger, required_scope
from api.problems import Problem
from api.v1.fields import UUID7
from ledger import log, repeats
from ledger.errors import NotFound
from ledger.ids import NUMBER
from ledger.repeats import Answer
from ledger.transactions import ReadTransaction, WriteTransaction

View = TypeVar("View", bound=Callable[..., Response])
Answers = Mapping[int, tuple[str, Mapping[str, Any]]]
"""Answers of success: status -> (description, content type -> schema, which is marshmallow's or JSON Schema)."""

BODY_BYTES_MAX = 1024 * 1024
JSON = "application/json"
TEXT = "text/plain"
_KEY = re.compile(f'"({UUID7})"|({UUID7})')
_POINTER = str.maketrans({"~": "~0", "/": "~1"})


# --- describing


class Blueprint(flask_smorest.Blueprint):
    """A noun of the API. Its views declare what they are by `describe` and `open_to_…`, and what they read by `reads`."""

    def __init__(self, name: str, import_name: str, **options: Any) -> None:
        super().__init__(name, import_name, **options)
        self.before_request(_limit_body)

    def add_url_rule(self, rule: str, endpoint: str | None = None, view_func: Any = None, *args: Any, **options: Any) -> None:
        """Register a view, and document who may call it."""
        scope = required_scope(view_func)
        _document(view_func, security=[{"token": [scope]}] if scope else [])
        super().add_url_rule(rule, endpoint, view_func, *args, **options)


def describe(summary: str, answers: Answers, *, description: str = "", parameters: Sequence[Any] = ()) -> Callable[[View], View]:
    """Document a view."""
    responses = {
        str(status): {"description": said, "content": {kind: {"schema": schema} for kind, schema in content.items()}}
        for status, (said, content) in answers.items()
    }

    def declare(view: View) -> View:
        _document(view, summary=summary, description=description, parameters=[*parameters], responses=responses)
        return view

    return declare


def _document(view: Any, **said: Any) -> None:
    """Put words where flask-smorest looks for them. Its own decorators do so too, but stay in the way of every call."""
    documented = getattr(view, "_apidoc", {"manual_doc": {}})
    view._apidoc = {"manual_doc": documented["manual_doc"] | said}  # noqa: SLF001 flask-smorest's name for it


# --- reading


def reads(schema: ma.Schema, size: int = BODY_BYTES_MAX) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Hand a view what its JSON body of at most *size* bytes says, loaded by a schema, before what its address says."""

    def declare(view: Callable[..., Response]) -> Callable[..., Response]:
        @wraps(view)
        def reading(**of_path: Any) -> Response:
            try:
                said = schema.load(_json())
            except ma.ValidationError as error:
                raise invalid(error) from None
            return view(said, **of_path)

        cast(Any, reading).body_bytes_max = size
        _document(reading, requestBody={"required": True, "content": {JSON: {"schema": schema}}})
        return reading

    return declare


def reads_any(schema: Mapping[str, Any]) -> Callable[[View], View]:
    """Describe a JSON body by JSON Schema; the view reads its bytes itself."""

    def declare(view: View) -> View:
        @wraps(view)
        def reading(**of_path: Any) -> Response:
            _json()
            return view(**of_path)

        _document(reading, requestBody={"required": True, "content": {JSON: {"schema": schema}}})
        return cast(View, reading)

    return declare


def _limit_body() -> None:
    view = current_app.view_functions[request.endpoint or ""]
    request.max_content_length = getattr(view, "body_bytes_max", BODY_BYTES_MAX)


def _json() -> Any:
    if request.mimetype != JSON:
        raise Problem("unsupported_media_type", "请求正文应是 JSON：Content-Type: application/json", headers={"Accept": JSON})
    try:
        g.content = orjson.loads(request.get_data())
        return g.content
    except orjson.JSONDecodeError as error:
        raise Problem("malformed", f"正文不是 JSON：第 {error.lineno} 行第 {error.colno} 个字符看不懂") from None


def invalid(error: ma.ValidationError) -> Problem:
    """Give the problem that a schema's refusal of a body is."""
    found = [{"pointer": pointer, "detail": said} for pointer, said in _flat(error.messages, "#")]
    return Problem("invalid", f"有 {len(found)} 处不合要求，请逐处改正", found)


def _flat(messages: Any, at: str) -> Iterator[tuple[str, str]]:
    """List a schema's messages by where they belong; those about the object as a whole stay with it."""
    if isinstance(messages, Mapping):
        for name, said in messages.items():
            yield from _flat(said, at if name == "_schema" else f"{at}/{str(name).translate(_POINTER)}")
    else:
        yield from ((at, str(said)) for said in messages)


def query(schema: ma.Schema) -> dict[str, Any]:
    """Give what the address says after `?`, loaded by a schema."""
    try:
        return cast(dict[str, Any], schema.load(request.args.to_dict()))
    except ma.ValidationError as error:
        messages: Mapping[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
        found = [{"parameter": name, "detail": str(said[0])} for name, said in messages.items()]
        raise Problem("invalid", f"网址里有 {len(found)} 处不合要求，请逐处改正", found) from None


def idempotency_key(said: Mapping[str, Any]) -> str | None:
    """Give the request's key: the body's id, or the Idempotency-Key header (quoted as a structured field, or bare)."""
    header = request.headers.get("Idempotency-Key")
    own: str | None = said.get("id")
    if header is None:
        return own
    match = _KEY.fullmatch(header.strip())
    if match is None:
        raise Problem("invalid", "请求头不合要求", [{"parameter": "Idempotency-Key", "detail": "应是小写的 UUIDv7"}])
    key: str = match[1] or match[2]
    if own not in (None, key):
        wrong = [{"parameter": "Idempotency-Key", "detail": "与正文里的 id 不同，只写一处即可"}]
        raise Problem("invalid", "编号写了两个", wrong)
    return key


def number_in_path(said: str) -> str:
    """Give a random number as an address has it. Raises NotFound for what cannot be one."""
    if NUMBER.fullmatch(said) is None:
        raise NotFound("没有这个编号，请核对")
    return said


def waits() -> bool:
    """Tell whether the client would rather wait for the proof (RFC 7240: `Prefer: wait`, with or without seconds)."""
    preferred = request.headers.get("Prefer")
    return preferred is not None and any(part.split(";")[0].split("=")[0].strip().lower() == "wait" for part in preferred.split(","))


def wants_text() -> bool:
    """Tell whether the client prefers text/plain to JSON. Raises Problem when it takes neither."""
    best = request.accept_mimetypes.best_match([JSON, TEXT]) if request.accept_mimetypes else JSON
    if best is None:
        raise Problem("not_acceptable", "这里有 application/json 和 text/plain 两种格式")
    return best == TEXT


# --- carrying out

KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "pattern": f'^("?){UUID7}\\1$'},
    "description": "编号（UUIDv7），重试时不变：同一请求只办一次，再来时答第一次的答复",
}
"""How a request's key is described."""


def carry_out(work: Callable[[WriteTransaction], Answer], location: Callable[[Answer], str] | None = None) -> Response:
    """Do a write, once for its key. 201 with what *work* gives; 200 with the same when it was done before."""
    key = idempotency_key({})
    said = f"{request.method} {request.full_path}\n".encode() + orjson.dumps(g.get("content"), option=orjson.OPT_SORT_KEYS)
    found, new = ledger().write(lambda tx: repeats.once(tx, key, said, work), actor())
    return answer(found, 201 if new else 200, {"Location": location(found)} if location else None)


# --- answering


def unless_seen(tx: ReadTransaction) -> dict[str, str]:
    """Give the headers of an answer that follows from the log, the day and who asks. Answers 304 at once if the client has it already."""
    tag = f"{log.tree_head(tx.connection).size}-{tx.today:%Y%m%d}-{actor().account}"
    headers = {"ETag": f'W/"{tag}"', "Cache-Control": "private, no-cache", "Vary": "Authorization"}
    if "If-None-Match" in request.headers and request.if_none_match.contains_weak(tag):
        raise HTTPException(response=Response(status=304, headers=headers))
    return headers


def answer_changing(said: Any) -> Response:
    """Answer with JSON that also other things than the log change; its ETag is of what is answered."""
    response = answer(said, headers={"Cache-Control": "private, no-cache", "Vary": "Authorization"})
    response.add_etag(weak=True)
    response.make_conditional(request)
    return response


def answer(said: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with JSON."""
    return Response(orjson.dumps(said), status, headers, content_type=JSON)


def answer_text(text: bytes | str, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with text, byte for byte."""
    return Response(text, 200, headers, content_type=f"{TEXT}; charset=utf-8")
