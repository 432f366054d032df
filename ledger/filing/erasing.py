"""
Erasing what an application holds of a person: a leader who left, or the rest of the paper. The public words, the number and every opinion stay.

Each leader has a key of their own: destroying it makes them unreadable in every old backup, and nobody else. It takes an approver who did not hand the
application in; the caller runs `destruction.finish` after the commit.
"""

from collections.abc import Sequence
from datetime import date

from ledger.errors import Conflict, InvalidRequest, NotAllowed
from ledger.filing import reading
from ledger.kinds.filing import ERASED
from ledger.log import Fact, Receipt
from ledger.people.destruction import wipe
from ledger.transactions import WriteTransaction


def erase(
    tx: WriteTransaction, filing: str, leaders: Sequence[int], reason: str, requested_on: date, *, particulars: bool = False
) -> Receipt:
    """Erase leaders (by their place on the list, from 0) of an application, perhaps with contacts, roster and address (*particulars*).

    Raises NotFound, NotAllowed, InvalidRequest, Conflict when the application is still open.
    """
    row = reading.get_row(tx, filing)
    tx.require("erase", row.station)
    if tx.actor.account == row.asked_by:
        raise NotAllowed("这件申请是您交上来的，销毁个人资料要由另一个人来办")
    if row.state in ("asked", "heard", "returned"):
        raise Conflict("申请还在办理，办结或不同意以后才能销毁其中的个人资料")
    if reason not in ERASED:
        raise InvalidRequest(f"请选择销毁的理由：{'、'.join(ERASED.values())}")
    if not row.asked_on <= requested_on.isoformat() <= tx.today.isoformat():
        raise InvalidRequest(f"要求销毁的日期 {requested_on} 应在申请之后、今天以前，请核对")
    opened = reading.open_application(tx, row)
    wanted = sorted(set(leaders))
    if not wanted and not particulars:
        raise InvalidRequest("请选择要销毁谁的资料")
    if any(not 0 <= place < len(opened.leaders) or opened.leaders[place] is None for place in wanted) or (
        particulars and opened.paper is None
    ):
        raise Conflict("选中的资料里有的已经销毁，请刷新页面")
    body = {"organisation": row.organisation, "station": row.station, "filing": filing, "leaders": wanted, "particulars": particulars}
    receipt = tx.append([Fact("organisation.filing_erased", body | {"reason": reason, "requested_on": requested_on.isoformat()})])[0]
    wipe(tx.connection, [*(f"leader/{filing}-{place}" for place in wanted), *([f"filing/{filing}"] if particulars else [])])
    return receipt
