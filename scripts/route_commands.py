"""shouwang routes: who may call what, as the application itself declares it; the README's table is made of this."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from flask import Flask
from rich.table import Table

from api.app import create_app
from api.auth import EVERYONE, SIGNED_IN, allowed_roles, required_scope
from api.errors import API_PREFIX
from ledger.people.actors import ROLES, Actor
from ledger.people.tokens import offered
from scripts.console import OUT, as_json, ledger, print_json

BEGIN, END = "<!-- routes -->", "<!-- /routes -->"
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_WORDS = re.compile(r"(?:「[^」]*」: )?([^.:;(]+)")
_ARGUMENT = re.compile(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>")
Row = tuple[str, list[str], list[bool]]
"""What it is about; addresses; whether each role (then anybody) may."""


def _spelt(rule: str) -> str:
    return _ARGUMENT.sub(lambda found: found[1].upper(), rule)


def _addresses(rules: list[Any]) -> list[str]:
    """Write addresses with their methods: what is only read without one."""
    found: dict[str, list[str]] = {}
    for rule in rules:
        found.setdefault(_spelt(rule.rule), []).extend(method for method in _METHODS if method in rule.methods)
    return [path if methods == ["GET"] else f"{'+'.join(sorted(set(methods)))} {path}" for path, methods in sorted(found.items())]


def _about(app: Flask, endpoint: str) -> str:
    """Say what a blueprint is for: the first words of its module."""
    said = inspect.getdoc(inspect.getmodule(app.view_functions[endpoint])) or ""
    found = _WORDS.match(said.replace("\n", " "))
    return found[1].strip() if found and endpoint != "static" else endpoint


def pages(app: Flask) -> Iterator[Row]:
    """Give the pages by blueprint and by who may call them."""
    groups: dict[tuple[str, frozenset[str]], list[Any]] = {}
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith(API_PREFIX):
            group = (rule.endpoint.partition(".")[0], allowed_roles(app.view_functions[rule.endpoint]))
            groups.setdefault(group, []).append(rule)
    for (_, roles), rules in sorted(groups.items(), key=lambda item: (item[0][0], sorted(item[0][1]))):
        may = [roles is EVERYONE or roles == EVERYONE or role in roles for role in SIGNED_IN]
        yield _about(app, rules[0].endpoint), _addresses(rules), [*may, roles == EVERYONE]


def api(app: Flask) -> Iterator[Row]:
    """Give the API's routes by the scope that a token needs, and the roles whose tokens may have it."""
    groups: dict[str, list[Any]] = {}
    for rule in app.url_map.iter_rules():
        scope = required_scope(app.view_functions[rule.endpoint])
        if scope or rule.rule.startswith(API_PREFIX):
            groups.setdefault(scope or "", []).append(rule)
    for scope, rules in sorted(groups.items()):
        may = [not scope or (role != "volunteer" and scope in offered(Actor("", role))) for role in SIGNED_IN]
        yield scope or "no token", _addresses(rules), [*may, not scope]


def markdown(app: Flask) -> str:
    """Write both tables for the README."""
    heads = [*SIGNED_IN, "anybody"]
    lines = []
    for title, rows in (("pages", pages(app)), ("API: scope of the token", api(app))):
        lines += [f"| {title} | {' | '.join(heads)} | addresses |", f"|---|{'---|' * len(heads)}---|"]
        for what, addresses, may in rows:
            marks = " | ".join("●" if one else "–" for one in may)
            shown = " · ".join(f"`{one.replace('/api/v1', '')}`" for one in addresses)
            lines.append(f"| {what} | {marks} | {shown} |")
        lines.append("")
    return "\n".join(lines).strip()


def written_into(text: str, table: str) -> str:
    """Put the tables between their marks in a text. Raises click.UsageError when the marks are not there."""
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise click.UsageError(f"文件里应有 {BEGIN} 和 {END} 各一处")
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{table}\n{END}{rest.split(END)[1]}"


@click.command("routes")
@click.option("--markdown", "as_markdown", is_flag=True, help="按 README 的表格打印")
@click.option("--into", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="写进一个文件的两个标记之间")
@as_json
def routes_(as_markdown: bool, into: Path | None, json_: bool) -> None:
    """每个网址谁能用：各页面按角色，各接口按令牌的权限范围。"""
    app = create_app(ledger())
    if into is not None:
        into.write_text(written_into(into.read_text("utf-8"), markdown(app)), "utf-8")
    elif as_markdown:
        click.echo(markdown(app))
    elif json_:
        names = [*SIGNED_IN, "anybody"]
        print_json(
            [
                {"what": what, "addresses": addresses, "open_to": [name for name, one in zip(names, may, strict=True) if one]}
                for what, addresses, may in (*pages(app), *api(app))
            ]
        )
    else:
        for title, rows in (("页面", pages(app)), ("接口", api(app))):
            table = Table(title, *(ROLES[role] for role in SIGNED_IN), "任何人", "网址")
            for what, addresses, may in rows:
                table.add_row(what, *("●" if one else "–" for one in may), "\n".join(addresses))
            OUT.print(table)
