"""
Proposals: what one person asks about a volunteer or an organisation and a second one decides.

The particulars, and a paper that was handed in with them, are sealed under the subject's own key, so that they are gone when the person is erased, and
are cleared once it is decided; who asked and who decided stays. Nobody decides what they asked themselves, nobody vouches for people whom they
registered, and nobody judges whether they were wrong themselves (`barred` in what is said). A volunteer has one proposal of a kind waiting at a time;
of a credit record (SEVERAL) there may be more.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, select

from ledger.bulk import insert_rows, rows_where_in
from ledger.entries import b64, format_time
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.ids import new_entry_id
from ledger.kinds.checks import text
from ledger.notices import About, Telling, tell_many
from ledger.people import volunteers
from ledger.people.actors import Actor, units
from ledger.tables import ProposalPaperRow, ProposalRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

KINDS = {
    "confirm": "核实本人的确认",
    "change": "更正姓名、证件号或电话",
    "merge": "合并重复登记",
    "claim": "认领账号",
    "move": "转到另一个站点",
    "award": "登记表彰奖励",
    "award_withdrawal": "撤销表彰奖励",
    "conduct": "记守信或失信",
    "lift": "撤下守信失信记录",
    "note": "组织信用公示、警示、列入名单",
    "unlist": "组织移出公示、警示、名单",
}
SEVERAL = frozenset({"award", "award_withdrawal", "conduct", "lift", "note", "unlist"})
"""Kinds about a credit record: several may wait at a time."""
ACTIONS = {"confirm": "decide_people", "change": "decide_people", "merge": "decide_people", "claim": "decide_people", "move": "register"}
ACTIONS |= dict.fromkeys(SEVERAL, "decide_credit")
"""What right the second person needs at the proposal's station."""
REMARK_MAX = 200
_NONE = "没有这件待办，可能已经撤回。请刷新页面"
_PROPOSAL, _PAPER = table(ProposalRow), table(ProposalPaperRow)


@dataclass(frozen=True)
class Paper:
    """A paper as it was handed in: a scan or photo."""

    content: bytes
    media_type: str

    @property
    def sha256(self) -> str:
        """The digest by which an entry names it (base64)."""
        return b64(hashlib.sha256(self.content).digest())


@dataclass(frozen=True)
class Proposal:
    """A proposal opened: its row, and what it says (empty once it is decided)."""

    row: Any
    said: Mapping[str, Any]


def ask(
    tx: WriteTransaction,
    kind: str,
    volunteer: str | None,
    station: str,
    said: Mapping[str, Any],
    *,
    organisation: str | None = None,
    paper: Paper | None = None,
) -> str:
    """Ask for something to be decided by a second person, of a volunteer or of an organisation. Returns the proposal's id.

    Raises Conflict when the same kind waits already.
    """
    if kind not in SEVERAL and any(row.kind == kind for row in _waiting_of(tx.connection, volunteer)):
        raise Conflict(f"这位志愿者已有一件「{KINDS[kind]}」在等另一人办理，请先办完那一件")
    new_id = new_entry_id()
    row = {
        "id": new_id,
        "kind": kind,
        "volunteer": volunteer,
        "organisation": organisation,
        "station": station,
        "sealed": tx.vault.seal_more(_subject(volunteer, organisation), orjson.dumps(said), "proposal/" + new_id),
        "asked_by": tx.actor.account,
        "asked_at": format_time(tx.now),
        "state": "waiting",
        "decided_by": None,
        "decided_at": None,
        "remark": None,
    }
    insert_rows(tx.connection, _PROPOSAL, [row])
    if paper is not None:
        sealed = tx.vault.seal_more(_subject(volunteer, organisation), paper.content, "proposal-paper/" + new_id)
        kept = {"proposal": new_id, "volunteer": volunteer, "organisation": organisation}
        insert_rows(tx.connection, _PAPER, [kept | {"media_type": paper.media_type, "sha256": paper.sha256, "sealed": sealed}])
    return new_id


def _subject(volunteer: str | None, organisation: str | None) -> str:
    return f"person/{volunteer}" if volunteer else f"organisation/{organisation}"


def paper(tx: ReadTransaction, proposal_id: str) -> Paper:
    """Open the paper that was handed in with a proposal that waits. Raises NotFound."""
    rows = rows_where_in(tx.connection, _PAPER.c, _PAPER.c.proposal, [proposal_id])
    if not rows:
        raise NotFound("没有附证书，或者这件事已经办完：办完以后照片就删除，账本里只留指纹")
    row = rows[0]
    content = tx.vault.open_more(_subject(row.volunteer, row.organisation), bytes(row.sealed), "proposal-paper/" + proposal_id)
    return Paper(content, row.media_type)


def take(tx: WriteTransaction, proposal_id: str) -> Proposal:
    """Open a waiting proposal that the actor may decide. Raises NotFound, Conflict (decided meanwhile), NotAllowed."""
    row = get_row(tx.connection, proposal_id)
    if row.state != "waiting":
        raise Conflict("这件事已经有人办过了，请刷新页面")
    by_the_person = row.kind == "move" and tx.actor.volunteer is not None and tx.actor.volunteer in volunteers.numbers_of(tx, row.volunteer)
    if not by_the_person:
        tx.require(ACTIONS[row.kind], row.station)
        tx.require_own()
    said = _open(tx, row)
    if tx.actor.account == row.asked_by:
        raise NotAllowed("这件事是您提出的，要由另一个人来办")
    if tx.actor.account in said.get("barred", ()):
        raise NotAllowed("原来那一条是您提出或决定的，对不对要由没有经手的人来判断")
    if row.kind == "confirm" and tx.actor.account in (volunteers.get(tx, row.volunteer).row.recorder, said.get("code_by")):
        raise NotAllowed("这位志愿者是您登记的，或者登录码是您发的，本人的确认要由另一位工作人员核实")
    return Proposal(row, said)


def settle(tx: WriteTransaction, proposal: Proposal, state: str, remark: str | None = None) -> None:
    """Note how a proposal was decided, and clear its particulars."""
    values = {"state": state, "decided_by": tx.actor.account, "decided_at": format_time(tx.now), "remark": remark, "sealed": None}
    tx.connection.execute(_PROPOSAL.update().where(_PROPOSAL.c.id == proposal.row.id).values(values))
    tx.connection.execute(_PAPER.delete().where(_PAPER.c.proposal == proposal.row.id))


def decline(tx: WriteTransaction, proposal_id: str, remark: str) -> None:
    """Turn a proposal down, with the reason; whoever asked and the person are told. Whoever asked may take it back too.

    Raises as `take`, and InvalidRequest without a reason.
    """
    row = get_row(tx.connection, proposal_id)
    if row.state == "waiting" and row.asked_by == tx.actor.account:
        settle(tx, Proposal(row, {}), "dropped", "提出人撤回")
        return
    proposal = take(tx, proposal_id)
    if len(remark) < 2 or not text(REMARK_MAX)(remark):
        raise InvalidRequest(f"请写明不同意的理由（2 至 {REMARK_MAX} 个字，不要写手机号或身份证号），提出的人和本人会看到")
    settle(tx, proposal, "declined", remark)
    about: About = {"proposal": proposal_id, "kind": row.kind}
    tell_many(tx, [Telling(recipient, "proposal.declined", about) for recipient in sorted(_told(tx, row))])


def _told(tx: WriteTransaction, row: Any) -> set[str]:
    """Give who hears that a proposal was turned down: whoever asked, and the person; not of what was said against them and came to nothing."""
    if row.volunteer is None:
        return {row.asked_by}
    own = set(volunteers.accounts_of(tx, row.volunteer))
    told = {row.asked_by} - own
    unheard = row.kind in ("conduct", "award_withdrawal") and row.asked_by not in own
    if tx.actor.volunteer not in volunteers.numbers_of(tx, row.volunteer) and not unheard:
        told.add("person/" + volunteers.get(tx, row.volunteer).row.number)
    return told


def drop_all(tx: WriteTransaction, volunteer: str, remark: str) -> None:
    """Drop whatever waits of a volunteer: they are not there any more."""
    for row in _waiting_of(tx.connection, volunteer):
        settle(tx, Proposal(row, {}), "dropped", remark)


def waiting(tx: ReadTransaction, actor: Actor) -> list[Proposal]:
    """List what waits where the actor may decide, oldest first; also what they asked themselves."""
    may = {action: set(units(tx.connection, actor, action)) for action in set(ACTIONS.values())}
    rows = tx.connection.execute(select(_PROPOSAL).where(_PROPOSAL.c.state == "waiting").order_by(_PROPOSAL.c.asked_at, _PROPOSAL.c.id))
    return [Proposal(row, _open(tx, row)) for row in rows if row.station in may[ACTIONS[row.kind]] or row.asked_by == actor.account]


def of(tx: ReadTransaction, volunteer: str | None, organisation: str | None = None) -> list[Proposal]:
    """List what waits of one volunteer, or of one organisation."""
    return [Proposal(row, _open(tx, row)) for row in _waiting_of(tx.connection, volunteer, organisation)]


def asked_of(tx: ReadTransaction, volunteer: str) -> list[Any]:
    """List the rows that wait for a volunteer's own answer: moves that a station asks for."""
    own = set(volunteers.accounts_of(tx, volunteer))
    return [row for row in _waiting_of(tx.connection, volunteer) if row.kind == "move" and row.asked_by not in own]


def get_row(connection: Connection, proposal_id: str) -> Any:
    """Give a proposal's row. Raises NotFound."""
    rows = rows_where_in(connection, _PROPOSAL.c, _PROPOSAL.c.id, [proposal_id])
    if not rows:
        raise NotFound(_NONE)
    return rows[0]


def see(tx: ReadTransaction, actor: Actor, proposal_id: str) -> None:
    """Make sure that a proposal is one where the actor may decide, or their own. Raises NotFound: whether others have any is not told."""
    row = get_row(tx.connection, proposal_id)
    if row.asked_by != actor.account and row.station not in units(tx.connection, actor, ACTIONS[row.kind]):
        raise NotFound(_NONE)


def _waiting_of(connection: Connection, volunteer: str | None, organisation: str | None = None) -> list[Any]:
    column, value = (_PROPOSAL.c.volunteer, volunteer) if volunteer else (_PROPOSAL.c.organisation, organisation)
    rows = rows_where_in(connection, _PROPOSAL.c, column, [value])
    return sorted((row for row in rows if row.state == "waiting"), key=lambda row: row.asked_at)


def _open(tx: ReadTransaction, row: Any) -> Mapping[str, Any]:
    if row.sealed is None:
        return {}
    said: Mapping[str, Any] = orjson.loads(
        tx.vault.open_more(_subject(row.volunteer, row.organisation), bytes(row.sealed), "proposal/" + row.id)
    )
    return said
