"""The form of a selection's rules: what selections ask has a field of its own; what is left is JSON below, for whoever needs it."""

from collections.abc import Mapping
from typing import Any

import orjson
from flask import request

from ledger.codes import GRADES
from ledger.errors import InvalidRequest
from ledger.ids import parse_number, spaced

_NUMBERS = {
    "minimum_hours": ("minimum_minutes", 60, "最低时长"),
    "minimum_services": ("minimum_services", 1, "最少次数"),
    "minimum_months": ("minimum_months", 1, "最少有服务的月数"),
    "back_filled_percent": ("back_filled_percent", 1, "补录占比上限"),
    "training_hours": ("training_minutes", 60, "培训学时"),
    "publicity_days": ("publicity_days", 1, "公示工作日"),
}
"""Fields that hold a whole number: the rule, how many of it one is, what it is called."""
_LEFT_OUT = ("day_cap_hours", "excluded", "staff", "staff_from", "staff_to")
_QUOTA = {"total": "总名额", "per_unit": "每站名额", "per_1000": "每千名居民名额", "floor": "每站至少", "cap": "每站至多"}
_OWN = {"name", "subject", "period", "grades", "quota", "confirmed_only", "conduct", "honoured", "spent", "tie_break", "order"}
TIE_CHOICES = ("minutes_ab", "services", "months", "registered_on", "random")
_DIGITS_MAX = 6


def said() -> bytes:
    """Read the rules from the form. Raises InvalidRequest naming the field."""
    rules = _rest()
    rules |= {"name": " ".join(request.form.get("name", "").split()), "subject": request.form.get("subject", "volunteers")}
    for field, (rule, unit, label) in _NUMBERS.items():
        if (number := _number(field, label)) is not None:
            rules[rule] = number * unit
    quota = {name: number for name, label in _QUOTA.items() if (number := _number(f"quota_{name}", label)) is not None}
    units = rules.pop("quota", {})
    rules["quota"] = quota | (units if isinstance(units, dict) else {})
    if since := request.form.get("since", ""):
        rules["period"] = {"from": since, "to": request.form.get("until", "")}
    rules["grades"] = [grade for grade in GRADES if grade in request.form.getlist("grade")]
    rules["tie_break"] = [name for at in range(1, len(TIE_CHOICES) + 1) if (name := request.form.get(f"tie_{at}", ""))]
    rules["order"] = request.form.get("order", "rank")
    asked = ("confirmed_only", "spent") if rules["subject"] == "volunteers" else ("spent",)
    rules |= {name: True for name in asked if request.form.get(name)}
    years = _number("conduct_years", "几年内没有失信")
    if request.form.get("conduct") or years:
        rules["conduct"] = {"in_force": bool(request.form.get("conduct")), "years": years or 0}
    if honoured := _number("honoured_years", "几年内没有得过"):
        rules["honoured"] = {"levels": request.form.getlist("honoured_level") or ["station"], "years": honoured}
    _leave_out(rules)
    return orjson.dumps(rules)


def _leave_out(rules: dict[str, Any]) -> None:
    """Read what does not count: hours above a day's cap, people who are not to be chosen, and staff's working hours."""
    if day := _number("day_cap_hours", "每天最多算几小时"):
        caps = rules.get("caps", {})
        rules["caps"] = (caps if isinstance(caps, dict) else {}) | {"day": day * 60}
    who = "volunteer" if rules["subject"] == "volunteers" else "organisation"
    lines = [line.split(maxsplit=1) for line in request.form.get("excluded", "").splitlines() if line.strip()]
    if short := [line[0] for line in lines if len(line) < 2]:
        raise InvalidRequest(f"「不参评的」里「{short[0][:20]}」后面要空一格写明理由，一行一个")
    if lines:
        rules["exclude"] = [{who: parse_number(number), "reason": reason} for number, reason in lines]
    if people := request.form.get("staff", "").split():
        hours = {end: request.form.get(f"staff_{end}", "") for end in ("from", "to")}
        rules["staff"] = {"people": [parse_number(number) for number in people], **hours}


def _rest() -> dict[str, Any]:
    text = request.form.get("more", "").strip()
    if not text:
        return {}
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"「其余规则」不是 JSON：第 {error.lineno} 行第 {error.colno} 列看不懂") from None
    if not isinstance(found, dict):
        raise InvalidRequest("「其余规则」应是一个 JSON 对象，写在 { } 里")
    return found


def _number(field: str, label: str) -> int | None:
    text = request.form.get(field, "").strip()
    if not text:
        return None
    if not text.isdecimal() or len(text) > _DIGITS_MAX:
        raise InvalidRequest(f"「{label}」请填整数，现在是「{text[:20]}」")
    return int(text)


def shown(rules: Mapping[str, Any]) -> dict[str, Any]:
    """Give what the form's fields hold for rules that were saved."""
    quota = rules["quota"] if isinstance(rules["quota"], dict) else {"total": rules["quota"]}
    fields: dict[str, Any] = {f"quota_{name}": quota.get(name, "") for name in _QUOTA}
    left = {name: value for name, value in rules.items() if name not in _OWN}
    for field, (rule, unit, _) in _NUMBERS.items():
        value = left.pop(rule, None)
        if value is not None and value % unit:
            left[rule] = value  # what the field cannot say stays below
        else:
            fields[field] = "" if value is None else value // unit
    fields |= _left_out(left)
    if "units" in quota:
        left["quota"] = {"units": quota["units"]}
    period = rules.get("period") or {}
    fields |= {"since": period.get("from", ""), "until": period.get("to", "")}
    fields |= {"name": rules["name"], "subject": rules.get("subject", "volunteers"), "order": rules.get("order", "rank")}
    fields["grades"] = rules.get("grades", list(GRADES))
    fields["ties"] = [name for name in rules.get("tie_break", ["minutes_ab", "services", "registered_on"]) if name != "number"]
    fields |= {name: bool(rules.get(name)) for name in ("confirmed_only", "spent")}
    conduct, honoured = rules.get("conduct", {}), rules.get("honoured", {})
    fields |= {"conduct": conduct.get("in_force", False), "conduct_years": conduct.get("years") or ""}
    fields |= {"honoured_years": honoured.get("years", ""), "honoured_levels": honoured.get("levels", ["station"])}
    fields["more"] = orjson.dumps(left, option=orjson.OPT_INDENT_2).decode() if left else ""
    return fields


def _left_out(left: dict[str, Any]) -> dict[str, Any]:
    """Take what the fields of `_leave_out` hold from what is left of saved rules."""
    caps, staff = left.pop("caps", {}), left.pop("staff", {})
    day = caps.get("day")
    if day is not None and day % 60 == 0:
        caps = {name: value for name, value in caps.items() if name != "day"}
    else:
        day = None
    if caps:
        left["caps"] = caps
    excluded = [f"{spaced(one.get('volunteer') or one.get('organisation'))} {one['reason']}" for one in left.pop("exclude", [])]
    return {
        "day_cap_hours": day // 60 if day else "",
        "excluded": "\n".join(excluded),
        "staff": "\n".join(spaced(number) for number in staff.get("people", ())),
        "staff_from": staff.get("from", "08:30"),
        "staff_to": staff.get("to", "17:30"),
    }


def typed() -> dict[str, Any]:
    """Give what the form's fields hold as they were typed, to be put right."""
    names = (
        "name",
        "subject",
        "since",
        "until",
        "order",
        "conduct_years",
        "honoured_years",
        "more",
        *_LEFT_OUT,
        *_NUMBERS,
        *(f"quota_{name}" for name in _QUOTA),
    )
    fields: dict[str, Any] = {name: request.form.get(name, "") for name in names}
    fields |= {name: bool(request.form.get(name)) for name in ("confirmed_only", "spent", "conduct")}
    ties = [request.form.get(f"tie_{at}", "") for at in range(1, len(TIE_CHOICES) + 1)]
    return fields | {"grades": request.form.getlist("grade"), "ties": ties, "honoured_levels": request.form.getlist("honoured_level")}
