"""Step eight, 定稿: two people sign the same list, each who is chosen has an award, and is told."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from ledger import stations
from ledger.bulk import rows_where_in, upsert_rows
from ledger.entries import format_time
from ledger.errors import Conflict, InvalidRequest, NotAllowed
from ledger.kinds import Body
from ledger.kinds.checks import digest
from ledger.kinds.credit import TITLE_MAX
from ledger.log import Fact, Receipt
from ledger.notices import Telling, tell_many
from ledger.selections import reading
from ledger.selections.doubts import SEAL
from ledger.selections.reading import ACTION
from ledger.tables import SelectionProposalRow, VolunteerRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

_PROPOSAL, _VOLUNTEER = table(SelectionProposalRow), table(VolunteerRow)
_LEVELS = {"station": "station", "centre": "centre", "district": "district"}


def first_signature(tx: ReadTransaction, selection: str) -> Any:
    """Give what the first signer signed (a row: finding holds the digest of the board's minutes, reason that of the list); None before."""
    mine = _PROPOSAL.c.selection == selection, _PROPOSAL.c.service == SEAL
    return tx.connection.execute(select(_PROPOSAL).where(*mine)).one_or_none()


def sign(tx: WriteTransaction, selection: str, board_minutes: str = "", *, seen: str = "") -> Receipt | None:
    """Sign the final list. The first signature waits for the second, of another person, on the same list; that one makes it final.

    *board_minutes*: SHA-256 (base64) of the minutes of the board that agreed, if they are kept; *seen*: the digest of the list that the signer looked at.
    Returns the receipt of the final list, or None. Raises NotFound, NotAllowed, Conflict (also when the list is another by now), InvalidRequest.
    """
    row = reading.see(tx, tx.actor, selection)
    tx.require(ACTION, row.station)
    _check_due(tx, row)
    ranking = reading.ranking_of(tx.connection, row)
    said = reading.digest_of(row, ranking)
    if seen not in ("", said):
        raise Conflict("名单刚刚变了，不是您看到的那一份，没有签。请刷新页面，看过再签")
    if board_minutes and not digest(board_minutes):
        raise InvalidRequest("会议纪要的摘要不对，应是 SHA-256（base64）。请重新选择纪要文件")
    first = first_signature(tx, row.id)
    if first is None or first.reason != said:
        signed = {"selection": row.id, "service": SEAL, "finding": board_minutes, "reason": said}
        upsert_rows(tx.connection, _PROPOSAL, [signed | {"asked_by": tx.actor.account, "asked_at": format_time(tx.now)}])
        return None
    if first.asked_by == tx.actor.account:
        raise NotAllowed("您已经签过了，定稿要由另一个人来签第二个")
    minutes = first.finding or board_minutes
    body: Body = {"selection": row.id, "station": row.station, "list": said, "chosen": len(ranking.chosen), "asked_by": first.asked_by}
    body |= {"board_minutes": minutes} if minutes else {}
    receipt = tx.append([Fact("selection.sealed", body)])[0]
    now = _as_they_are_now(tx, row, [one.sums.subject for one in ranking.chosen])
    award = _award(tx, row, first.asked_by)
    whose = "volunteer" if row.subject == "volunteers" else "organisation"
    tx.append([Fact("award.granted", award | {whose: now[one.sums.subject], "rank": one.rank}) for one in ranking.chosen])
    tx.connection.execute(_PROPOSAL.delete().where(_PROPOSAL.c.selection == row.id))
    if row.subject == "volunteers":
        about = {"subject": title(row), "station": row.station}
        tell_many(tx, [Telling("person/" + number, "selection.chosen", about) for number in now.values()])
    return receipt


def _as_they_are_now(tx: WriteTransaction, row: Any, subjects: Sequence[str]) -> dict[str, str]:
    """Give the numbers that people have now, by those that were frozen: a registration may have been merged since."""
    if row.subject == "organisations":
        return {subject: subject for subject in subjects}
    rows = rows_where_in(tx.connection, (_VOLUNTEER.c.number, _VOLUNTEER.c.merged_into), _VOLUNTEER.c.number, subjects)
    return {one.number: one.merged_into or one.number for one in rows}


def _check_due(tx: WriteTransaction, row: Any) -> None:
    if row.sealed_index is not None or row.replaced_by:
        raise Conflict("已经定稿，或者已另起一轮，请刷新页面")
    if row.published_index is None or tx.today.isoformat() <= row.published_until:
        until = f"（公示到 {row.published_until}）" if row.published_until else ""
        raise InvalidRequest(f"公示期满以后才能定稿{until}")
    if waiting := sum(one.decision is None for one in reading.objections_of(tx.connection, row.id)):
        raise InvalidRequest(f"还有 {waiting} 条异议没有结果，请先办完「异议」")


def title(row: Any) -> str:
    """Name the award."""
    return f"{row.year}年度{reading.rules_of(row).name}"[:TITLE_MAX]


def _award(tx: WriteTransaction, row: Any, asked_by: str) -> Body:
    """Say what the awards of a selection have in common."""
    unit = stations.get(tx.connection, row.station)
    return {
        "station": row.station,
        "title": title(row),
        "unit": unit.name,
        "level": _LEVELS.get(unit.level, "other"),
        "granted_on": tx.today.isoformat(),
        "asked_by": asked_by,
        "selection": row.id,
    }
