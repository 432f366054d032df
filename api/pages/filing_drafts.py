"""Filling in an application: a page a step, each kept as it is sent; the last shows everything and hands it in."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import STAFF, actor, ledger, open_to
from api.pages.filings import WORDS
from ledger import categories, codes, organisations, stations
from ledger.errors import LedgerError, NotFound
from ledger.filing import drafts, forms, naming, reading
from ledger.filing.drafts import Draft
from ledger.ids import parse_number
from ledger.kinds.filing import FORMS, LEADERS_MAX
from ledger.people.actors import require, units
from ledger.transactions import ReadTransaction

blueprint = Blueprint("filing_drafts", __name__, url_prefix="/filings/drafts")
LEADERS_SHOWN = 3
_CHARTER = ("purpose", "scope", "charter_on", "charter_years")
_PLACE = (
    "area",
    "premises",
    "premises_area",
    "premises_public",
    "contact_name",
    "contact_phone",
    "contact_post",
    "members",
    "staff",
    "roster",
)
_KIND = ("name", "trade", "business", "ending", "legal_form", "category", "volunteer", "tier")
_SIGNED = ("declared_on", *(f"declared_{key}" for key in WORDS["DECLARED"]))
_MEETING = ("reason", "held_on", *forms.VOTES)
_CLOSING = ("premises", "leader_name", "leader_phone", "debts_note", "papers_note", *(f"settled_{key}" for key in WORDS["SETTLED"]))
_LEADERS = tuple(f"leader{place}.{key}" for place in range(LEADERS_MAX) for key in forms.PERSON)
_FILING = {"kind": "名称和类别", "charter": "宗旨和章程", "place": "场所和成员", "leaders": "负责人"}
STEPS = {
    "file": {**_FILING, "sign": "声明和提交"},
    "refile": {**_FILING, "sign": "声明和提交"},
    "change": {**_FILING, "meeting": "变更理由", "sign": "声明和提交"},
    "cancel": {"closing": "清算和退还", "meeting": "注销理由", "sign": "声明和提交"},
}
FIELDS = {
    "kind": _KIND,
    "charter": _CHARTER,
    "place": _PLACE,
    "leaders": _LEADERS,
    "meeting": _MEETING,
    "closing": _CLOSING,
    "sign": _SIGNED,
}
"""The fields of each page; a box that is not ticked is sent as nothing, and is nothing then."""


@blueprint.get("/new")
@open_to(*STAFF)
def form() -> ResponseReturnValue:
    """Ask which form, and for which station or organisation."""
    return _start()


def _start(problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        may = set(units(tx.connection, actor(), "file"))
        places = [unit for unit in stations.everyone(tx.connection) if unit.code in may and unit.level != "district" and not unit.closed_on]
        found = [one for one in reading.listing(tx, actor()) if one.row.station in may]
        names = {unit.code: unit.name for unit in places}
    said = request.values
    page = {"places": places, "found": found, "names": names, "said": said, "problem": problem, **WORDS}
    return render_template("filing_start.html", **page), status


@blueprint.post("/new")
@open_to(*STAFF)
def begin() -> ResponseReturnValue:
    """Begin a draft: of a first filing, of an organisation, or again of what was returned."""
    said = request.form
    form_, station, unit, replaces = (said.get(name, "") for name in ("form", "station", "organisation", "replaces"))
    try:
        with ledger().read() as tx:
            if replaces:
                row = reading.get_row(tx, replaces)
                require(tx.connection, actor(), "file", row.station)
                form_, station, unit = row.form, row.station, row.organisation if row.form != "file" else ""
            elif form_ != "file":
                station = _station_of(tx, unit)
        draft = drafts.begin(ledger(), actor(), form_, station, organisation=unit or None, replaces=replaces or None)
    except LedgerError as refusal:
        return _start(str(refusal), 400)
    return redirect(url_for("filing_drafts.step", draft=draft))


def _station_of(tx: ReadTransaction, unit: str) -> str:
    row = organisations.get_row(tx.connection, parse_number(unit))
    if row is None:
        raise NotFound("请先选择是哪个组织")
    return str(row.station)


def _page(found: Draft, here: str, problem: str = "", status: int = 200) -> ResponseReturnValue:
    row = found.row
    with ledger().read() as tx:
        place = naming.place(tx.connection, row.station)
        standing = organisations.get_row(tx.connection, row.organisation) if row.organisation else None
        returned = reading.get_row(tx, row.replaces) if row.replaces else None
        faults = _faults(tx, found) if here == "sign" and not problem else ""
        today = tx.today.isoformat()
    steps = STEPS[row.form]
    after = list(steps)[list(steps).index(here) + 1 :][:1]
    filled = max([place + 1 for place in range(LEADERS_MAX) if found.content.get(f"leader{place}.name")], default=1)
    page = {
        "draft": row,
        "said": found.content,
        "here": here,
        "steps": steps,
        "after": after[0] if after else "",
        "place": place,
        "unit": standing,
        "returned": returned,
        "faults": faults,
        "leaders": min(LEADERS_MAX, max(LEADERS_SHOWN, filled + 1)),
        "VOTES": forms.VOTES,
        "PUBLIC": forms.PUBLIC,
        "ENDINGS": sorted(naming.ENDINGS, key=len),
        "CATEGORIES": codes.CATEGORIES,
        "EXAMPLES": categories.EXAMPLES,
        "OTHERS": {code: _others(code) for code in codes.CATEGORIES},
        "today": today,
        "problem": problem,
        "shown": reading.shown,
        "declared": ["true"] if row.form == "cancel" else list(WORDS["DECLARED"]),
    }
    return render_template("filing_step.html", **page, **WORDS), status


def _others(category: str) -> str:
    """Say what a category is called in the other schemes."""
    schemes = {code: scheme for code, scheme in categories.SCHEMES.items() if code != codes.CATEGORY_SCHEME}
    named = (
        "、".join(scheme.kinds[one] for one in categories.translate(codes.CATEGORY_SCHEME, category, code))
        for code, scheme in schemes.items()
    )
    return "；".join(named)


def _faults(tx: ReadTransaction, found: Draft) -> str:
    """Say the first thing that is still wrong with a draft, but for what the last page asks for; empty when nothing is."""
    row = found.row
    signed = dict.fromkeys(_SIGNED, "1") | {"declared_on": tx.today.isoformat()}
    try:
        forms.read(row.form, {**found.content, **signed}, tx.today)
        if row.form in ("file", "refile"):
            naming.check(tx.connection, row.station, found.content.get("name", ""), organisation=_own(tx, row), today=tx.today.isoformat())
    except LedgerError as fault:
        return str(fault)
    return ""


def _own(tx: ReadTransaction, row: Any) -> str | None:
    """Give the organisation whose own name is no duplicate of itself."""
    if row.replaces:
        return str(reading.get_row(tx, row.replaces).organisation)
    return str(row.organisation) if row.organisation else None


@blueprint.get("/<uuid:draft>")
@open_to(*STAFF)
def step(draft: object) -> ResponseReturnValue:
    """Show one step of a draft."""
    with ledger().read() as tx:
        found = drafts.get(tx, actor(), str(draft))
    wanted = request.args.get("step", "")
    return _page(found, wanted if wanted in STEPS[found.row.form] else next(iter(STEPS[found.row.form])))


@blueprint.post("/<uuid:draft>")
@open_to(*STAFF)
def save(draft: object) -> ResponseReturnValue:
    """Keep what was typed and go on: to the next step, to another, or to look at the name that was put together."""
    said = request.form
    here = said.get("here", "")
    typed = {key: said.get(key, "") for key in FIELDS.get(here, ())}
    found = drafts.save(ledger(), actor(), str(draft), typed)
    if here not in STEPS[found.row.form]:
        return redirect(url_for("filing_drafts.step", draft=draft))
    if here == "kind":
        if "build" in said or not typed["name"]:
            found = drafts.save(ledger(), actor(), str(draft), {"name": _built(found)})
        if "build" in said or (fault := _name_fault(found)):
            return _page(found, here, "" if "build" in said else fault, 200 if "build" in said else 400)
    if here == "sign" and "submit" in said:
        return _submit(found)
    go = said.get("go", "")
    return redirect(url_for("filing_drafts.step", draft=draft, step=go if go in STEPS[found.row.form] else here))


def _built(found: Draft) -> str:
    with ledger().read() as tx:
        place = naming.place(tx.connection, found.row.station)
    said = found.content
    if not said.get("business"):
        return said.get("name", "")
    return naming.build(place, said.get("trade", ""), said["business"], said.get("ending", ""), short=True)


def _name_fault(found: Draft) -> str:
    row, name = found.row, found.content.get("name", "")
    with ledger().read() as tx:
        if row.organisation and row.form == "change" and organisations.name_of(tx.connection, row.organisation) == name:
            return ""
        try:
            naming.check(tx.connection, row.station, name, organisation=_own(tx, row), today=tx.today.isoformat())
        except LedgerError as fault:
            return str(fault)
    return ""


def _submit(found: Draft) -> ResponseReturnValue:
    try:
        filing, receipt = drafts.submit(ledger(), actor(), found.row.id)
    except LedgerError as refusal:
        return _page(found, "sign", str(refusal), 400)
    flash(f"「{FORMS[found.row.form]}」已交上去，账本第 {receipt.index} 条。下一步由另一位工作人员出意见。")
    return redirect(url_for("filings.one", filing=filing))


@blueprint.post("/<uuid:draft>/discard")
@open_to(*STAFF)
def discard(draft: object) -> ResponseReturnValue:
    """Throw a draft away."""
    drafts.discard(ledger(), actor(), str(draft))
    flash("草稿已丢弃。")
    return redirect(url_for("filings.listing"))
