"""「登记人概况」: how somebody's entries look together, for whoever approves them."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from api.auth import actor, ledger, open_to
from ledger.errors import NotFound
from ledger.people import accounts, volunteers
from ledger.people.actors import units
from ledger.service import profiles
from ledger.service.profiles import Profile
from ledger.shares import hundredths

blueprint = Blueprint("recorders", __name__, url_prefix="/recorders")
BAR_HEIGHT = 80


@blueprint.get("/<account>")
@open_to("approver", "official")
def one(account: str) -> ResponseReturnValue:
    """Show what an account recorded in the last half year at the stations that the person looking approves."""
    with ledger().read() as tx:
        found = profiles.of(tx, account, units(tx.connection, actor(), "approve"))
        login = accounts.logins(tx.connection, {account})[account]
        if not found.records:
            raise NotFound("这个账号最近半年在您管理的站点没有登记过记录")
        foremost = volunteers.masked_names(tx, [found.foremost])[found.foremost] if found.foremost else ""
    most = max(count for _, count in found.weeks)
    bars = [(day, count, count * BAR_HEIGHT // most) for day, count in found.weeks]
    return render_template("recorder.html", login=login, profile=found, shares=_shares(found), foremost=foremost, bars=bars, most=most)


def _shares(found: Profile) -> list[tuple[str, str, int, int | None]]:
    """Say each remark, what it means, how many records it is about, and what share in hundredths of a percent."""
    said = (
        ("时间完全相同", "同一活动很多人起止时间一模一样", found.same_interval),
        ("夜间服务", "在规则所说的夜间", found.at_night),
        ("被更正", "登记以后改过时间", found.corrected),
        ("被作废", "登记以后作废", found.voided),
        ("有异议", "本人提出过异议", found.contested),
    )
    return [(name, meaning, count, hundredths(count, found.records)) for name, meaning, count in said]
