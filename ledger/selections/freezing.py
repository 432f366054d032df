"""Step two, 冻结: what counts is fixed at a signed checkpoint. The entry that says so stands right behind it, so nothing comes between."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from sqlalchemy import func, or_, select

from ledger.checkpoints import newest_checkpoint
from ledger.entries import b64
from ledger.errors import Conflict, InvalidRequest
from ledger.kinds import Body
from ledger.log import Fact, Receipt
from ledger.notes import parse_checkpoint
from ledger.people.actors import Actor, below
from ledger.selections import drafts, reading
from ledger.selections.ranking import rank
from ledger.selections.reading import ACTION
from ledger.selections.rules import Rules
from ledger.selections.sources import Scope, live, units_below
from ledger.selections.yearly import days_asked, scope_on
from ledger.store import Ledger
from ledger.tables import ServiceRow, VolunteerRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

_SERVICE, _VOLUNTEER = table(ServiceRow), table(VolunteerRow)
_TRIES = 8
Done = TypeVar("Done")


@dataclass(frozen=True)
class Outlook:
    """What would not count if it were frozen today: records in publicity and until when, waiting for approval, frozen by an objection."""

    publicity: int
    publicity_until: str | None
    waiting: int
    contested: int


def outlook(tx: ReadTransaction, station: str, year: int, rules: Rules) -> Outlook:
    """Count what is still on its way, of the period and of the unit's people."""
    since, until = rules.span(year)
    of_unit = _VOLUNTEER.c.station.in_(below(tx.connection, station))
    joined = _SERVICE.join(_VOLUNTEER, _VOLUNTEER.c.number == _SERVICE.c.volunteer)
    mine = of_unit, _SERVICE.c.served_on >= since, _SERVICE.c.served_on <= until
    today = tx.today.isoformat()
    later = (_SERVICE.c.status == "approved") & (_SERVICE.c.effective_on > today) & (_SERVICE.c.frozen == 0)
    columns = (
        func.count().filter(later).label("publicity"),
        func.max(_SERVICE.c.effective_on).filter(later).label("publicity_until"),
        func.count().filter((_SERVICE.c.status == "recorded") & (_SERVICE.c.frozen == 0)).label("waiting"),
        func.count().filter(_SERVICE.c.frozen == 1).label("contested"),
    )
    asked = select(*columns).select_from(joined).where(*mine, or_(_SERVICE.c.status != "voided", _SERVICE.c.frozen == 1))
    return Outlook(*tx.connection.execute(asked).one())


def preview(tx: ReadTransaction, row: Any) -> Scope:
    """Say what a draft (its row) asks as things stand. Raises InvalidRequest."""
    return scope_on(tx, row.year, drafts.rules_of(row), units_below(tx.connection, row.station))


@dataclass(frozen=True)
class Trial:
    """What rules would come to today, in numbers alone, so that they are not made to fit somebody: who has enough minutes, who is chosen."""

    considered: int
    chosen: int
    most: int
    least: int


def trial(tx: ReadTransaction, row: Any) -> Trial:
    """Try a draft's rules (its row) on the ledger as it stands. Raises InvalidRequest."""
    scope = preview(tx, row)
    found = rank(live(tx.connection, scope), scope.rules, scope.until)
    minutes = [one.sums.minutes for one in found.chosen] or [0]
    return Trial(found.considered, len(found.chosen), max(minutes), min(minutes))


class LogMoved(Conflict):
    """The log has grown past its newest checkpoint."""


def freeze(ledger: Ledger, actor: Actor, draft: str) -> Receipt:
    """Sign a checkpoint and freeze a draft's newest version on it. Raises as `open_at_checkpoint`; Conflict when others keep writing in between."""
    return at_checkpoint(ledger, lambda: ledger.write(lambda tx: open_at_checkpoint(tx, draft), actor))


def at_checkpoint(ledger: Ledger, attempt: Callable[[], Done]) -> Done:
    """Sign a checkpoint and attempt a write that has to stand right behind it, again while others come in between. Raises LogMoved in the end."""
    for _ in range(_TRIES - 1):
        ledger.sign_now()
        try:
            return attempt()
        except LogMoved:
            pass
    ledger.sign_now()
    return attempt()


def open_at_checkpoint(tx: WriteTransaction, draft: str) -> Receipt:
    """Freeze a draft on the newest checkpoint.

    Raises LogMoved when the log has grown past it, NotFound, NotAllowed, Conflict (frozen already), InvalidRequest (rules that nobody can meet).
    """
    row = reading.see_draft(tx, tx.actor, draft)
    tx.require(ACTION, row.station)
    if reading.find(tx.connection, draft) is not None:
        raise Conflict("这一轮已经冻结了，请刷新页面")
    note = newest_checkpoint(tx.connection)
    checkpoint = parse_checkpoint(note[: note.rindex("\n\n") + 1]) if note else None
    if checkpoint is None or checkpoint.size != tx.tree_size:
        raise LogMoved("账本正忙，冻结的一刻总有别的记录写进来。请过一会儿再点「冻结」")
    rules = drafts.rules_of(row)
    scope = preview(tx, row)
    total, seats = rules.quota.total, live(tx.connection, scope).seats
    if total is not None and sum(low for low, _ in seats.values()) > total:
        raise InvalidRequest(f"各站最低名额加起来超过了总名额 {total}，请改规则的 quota")
    since, until = rules.span(row.year)
    if since > tx.today.isoformat():
        raise InvalidRequest(f"统计期间从 {since} 开始，还没有到，不能冻结")
    body: Body = {
        "selection": draft,
        "station": row.station,
        "subject": rules.subject,
        "year": row.year,
        "rules": orjson.loads(row.rules),
        "rules_sha256": rules.sha256,
        "tree_size": checkpoint.size,
        "root": b64(checkpoint.root),
        "counted_on": tx.today.isoformat(),
    }
    body |= {name: said for name in ("random_source", "replaces") if (said := getattr(row, name))}
    if rules.staff:
        off, worked = days_asked(tx, (since, min(until, tx.today.isoformat())))
        body |= {"days_off": off, "days_worked": worked}
    return tx.append([Fact("selection.opened", body)])[0]
