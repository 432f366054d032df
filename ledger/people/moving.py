"""
Moving: a volunteer's home becomes another station, from today on; earlier days stay with the old one.

It takes two: the person and the new station, or the new station and the old one. The person asks on their own page and the new station accepts; or the new
station asks, naming number and name as the person's card shows them, and the person or the old station agrees.
"""

from ledger import stations
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.log import Fact, Receipt
from ledger.notices import tell
from ledger.people import identity, proposals, volunteers
from ledger.people.proposals import Proposal
from ledger.people.volunteers import Known
from ledger.transactions import ReadTransaction, WriteTransaction


def ask(tx: WriteTransaction, to: str) -> str:
    """Ask for one's own move; the new station accepts. Returns the proposal's id. Raises NotAllowed, InvalidRequest, NotFound."""
    if tx.actor.volunteer is None:
        raise NotAllowed("只有志愿者本人可以在这里申请转站")
    person = volunteers.get(tx, tx.actor.volunteer)
    _require_open(tx, person, to)
    return proposals.ask(tx, "move", person.row.number, to, {"from": person.row.station, "to": to})


def ask_in(tx: WriteTransaction, number: str, name: str, to: str) -> str:
    """Ask that somebody of another station moves here; the person or the old station agrees. Returns the proposal's id.

    Raises NotFound alike for a number that is nobody's and for a name that does not go with it.
    """
    tx.require("register", to)
    try:
        person = volunteers.get(tx, number)
    except NotFound:
        person = None
    if person is None or person.personal.identity.get("name") != identity.normalise_name(name):
        raise NotFound("编号和姓名对不上，或没有这位志愿者。请对照志愿者卡再看一遍")
    _require_open(tx, person, to)
    return proposals.ask(tx, "move", person.row.number, person.row.station, {"from": person.row.station, "to": to})


def carry_out(tx: WriteTransaction, proposal: Proposal) -> Receipt:
    """Move somebody, both sides having agreed."""
    person = volunteers.get(tx, proposal.row.volunteer)
    _require_open(tx, person, proposal.said["to"])
    if person.row.station != proposal.said["from"]:
        raise InvalidRequest("这位志愿者在此期间已经转到别的站点，请重新申请")
    body = {
        "volunteer": person.row.number,
        "station": proposal.said["to"],
        "from_station": person.row.station,
        "moved_on": tx.today.isoformat(),
        "asked_by": proposal.row.asked_by,
    }
    receipt = tx.append([Fact("volunteer.moved", body)])[0]
    tell(tx, "person/" + person.row.number, "volunteer.moved", {"entry": receipt.index, "station": proposal.said["to"]})
    return receipt


def _require_open(tx: ReadTransaction, person: Known, to: str) -> None:
    if person.row.left_on is not None:
        raise InvalidRequest("这份登记已经结束，不能转站。要重新参加，请到新的站点登记")
    if stations.get(tx.connection, to).closed_on is not None:
        raise InvalidRequest("这个站点已经撤销，请选择别的站点")
    if to == person.row.station:
        raise InvalidRequest("已经在这个站点登记，不用转")
