"""The form of an activity: what its fields mean, and how a plan of it is kept and shown again."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select
from werkzeug.datastructures import MultiDict

from ledger.activities import Activity
from ledger.codes import BENEFICIARIES, SERVICES
from ledger.errors import InvalidRequest
from ledger.ids import parse_number
from ledger.planning.recurring import Rule
from ledger.service.drafts import spell_minute
from ledger.tables import AccountRow, table

BREAK_ROWS = 3
_ACCOUNT = table(AccountRow)
_MANY = ("services", "excluded")
_NEEDED = {"station": "站点", "title": "活动名称", "series": "活动系列", "start": "开始时间", "end": "结束时间", "place": "地点"}
Said = dict[str, Any]


def said_in(form: "MultiDict[str, str]") -> Said:
    """Keep what a form said, to show it again or to save it as a plan."""
    kept: Said = {name: value.strip() for name, value in form.items() if name not in (*_MANY, "csrf_token", "do") and value.strip()}
    return kept | {name: form.getlist(name) for name in _MANY if form.getlist(name)}


def activity_in(connection: Connection, said: Mapping[str, Any]) -> Activity:
    """Read the activity that a form describes. Raises InvalidRequest naming what is missing or cannot be read."""
    missing = [what for name, what in _NEEDED.items() if not said.get(name)]
    if missing:
        raise InvalidRequest(f"请填{'、'.join(missing)}")
    heads = {code: _whole(said[f"group_{code}"], BENEFICIARIES[code]) for code in BENEFICIARIES if said.get(f"group_{code}")}
    account, volunteer = _responsible(connection, said.get("responsible", ""))
    return Activity(
        station=said["station"],
        title=said["title"],
        series=said["series"],
        organisation=said.get("organisation") or None,
        responsible_unit=None if said.get("organisation") else said.get("responsible_unit") or None,
        start=_minute(said["start"], "开始时间"),
        end=_minute(said["end"], "结束时间"),
        place=said["place"],
        beneficiaries=list(heads),
        services=[code for code in said.get("services", []) if code in SERVICES],
        theme=said.get("theme") or None,
        breaks=_breaks(said),
        head_counts=heads,
        responsible_account=account,
        responsible_volunteer=volunteer,
        places=_whole(said["places"], "招募人数") if said.get("places") else None,
        major=said.get("major") or None,
        reported_on=_day(said["reported_on"], "报备日期").isoformat() if said.get("reported_on") else None,
    )


def rule_in(said: Mapping[str, Any]) -> Rule | None:
    """Read how the activity recurs; None if it is held once. Raises InvalidRequest."""
    if not said.get("every"):
        return None
    if not said.get("until"):
        raise InvalidRequest("请填重复到哪一天为止")
    return Rule(said["every"], _day(said["until"], "重复截止日期"), bool(said.get("skip_holidays")))


def form_of(row: Any, heads: Mapping[str, int], services: list[str]) -> Said:
    """Fill a form from an activity held before, to plan its like again: everything but the times."""
    kept = {
        name: getattr(row, name)
        for name in ("station", "title", "series", "organisation", "responsible_unit", "place", "theme", "places", "major")
    }
    kept |= {f"group_{code}": str(number) for code, number in heads.items()}
    kept |= {"services": [code for code in services if code in SERVICES]}
    return {name: value for name, value in kept.items() if value}


def _responsible(connection: Connection, said: str) -> tuple[str | None, str | None]:
    """Find who is meant: an account by its login, or a volunteer by number."""
    try:
        return None, parse_number(said)
    except InvalidRequest:
        account = connection.execute(select(_ACCOUNT.c.id).where(_ACCOUNT.c.login == said)).scalar_one_or_none() if said else None
    if account is None:
        raise InvalidRequest("负责人请填工作人员的登录名，或志愿者编号（10 位），不要写姓名")
    return account, None


def _breaks(said: Mapping[str, Any]) -> list[dict[str, str]]:
    found = []
    for row in range(1, BREAK_ROWS + 1):
        start, end = said.get(f"break{row}_start"), said.get(f"break{row}_end")
        if bool(start) != bool(end):
            raise InvalidRequest(f"第 {row} 段休息只填了一半，请把开始和结束都填上，或都清空")
        if start and end:
            found.append({"start": _minute(start, "休息开始"), "end": _minute(end, "休息结束")})
    return found


def _minute(said: str, what: str) -> str:
    try:
        return spell_minute(datetime.strptime(said[:16], "%Y-%m-%dT%H:%M"))  # noqa: DTZ007 local by definition
    except ValueError:
        raise InvalidRequest(f"{what}看不懂，请按 2026-03-05 09:00 的样子填") from None


def _day(said: str, what: str) -> date:
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise InvalidRequest(f"{what}看不懂，请按 2026-03-05 的样子填") from None


def _whole(said: str, what: str) -> int:
    if not said.isascii() or not said.isdigit() or not 0 < int(said) <= 1_000_000:
        raise InvalidRequest(f"「{what}」的人数要填 1 以上的整数")
    return int(said)
