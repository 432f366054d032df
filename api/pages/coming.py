"""「近期活动」: what is coming at a volunteer's station and above it, and a place at it, asked for and let go of."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import orjson
from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from api.auth import actor, ledger, open_to
from ledger import organisations
from ledger.codes import SERVICES
from ledger.errors import InvalidRequest
from ledger.people.actors import Actor
from ledger.planning import sign_ups

blueprint = Blueprint("coming", __name__, url_prefix="/coming")
_WEEKDAYS = "一二三四五六日"


def _page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        found = sign_ups.coming(tx, actor())
        units = {one.row.organisation: organisations.name_of(tx.connection, one.row.organisation) for one in found if one.row.organisation}
        today = tx.today
    shown: dict[str, Any] = {"mine": [one for one in found if one.mine], "others": [one for one in found if not one.mine]}
    return render_template("coming.html", problem=problem, today=today, units=units, done=_done_there, near=_near, **shown), status


def _done_there(row: Any) -> list[str]:
    """List what is done at an activity, in words."""
    return [SERVICES.get(code, code) for code in orjson.loads(row.services)]


def _near(said: str, today: date) -> str:
    """Say a day as people do: the weekday, and whether it is today or tomorrow."""
    day = date.fromisoformat(said[:10])
    close = {0: "今天，", 1: "明天，", 2: "后天，"}.get((day - today).days, "")
    return f"{close}星期{_WEEKDAYS[day.weekday()]}"


@blueprint.get("/")
@open_to("volunteer")
def listing() -> ResponseReturnValue:
    """List what a volunteer signed up for, and what else there is."""
    return _page()


@blueprint.post("/<number>/sign-up")
@open_to("volunteer")
def sign_up(number: str) -> ResponseReturnValue:
    """Ask for a place."""
    return _act(sign_ups.sign_up, number, "报上名了。到时候直接去；去不了，请提前点「不去了」。")


@blueprint.post("/<number>/withdraw")
@open_to("volunteer")
def withdraw(number: str) -> ResponseReturnValue:
    """Let go of a place."""
    return _act(sign_ups.withdraw, number, "已经退了，名额让给别人。")


def _act(work: Callable[[Connection, datetime, Actor, str], None], number: str, done: str) -> ResponseReturnValue:
    try:
        ledger().operate(lambda connection, now: work(connection, now, actor(), number))
    except InvalidRequest as refusal:
        return _page(str(refusal), 400)
    flash(done)
    return redirect(url_for("coming.listing"))
