"""
Handing in an application: the main leader's declaration, the first of three steps.

    asked -> heard (the community agreed) -> agreed (the street agreed)          an organisation of the street itself: asked -> agreed
          -> returned | refused  by either; a returned one is mended and handed in again as a new application that names it (replaced)

One application of an organisation is open at a time. What is personal is sealed in the same write, each leader under a key of their own, so that one of
them can be erased alone; the sealed data of what is replaced is erased there and then. The caller runs `destruction.finish` after a replacement.
"""

from typing import Any

import orjson
from sqlalchemy import select

from ledger import organisations, stations
from ledger.bulk import rows_where_in
from ledger.codes import CATEGORY_SCHEME
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.filing import forms, naming, reading
from ledger.filing.forms import Content, Read
from ledger.ids import new_number
from ledger.kinds import Body
from ledger.kinds.filing import FORMS, ITEMS, LEADERS_MAX
from ledger.log import Fact, Receipt
from ledger.notices import tell_staff
from ledger.people.destruction import wipe
from ledger.people.vault import Personal
from ledger.tables import FilingApplicationRow, VolunteerRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

_APPLICATION, _VOLUNTEER = table(FilingApplicationRow), table(VolunteerRow)
CHANGES = {
    "name": ("name",),
    "leader": tuple(f"leader{place}.{key}" for place in range(LEADERS_MAX) for key in forms.PERSON),
    "premises": ("premises", "premises_area", "premises_public"),
    "area": ("area",),
    "scope": ("purpose", "scope"),
    "category": ("scheme", "category", "volunteer", "legal_form"),
    "tier": ("tier",),
    "members": ("members", "staff", "roster"),
}
"""Which fields make up each item that may change."""
_SHOWN = {
    "leader": ("leader0.name",),
    "premises": ("premises", "premises_area", "premises_public"),
    "category": ("category", "volunteer", "legal_form"),
    "members": ("members", "staff"),
}
_NAMED = frozenset({"members", "staff", "premises_area", "premises_public", "volunteer"})
"""What is told with its label."""
SUMMARY_MAX = 900


def ask(
    tx: WriteTransaction, form: str, station: str, content: Content, *, organisation: str | None = None, replaces: str | None = None
) -> tuple[str, Receipt]:
    """Hand in a form (a code of FORMS) for an organisation of a unit. Returns the application's number and the receipt.

    *organisation*: which, for all forms but the first filing. *replaces*: the returned application that this one mends.
    Raises NotAllowed, NotFound, InvalidRequest, Conflict.
    """
    tx.require("file", station)
    if form not in FORMS:
        raise InvalidRequest(f"请选择办哪一种：{'、'.join(FORMS.values())}")
    if stations.get(tx.connection, station).closed_on:
        raise InvalidRequest("这个单位已经撤销，不能再办备案。请选现在的社区或街镇")
    street = naming.street_of(tx.connection, station)
    content = {"scheme": CATEGORY_SCHEME, **content}
    before = returned(tx, replaces, form, station, organisation) if replaces else None
    organisation = before.organisation if before is not None else organisation
    unit = organisation_for(tx, form, station, organisation)
    _alone(tx, unit.id if unit else organisation)
    said = forms.read(form, content, tx.today)
    _known_volunteers(tx, content)
    name = unit.name if form == "cancel" else content.get("name", "")
    if form in ("file", "refile") or (form == "change" and "".join(name.split()) != unit.name):  # a name that stands may stay
        name = naming.check(tx.connection, station, name, organisation=organisation, today=tx.today.isoformat())
    changed = _changed(tx, unit, {**content, "name": name}, said) if form == "change" else {}
    filing = new_number()
    body: Body = {
        "organisation": unit.id if unit else organisation or new_number(),
        "station": station,
        "filing": filing,
        "street": street,
        "form": form,
        "name": name,
        **said.public,
        **_sealed(tx, filing, said),
        **changed,
        **({"number": unit.number} if unit else {}),
        **({"replaces": before.filing} if before is not None else {}),
    }
    receipt = tx.append([Fact("organisation.filing_asked", body)])[0]
    if before is not None:
        wipe(tx.connection, reading.sealed_subjects(before))
    community = street != station
    tell_staff(tx, "opine" if community else "decide_filing", station, "filing.asked", {"filing": filing, "form": form})
    return filing, receipt


def returned(tx: ReadTransaction, filing: str, form: str, station: str, organisation: str | None) -> Any:
    """Give an application that was returned and may be handed in again. Raises NotFound, Conflict."""
    row = reading.get_row(tx, filing)
    if row.form != form or row.station != station or (organisation and row.organisation != organisation):
        raise NotFound("退回的不是这一件申请，请从列表重新打开")
    if row.state != "returned":
        raise Conflict("只有退回修改的申请才能改好再交。请刷新页面")
    return row


def organisation_for(tx: ReadTransaction, form: str, station: str, organisation: str | None) -> Any:
    """Give the organisation that a form is about; None for a first filing."""
    if form == "file":
        return None
    unit = organisations.get_row(tx.connection, organisation or "")
    if unit is None:
        raise NotFound("没有这个组织。请从组织的列表里打开它，再办这件事")
    if unit.station != station:
        raise NotAllowed("这个组织不在这个站点，请由它所在的站点办理")
    if reading.cancelled_on(tx, unit.id) and form != "refile":
        raise Conflict(f"「{unit.name}」已经注销，不能再变更或注销。要恢复活动，请办重新备案")
    if form == "refile" and unit.basis == "filed" and not reading.may_refile(tx, unit):
        raise Conflict(f"「{unit.name}」的备案到 {unit.expires_on} 才到期，到期前 {reading.WARN_DAYS} 天起可以重新备案；要改内容请办变更")
    return unit


def _alone(tx: ReadTransaction, organisation: str | None) -> None:
    """Make sure that nothing else is open about an organisation."""
    if organisation is None:
        return
    asked = select(_APPLICATION.c.form).where(_APPLICATION.c.organisation == organisation, _APPLICATION.c.state.in_(naming.OPEN))
    if form := tx.connection.execute(asked.limit(1)).scalar_one_or_none():
        raise Conflict(f"这个组织有一件「{FORMS[form]}」还在办理，请先办完那一件")


def _known_volunteers(tx: ReadTransaction, content: Content) -> None:
    numbers = forms.roster(content.get("roster", ""))[1]
    known = {row.number for row in rows_where_in(tx.connection, [_VOLUNTEER.c.number], _VOLUNTEER.c.number, numbers)}
    if missing := [number for number in numbers if number not in known]:
        raise InvalidRequest(f"名册上的志愿者编号 {missing[0]} 没有登记，请核对，或改写姓名")


def _sealed(tx: WriteTransaction, filing: str, said: Read) -> Body:
    """Seal what is personal; give the commitments as the entry says them."""
    people = [Personal(f"leader/{filing}-{place}", one.identity, one.contact) for place, one in enumerate(said.leaders)]
    paper = [Personal(f"filing/{filing}", contact=said.paper)] if said.paper else []
    made = tx.seal([*people, *paper])
    leaders = [{"identity": one.identity, **({"contact": one.contact} if one.contact else {})} for one in made[: len(people)]]
    return {"leaders": leaders, **({"particulars": made[-1].contact} if paper else {})}


def _changed(tx: ReadTransaction, unit: Any, content: Content, said: Read) -> Body:
    """Find what a change changes against what is on file, and write both down for the paper. Raises InvalidRequest when it is nothing."""
    now = reading.content_of(tx, unit)
    items = [
        item
        for item, keys in CHANGES.items()
        if any(_plain(content, key) != _plain(now, key) for key in keys if key in now or _plain(content, key))
    ]
    if not items:
        raise InvalidRequest("和现在备案的内容一样，没有要变更的。请改好要变的地方再交")
    said.paper["before"] = _summary(items, now)
    said.paper["after"] = _summary(items, content)
    if "roster" not in said.public and "members" in now and _plain(content, "members") == _plain(now, "members"):
        standing = reading.standing_row(tx, unit.id)
        kept = orjson.loads(standing.said).get("roster") if standing is not None else None
        said.public.update({"roster": kept} if kept else {})
    return {"items": items}


def _plain(content: Content, key: str) -> str:
    return " ".join(content.get(key, "").split())


def _summary(items: list[str], content: Content) -> str:
    lines = []
    for item in items:
        keys = _SHOWN.get(item, CHANGES[item])
        pairs = ((forms.LABELS[key] if key in _NAMED else "", reading.shown(key, content)) for key in keys)
        said = "，".join(f"{label} {value}".strip() for label, value in pairs if value)
        lines.append(f"{ITEMS[item]}：{said or '（未登记）'}")
    return "\n".join(lines)[:SUMMARY_MAX]
