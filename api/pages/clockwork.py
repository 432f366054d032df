"""「任务」: what runs by the clock, when each last succeeded and how long ago that is, what went wrong, and a button to run it now."""

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from api.auth import actor, ledger, open_to
from ledger import clockwork
from ledger.errors import Conflict

blueprint = Blueprint("clockwork", __name__, url_prefix="/jobs")
STATES = {"never": "还没跑过", "running": "正在运行", "done": "正常", "failed": "失败"}


@blueprint.get("/")
@open_to("administrator", "official", "auditor")
def listing() -> ResponseReturnValue:
    """List the jobs, those that somebody has to look at first."""
    with ledger().read() as tx:
        found = clockwork.status(tx)
    alive = min((one.age_seconds for one in found if one.age_seconds is not None), default=None)
    shown = sorted(found, key=lambda one: one.well)
    return render_template("jobs.html", jobs=shown, well=sum(one.well for one in found), alive=alive, STATES=STATES, age=age)


def age(seconds: int | None) -> str:
    """Write how long ago something was: 刚刚, 5 分钟前, 3 小时前, 2 天前."""
    if seconds is None:
        return ""
    span = timedelta(seconds=seconds)
    for unit, name in ((timedelta(days=1), "天"), (timedelta(hours=1), "小时"), (timedelta(minutes=1), "分钟")):
        if span >= unit:
            return f"{span // unit} {name}前"
    return "刚刚"


@blueprint.post("/<string:job>")
@open_to("administrator")
def run(job: str) -> ResponseReturnValue:
    """Ask for a job to be run now."""
    try:
        title = ledger().write(lambda tx: clockwork.ask(tx, job), actor())
    except Conflict as refusal:
        flash(str(refusal))
    else:
        flash(f"已要求运行「{title}」。任务进程几秒内来取，过一会儿刷新本页看结果。")
    return redirect(url_for("clockwork.listing"))
