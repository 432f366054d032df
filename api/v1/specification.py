"""The description of the API: /api/v1/openapi.json for programs, and /api/ for people, made from it on the server, without script."""

import hashlib
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import orjson
from flask import Blueprint, Flask, Response, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api import problems
from api.auth import open_to_all
from api.hosts import site_address
from api.v1 import examples
from api.v1.requests import JSON
from ledger.errors import NotFound
from ledger.people.tokens import SCOPES

blueprint = Blueprint("api", __name__)
_REFERENCE = "#/components/schemas/"


class Member(NamedTuple):
    """A field of a request or answer, or a parameter: *within* names the objects around it."""

    name: str
    kind: str
    required: bool
    description: str
    example: str


class Operation(NamedTuple):
    """One operation, as the page shows it."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    scope: str | None
    parameters: list[Member]
    body: list[Member]
    answers: list[tuple[str, str, str, list[Member]]]


def init_app(app: Flask, described: Callable[[], dict[str, Any]]) -> None:
    """Serve a description, which does not change while the application runs and is asked for when somebody wants to see it."""
    app.extensions["openapi"] = cache(lambda: orjson.dumps(described()))
    app.extensions["api-operations"] = cache(lambda: operations(described()))
    app.register_blueprint(blueprint)


@blueprint.get("/api/v1/openapi.json")
@open_to_all
def openapi() -> Response:
    """Serve the OpenAPI description."""
    content: bytes = current_app.extensions["openapi"]()
    response = Response(content, content_type=JSON, headers={"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"})
    response.set_etag(hashlib.sha256(content).hexdigest()[:32])
    response.make_conditional(request)
    return response


@blueprint.get("/api/")
@open_to_all
def page() -> ResponseReturnValue:
    """Show the description."""
    shown = current_app.extensions["api-operations"]()
    commands = {one.anchor: examples.command(one.method, one.path, one.scope, f"{site_address()}/") for one in shown}
    said = {"scopes": SCOPES, "problems": problems.TYPES, "meanings": problems.MEANINGS}
    return render_template("api.html", operations=shown, commands=commands, **said)


@blueprint.get("/problems/<code>")
@open_to_all
def problem(code: str) -> ResponseReturnValue:
    """Lead from a problem's type to what it means."""
    if code not in problems.TYPES:
        raise NotFound("没有这个问题代码")
    return redirect(url_for("api.page", _anchor=f"problem-{code}"))


def operations(spec: dict[str, Any]) -> list[Operation]:
    """List the operations of a description, with references followed."""
    schemas = spec["components"]["schemas"]
    found = []
    for path, methods in spec["paths"].items():
        shared = methods.get("parameters", [])
        for method, said in methods.items():
            if method == "parameters":
                continue
            content = said.get("requestBody", {}).get("content", {})
            parameters = [*shared, *said.get("parameters", [])]
            scope = next((scopes[0] for one in said.get("security", []) for scopes in one.values()), None)
            found.append(
                Operation(
                    f"{method}{path.replace('/', '-').replace('{', '').replace('}', '')}",
                    method.upper(),
                    path,
                    said["summary"],
                    said.get("description", ""),
                    scope,
                    [_member(one["name"], one["schema"] | one, required=one.get("required", False)) for one in parameters],
                    _members(content.get(JSON, {}).get("schema", {}), schemas),
                    _answers(said["responses"], schemas),
                )
            )
    return found


def _answers(responses: dict[str, Any], schemas: dict[str, Any]) -> list[tuple[str, str, str, list[Member]]]:
    """List the answers of success: status, description, content types, members."""
    return [
        (status, said["description"], "，".join(said["content"]), _members(said["content"].get(JSON, {}).get("schema", {}), schemas))
        for status, said in responses.items()
        if status.startswith("2")
    ]


def _members(schema: dict[str, Any], schemas: dict[str, Any], within: str = "") -> list[Member]:
    """List an object's members, and under each list or object the members of that."""
    schema = schemas[schema["$ref"].removeprefix(_REFERENCE)] if "$ref" in schema else schema
    found = []
    for name, said in schema.get("properties", {}).items():
        found.append(_member(f"{within}{name}", said, required=name in schema.get("required", ())))
        inner = said.get("items", said)
        inner = inner.get("anyOf", [inner])[0]
        if "$ref" in inner:
            found += _members(inner, schemas, f"{within}{name}{'[]' if 'items' in said else ''}.")
    return found


def _member(name: str, said: dict[str, Any], *, required: bool) -> Member:
    kind = said.get("type", "object")
    kind = kind if isinstance(kind, str) else "、".join(kind)
    form = said.get("format") or ("、".join(said["enum"]) if "enum" in said else "")
    return Member(name, f"{kind}（{form}）" if form else kind, required, said.get("description", ""), str(said.get("example", "")))
