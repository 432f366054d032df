"""「推送」: other systems that are told of what enters the log: register, look, replay, end. For administrators and officials."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import actor, ledger, open_to
from ledger import stations, webhooks
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.kinds import CURRENT
from ledger.people.actors import units
from ledger.transactions import WriteTransaction

blueprint = Blueprint("webhooks", __name__, url_prefix="/webhooks")
GROUPS = {
    "service": "服务记录",
    "activity": "活动",
    "volunteer": "志愿者",
    "organisation": "组织",
    "station": "站点和人口",
    "rates": "公布的三率",
    "policy": "规则",
}
"""Kinds of entries, by the first part of their names, as people choose them."""
_REFUSALS = (InvalidRequest, NotFound, NotAllowed)


@blueprint.get("/")
@open_to("administrator", "official")
def listing() -> ResponseReturnValue:
    """List the receivers, with the form for another."""
    return _page()


@blueprint.post("/")
@open_to("administrator", "official")
def register() -> ResponseReturnValue:
    """Register a receiver and show its secret once."""
    groups = [group for group in request.form.getlist("group") if group in GROUPS]
    kinds = [kind for kind in CURRENT if kind.split(".")[0] in groups]

    private, url, station = ledger().settings.webhooks_private, request.form.get("url", ""), request.form.get("station") or None

    def work(tx: WriteTransaction) -> tuple[str, str, str]:
        made = webhooks.register(tx, url, private=private, station=station, kinds=kinds)
        return made.id, made.url, webhooks.secret(tx, made.id)

    try:
        return _slip(*ledger().write(work, actor()))
    except _REFUSALS as refusal:
        return _page(str(refusal), 400)


@blueprint.post("/<string(length=10):number>/secret")
@open_to("administrator", "official")
def renew(number: str) -> ResponseReturnValue:
    """Give a receiver a new secret and show it once."""

    def work(tx: WriteTransaction) -> tuple[str, str, str]:
        found = webhooks.renew_secret(tx, number)
        return found.id, found.url, webhooks.secret(tx, found.id)

    return _slip(*ledger().write(work, actor()))


@blueprint.post("/<string(length=10):number>/replay")
@open_to("administrator", "official")
def replay(number: str) -> ResponseReturnValue:
    """Tell a receiver everything from an index on again."""
    said = request.form.get("index", "").strip()
    if not (said.isascii() and said.isdecimal() and len(said) <= 15):
        return _page("请写从第几条起重新推送，例如 0", 400)
    try:
        ledger().write(lambda tx: webhooks.replay(tx, number, int(said)), actor())
    except InvalidRequest as refusal:
        return _page(str(refusal), 400)
    flash(f"已安排：从第 {int(said)} 条起重新推送，几秒后开始。")
    return redirect(url_for("webhooks.listing"))


@blueprint.post("/<string(length=10):number>/remove")
@open_to("administrator", "official")
def remove(number: str) -> ResponseReturnValue:
    """End a receiver."""
    ledger().write(lambda tx: webhooks.remove(tx, number), actor())
    flash("已删去一个接收地址，不再向它推送。")
    return redirect(url_for("webhooks.listing"))


def _slip(number: str, url: str, secret: str) -> ResponseReturnValue:
    return render_template("webhook_slip.html", number=number, url=url, secret=secret)


def _page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    with ledger().read() as tx:
        found = webhooks.everyone(tx, actor())
        reached = set(units(tx.connection, actor(), "manage_webhooks"))
        offered = [unit for unit in stations.everyone(tx.connection) if unit.code in reached]
    names = {unit.code: unit.name for unit in offered}
    everywhere = any(grant.station is None and grant.allows("manage_webhooks") for grant in actor().grants)
    page = render_template(
        "webhooks.html",
        found=found,
        units=offered,
        names=names,
        groups=GROUPS,
        everywhere=everywhere,
        problem=problem,
        said=request.form,
        chosen=request.form.getlist("group"),
        told_of=_told_of,
    )
    return page, status


def _told_of(kinds: list[str]) -> str:
    """Say in people's words of which kinds a receiver is told."""
    return "、".join(dict.fromkeys(GROUPS.get(kind.split(".")[0], kind) for kind in kinds))
