"""
Reading what is on file: one application, an organisation's standing, the list of a street.

    in_force   expiring (within WARN_DAYS of its last day)   lapsed (past it)   cancelled (de-filed)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, func, select

from ledger import categories, codes, organisations
from ledger.bulk import rows_where_in
from ledger.errors import NotFound
from ledger.filing import forms
from ledger.kinds.filing import LEGAL_FORMS, TIERS
from ledger.people.actors import Actor, units
from ledger.people.vault import Personal
from ledger.projections.filing import subjects_of
from ledger.service.records import counting
from ledger.tables import ActivityRow, FilingApplicationRow, FilingStandingRow, OrganisationRow, ServiceRow, table
from ledger.transactions import ReadTransaction

WARN_DAYS = 60
STATES = {"in_force": "有效", "expiring": f"{WARN_DAYS} 天内到期", "lapsed": "已到期", "cancelled": "已注销"}
PROGRESS = {
    "asked": "等居（村）委会意见",
    "heard": "等备案机关意见",
    "agreed": "已办结",
    "returned": "退回修改",
    "refused": "不同意",
    "replaced": "已另交新的申请",
}
"""How far an application came; an organisation of the street itself goes without the community's opinion."""
_APPLICATION, _STANDING = table(FilingApplicationRow), table(FilingStandingRow)
_ORGANISATION, _SERVICE, _ACTIVITY = table(OrganisationRow), table(ServiceRow), table(ActivityRow)


@dataclass(frozen=True)
class Listed:
    """An organisation in a list: its row, how its filing stands (a code of STATES, empty for a registered one), what is on file."""

    row: Any
    state: str
    standing: Any
    said: dict[str, Any]


@dataclass(frozen=True)
class Application:
    """An application opened: its row, its public words, leaders and the rest of the paper (None: erased), and how many days it has taken."""

    row: Any
    said: dict[str, Any]
    leaders: list[Personal | None]
    paper: Personal | None
    days: int


@dataclass(frozen=True)
class Counted:
    """What an organisation did: activities, minutes that count, people, of whom each is counted once."""

    activities: int
    minutes: int
    people: int


class SealedRow(NamedTuple):
    """What an entry commits to of something sealed."""

    subject: str
    identity: str | None
    contact: str | None
    guardian: str | None
    entry_index: int


def state_of(row: Any, cancelled: str | None, today: date) -> str:
    """Say how an organisation's filing stands on a day: a code of STATES, empty for one that is registered by law."""
    if cancelled:
        return "cancelled"
    if row.expires_on is None:
        return ""
    last = date.fromisoformat(row.expires_on)
    if last < today:
        return "lapsed"
    return "expiring" if last - today <= timedelta(days=WARN_DAYS) else "in_force"


def listing(tx: ReadTransaction, actor: Actor, wanted: str = "") -> list[Listed]:
    """List the organisations where an actor sees, in order of their numbers; *wanted*: only those that stand so."""
    rows = organisations.at_stations(tx.connection, units(tx.connection, actor, "see_station"))
    standing = {
        row.organisation: row for row in rows_where_in(tx.connection, _STANDING.c, _STANDING.c.organisation, [row.id for row in rows])
    }
    found = []
    for row in rows:
        kept = standing.get(row.id)
        state = state_of(row, kept.cancelled_on if kept is not None else None, tx.today)
        if not wanted or state == wanted:
            found.append(Listed(row, state, kept, orjson.loads(kept.said) if kept is not None else {}))
    return found


def standing_row(tx: ReadTransaction, organisation: str) -> Any:
    """Give what is on file of an organisation; None of one that was only listed."""
    return tx.connection.execute(select(_STANDING).where(_STANDING.c.organisation == organisation)).one_or_none()


def cancelled_on(tx: ReadTransaction, organisation: str) -> str | None:
    """Give the day on which an organisation was de-filed."""
    row = standing_row(tx, organisation)
    return row.cancelled_on if row is not None else None


def may_refile(tx: ReadTransaction, unit: Any) -> bool:
    """Tell whether an organisation may be filed again now: its filing lapses soon, or has, or it was de-filed."""
    return state_of(unit, cancelled_on(tx, unit.id), tx.today) != "in_force"


def get_row(tx: ReadTransaction, filing: str) -> Any:
    """Give an application's row. Raises NotFound."""
    row = tx.connection.execute(select(_APPLICATION).where(_APPLICATION.c.filing == filing)).one_or_none()
    if row is None:
        raise NotFound("没有这件申请。请回到列表再看一遍")
    return row


def applications(tx: ReadTransaction, actor: Actor, states: Sequence[str] = ()) -> list[Any]:
    """List applications where an actor sees, the oldest first; *states*: only those."""
    asked = select(_APPLICATION).where(_APPLICATION.c.station.in_(units(tx.connection, actor, "see_station")))
    asked = asked.where(_APPLICATION.c.state.in_(states)) if states else asked
    return list(tx.connection.execute(asked.order_by(_APPLICATION.c.entry_index)))


def of_organisation(tx: ReadTransaction, organisation: str) -> list[Any]:
    """List an organisation's applications, the newest first."""
    asked = select(_APPLICATION).where(_APPLICATION.c.organisation == organisation).order_by(_APPLICATION.c.entry_index.desc())
    return list(tx.connection.execute(asked))


def sealed_subjects(row: Any) -> list[str]:
    """Name what is sealed of an application."""
    return subjects_of(row.filing, len(orjson.loads(row.leaders)), particulars=row.particulars is not None)


def sealed_of_filings(connection: Connection) -> Iterator[SealedRow]:
    """Give what the entries commit to of all leaders and papers, to be compared with what is sealed; of a damaged row what can be read.

    That the row is damaged the comparison with a replay says.
    """
    for row in connection.execute(select(_APPLICATION).order_by(_APPLICATION.c.filing)):
        for place, one in enumerate(_leaders(row.leaders)):
            yield SealedRow(f"leader/{row.filing}-{place}", one["identity"], one.get("contact"), None, row.entry_index)
        if row.particulars is not None:
            yield SealedRow(f"filing/{row.filing}", None, row.particulars, None, row.entry_index)


def _leaders(said: str) -> list[dict[str, str]]:
    try:
        leaders = orjson.loads(said)
    except orjson.JSONDecodeError:
        return []
    fine = isinstance(leaders, list) and all(isinstance(one, dict) and "identity" in one for one in leaders)
    return leaders if fine else []


def open_application(tx: ReadTransaction, row: Any) -> Application:
    """Open an application: what is erased of it is None."""
    subjects = sealed_subjects(row)
    opened = tx.vault.open(tx.connection, subjects)
    leaders = [opened.get(subject) for subject in subjects if subject.startswith("leader/")]
    ended = row.street_on if row.state in ("agreed", "refused") and row.street_on else None
    ended = ended or (row.community_on if row.state == "refused" else None)
    until = date.fromisoformat(ended) if ended else tx.today
    days = (until - date.fromisoformat(row.first_asked_on)).days
    return Application(row, orjson.loads(row.said), leaders, opened.get(f"filing/{row.filing}"), days)


def content_of(tx: ReadTransaction, unit: Any) -> dict[str, str]:
    """Give what is on file of an organisation as a form is filled in with it; of one that was only listed, what the list said."""
    content = {"name": unit.name, "scheme": unit.scheme, "category": unit.category, "volunteer": "1" if unit.volunteer_organisation else ""}
    row = standing_row(tx, unit.id)
    if row is None or row.leaders_of is None:
        personal = tx.vault.open(tx.connection, ["organisation/" + unit.id]).get("organisation/" + unit.id)
        known = personal.contact if personal else {}
        return content | {f"leader0.{key}": known[key] for key in ("name", "phone") if key in known}
    return content | _content(orjson.loads(row.said), open_application(tx, get_row(tx, row.leaders_of)))


def content_again(tx: ReadTransaction, row: Any) -> dict[str, str]:
    """Give what an application said, to be mended and handed in again."""
    opened = open_application(tx, row)
    said = opened.said
    content = {"name": row.name} | _content(said, opened)
    content |= {key: said[key] for key in ("reason", "declared_on") if key in said}
    if "procedure" in said:
        held = said["procedure"]
        content |= {
            "held_on": held["held_on"],
            **{key: str(held[name]) for key, name in zip(forms.VOTES, ("members", "present", "agreed"), strict=True)},
        }
    return content | {"settled_" + key: "1" for key in said.get("settled", ())}


def _content(said: dict[str, Any], opened: Application) -> dict[str, str]:
    content: dict[str, str] = {
        key: str(said[key]) for key in ("legal_form", "area", "scheme", "category", "tier", "purpose", "scope") if key in said
    }
    content |= {key: str(said[key]) if said[key] else "" for key in ("members", "staff", "premises_area") if key in said}
    if "charter" in said:
        content |= {"charter_on": said["charter"]["adopted_on"], "charter_years": str(said["charter"]["term_years"])}
        content |= {"volunteer": "1" if said["volunteer_organisation"] else "", "premises_public": "1" if said["premises_public"] else ""}
    for place, one in enumerate(opened.leaders):
        if one is not None:
            content |= {f"leader{place}.{key}": value for key, value in (*one.identity.items(), *one.contact.items())}
    paper = opened.paper.contact if opened.paper is not None else {}
    return content | {key: value for key, value in paper.items() if key not in ("before", "after")}


def shown(key: str, content: forms.Content) -> str:
    """Say one field as people read it."""
    value = content.get(key, "")
    if key == "category":
        return categories.name_of(content.get("scheme") or codes.CATEGORY_SCHEME, value)
    if key in ("volunteer", "premises_public"):
        return "是" if value == "1" else "否"
    table_of = {"legal_form": LEGAL_FORMS, "tier": TIERS}.get(key)
    return table_of.get(value, value) if table_of else value


def premises(tx: ReadTransaction, organisation: str) -> str:
    """Give where an organisation meets, if it wants that told to everybody; empty when it does not, or the paper is erased."""
    row = standing_row(tx, organisation)
    if row is None or row.particulars_of is None or not orjson.loads(row.said).get("premises_public"):
        return ""
    subject = f"filing/{row.particulars_of}"
    opened = tx.vault.open(tx.connection, [subject]).get(subject)
    return opened.contact.get("premises", "") if opened is not None else ""


def counted(tx: ReadTransaction, organisation: str) -> Counted:
    """Count an organisation's activities, and what was served for it and counts today."""
    of_it = _ACTIVITY.c.organisation == organisation
    held = tx.connection.execute(
        select(func.count()).select_from(_ACTIVITY).where(of_it, _ACTIVITY.c.ended_as.is_distinct_from("cancelled"))
    )
    sums = (func.coalesce(func.sum(_SERVICE.c.minutes), 0), func.count(_SERVICE.c.volunteer.distinct()))
    served = select(*sums).where(_SERVICE.c.activity.in_(select(_ACTIVITY.c.id).where(of_it)), counting(tx.today.isoformat()))
    total, people = tx.connection.execute(served.where(_SERVICE.c.organisation == organisation)).one()
    return Counted(int(held.scalar_one()), int(total), int(people))
