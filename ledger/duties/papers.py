"""
A paper handed in: a form filled in by a unit's staff, for a period, checked field by field and entered in the log.

Handing in again what stands already changes nothing; other words for the same duty, unit and period stand instead of the old ones, which the log keeps.
What the ledger can count is counted in the same transaction and not typed. A period that has not begun owes nothing yet.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import orjson
from sqlalchemy import Connection, select

from ledger import stations
from ledger.duties.forms import Field, Form, shipped
from ledger.errors import Conflict, InvalidRequest, NotFound
from ledger.indicators.measures import Count
from ledger.kinds.checks import INTEGER_MAX
from ledger.kinds.duties import ANSWER_MAX, answer
from ledger.log import Fact, Receipt
from ledger.tables import DutyPaperRow, OrganisationRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

_PAPER, _ORGANISATION = table(DutyPaperRow), table(OrganisationRow)


def form(duty: str) -> Form:
    """Give a form by its id. Raises NotFound."""
    found = shipped().get(duty)
    if found is None:
        raise NotFound("没有这种要交的材料，请从列表里选")
    return found


def hand_in(
    tx: WriteTransaction, duty: str, station: str, period: str, said: Mapping[str, str], *, organisation: str | None = None
) -> Receipt:
    """Hand in a form. *said*: its fields as typed.

    Raises NotFound, NotAllowed, InvalidRequest naming the field, Conflict when exactly this stands already.
    """
    chosen = form(duty)
    unit = stations.get(tx.connection, station)
    tx.require("register", station)
    check_owner(tx.connection, chosen, unit, organisation)
    if not chosen.fits(period):
        raise InvalidRequest(f"「{period[:10]}」不是这种材料的时段")
    if chosen.period(tx.today) < period:
        raise InvalidRequest(f"{words(period)}还没有到，到了再交")
    read = {field.id: value for field in chosen.asked if (value := _read(field, said.get(field.id, ""))) is not None}
    _check_together(chosen, read, said)
    read |= counts(tx, chosen, station, period)
    before = standing(tx.connection, chosen, station, period, organisation)
    if before is not None and orjson.loads(before.said) == read:
        raise Conflict("这一份已经交过，内容一样，不用再交")
    body: dict[str, Any] = {"station": station, "duty": duty, "period": period, "handed_on": tx.today.isoformat(), "said": read}
    body |= {"organisation": organisation} if organisation else {}
    body |= {"instead_of": before.entry_index} if before is not None and chosen.every != "event" else {}
    return tx.append([Fact("duty.handed_in", body)])[0]


def check_owner(connection: Connection, chosen: Form, unit: Any, organisation: str | None) -> None:
    """Make sure that a unit, or an organisation of it, owes such a form. Raises InvalidRequest, NotFound."""
    if chosen.owed_by != "organisation":
        if organisation:
            raise InvalidRequest(f"「{chosen.name}」由站点交，不按组织交")
        if chosen.owed_by != unit.level:
            raise InvalidRequest(f"「{chosen.name}」不由「{unit.name}」这一级交")
        return
    where = connection.execute(select(_ORGANISATION.c.station).where(_ORGANISATION.c.id == (organisation or ""))).scalar_one_or_none()
    if where is None:
        raise NotFound("请选择是哪一个组织的")
    if where != unit.code:
        raise InvalidRequest("这个组织不属于这个站点")


def counts(tx: ReadTransaction, chosen: Form, station: str, period: str) -> dict[str, int]:
    """Count what a form does not ask people for, as of the end of its period or today, if that is earlier."""
    measures = {field.id: field.count for field in chosen.fields if field.count is not None}
    if not measures:
        return {}
    until = min(chosen.ends_on(period), tx.today)
    count = Count(tx.connection, until.year, until)
    return {name: count.of(measure)[station] for name, measure in measures.items()}


def standing(connection: Connection, chosen: Form, station: str, period: str, organisation: str | None) -> Any:
    """Give the paper that stands for a duty, unit and period; None where none was handed in."""
    mine = [_PAPER.c.duty == chosen.id, _PAPER.c.station == station, _PAPER.c.period == period, _PAPER.c.replaced_by.is_(None)]
    mine.append(_PAPER.c.organisation == organisation if organisation else _PAPER.c.organisation.is_(None))
    return connection.execute(select(_PAPER).where(*mine).order_by(_PAPER.c.entry_index.desc()).limit(1)).one_or_none()


def get(tx: ReadTransaction, index: int) -> Any:
    """Give a paper by the number of its entry. Raises NotFound."""
    row = tx.connection.execute(select(_PAPER).where(_PAPER.c.entry_index == index)).one_or_none()
    if row is None:
        raise NotFound("没有这份材料")
    return row


def words(period: str) -> str:
    """Write a period: 2026年3月, 2026年第1季度, 2026年, 2026年3月5日."""
    if "Q" in period:
        return f"{period[:4]}年第{period[-1]}季度"
    parts = [str(int(part)) for part in period.split("-")]
    return "".join(f"{part}{unit}" for part, unit in zip(parts, "年月日", strict=False))


def _read(field: Field, typed: str) -> str | int | None:
    """Read a field as typed; None when it was left empty. Raises InvalidRequest."""
    said = "\n".join(" ".join(line.split()) for line in typed.strip().splitlines()).strip()
    if not said:
        return None
    match field.kind:
        case "number":
            if not said.isdecimal() or len(said) > len(str(INTEGER_MAX)) or int(said) > (100 if field.weight else INTEGER_MAX):
                raise InvalidRequest(f"「{field.label}」应是{'0 到 100 的' if field.weight else ''}整数，您填的是「{said[:20]}」")
            return int(said)
        case "day":
            try:
                return date.fromisoformat(said).isoformat()
            except ValueError:
                raise InvalidRequest(f"「{field.label}」应是日期，如 2026-03-05，您填的是「{said[:20]}」") from None
        case "choice":
            if said not in field.choices:
                raise InvalidRequest(f"「{field.label}」请从 {'、'.join(field.choices)} 里选一个")
    if not answer(said):
        raise InvalidRequest(f"「{field.label}」最多 {ANSWER_MAX} 个字，不要写手机号或身份证号")
    return said


def _check_together(chosen: Form, read: Mapping[str, Any], said: Mapping[str, str]) -> None:
    """Make sure that the fields fit one another. Raises InvalidRequest."""
    labels = {field.id: field.label for field in chosen.fields}
    for field in chosen.asked:
        filled = field.id in read
        if not filled and (field.required or (field.unless and field.unless not in read)):
            other = f"；没有的，填「{labels[field.unless]}」" if field.unless else ""
            raise InvalidRequest(f"「{field.label}」没有填{other}")
        if filled and field.at_most and field.at_most in read and read[field.id] > read[field.at_most]:
            raise InvalidRequest(f"「{field.label}」（{read[field.id]}）不能多于「{labels[field.at_most]}」（{read[field.at_most]}）")
    unknown = said.keys() - labels.keys()
    if unknown:
        raise InvalidRequest(f"表里没有这些项：{'、'.join(sorted(unknown))}")
