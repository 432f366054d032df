"""
「文件要求」: each requirement of the policies, and where it is met: an indicator, something handed in, a page, or why not here.

`requirements.json` beside the pages has one row for each, in its own words: {"row": "4-01", "asks": …, "pages": [endpoint …], "note": …, "out": why it is
not here}. Which indicators and forms answer a row is not repeated there: they name their rows themselves.
"""

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import orjson
from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from api.auth import open_to_all
from api.help_texts import HELP
from ledger.duties import forms
from ledger.indicators import adoption

blueprint = Blueprint("requirements", __name__, url_prefix="/requirements")
TITLES = {endpoint: one.title for endpoint, one in HELP.items()} | {
    "guide.page": "帮助",
    "filings.copies": "三份备案表",
    "duties.filing_ledger": "备案台账",
}
"""What pages and files are called here."""


@dataclass(frozen=True)
class Requirement:
    """One row of a policy: what it asks, the names of indicators and forms that answer it, endpoints of pages, or why it is out of scope."""

    row: str
    asks: str
    indicators: tuple[str, ...]
    forms: tuple[str, ...]
    pages: tuple[str, ...]
    note: str
    out: str


@cache
def documents() -> dict[str, list[Requirement]]:
    """Read the requirements, by the document they stand in."""
    said = orjson.loads((Path(__file__).parent.parent / "requirements.json").read_bytes())
    counted: dict[str, list[str]] = defaultdict(list)
    for chosen in adoption.shipped().values():
        for one in chosen.indicators:
            for row in one.rows:
                counted[row].append(one.name)
    handed: dict[str, list[str]] = defaultdict(list)
    for form in forms.shipped().values():
        for row in form.rows:
            handed[row].append(form.name)
    found: dict[str, list[Requirement]] = {name: [] for name in said["documents"].values()}
    for one in said["rows"]:
        row = one["row"]
        names = (tuple(dict.fromkeys(counted[row])), tuple(handed[row]), tuple(one.get("pages", ())))
        requirement = Requirement(row, one["asks"], *names, one.get("note", ""), one.get("out", ""))
        found[said["documents"][row[0]]].append(requirement)
    return found


@blueprint.get("/")
@open_to_all
def page() -> ResponseReturnValue:
    """Show the requirements and where each is met."""
    found = documents()
    single = {rule.endpoint for rule in current_app.url_map.iter_rules() if not rule.arguments}
    rows = [one for requirements in found.values() for one in requirements]
    tally = {
        "由指标数": sum(bool(one.indicators) for one in rows),
        "按期交材料": sum(bool(one.forms) for one in rows),
        "有页面办": sum(bool(one.pages) for one in rows),
        "不在本系统": sum(bool(one.out) for one in rows),
    }
    return render_template("requirements.html", documents=found, single=single, titles=TITLES, tally=tally, count=len(rows))
