"""「注销申请」: what waits for a second person, and carrying it out."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.auth import actor, ledger, open_to
from ledger import stations
from ledger.kinds.people import ERASING
from ledger.people import accounts, erasures, retention, volunteers

blueprint = Blueprint("erasures", __name__, url_prefix="/erasures")


@blueprint.get("/")
@open_to("approver", "official")
def listing() -> ResponseReturnValue:
    """List the requests at one's stations."""
    with ledger().read() as tx:
        rows = erasures.waiting(tx, actor())
        shown = {
            "rows": rows,
            "names": volunteers.masked_names(tx, [row.volunteer for row in rows]),
            "stations": stations.names(tx.connection, {row.station for row in rows}),
            "logins": accounts.logins(tx.connection, {row.asked_by for row in rows}),
        }
    return render_template("erasures.html", reasons=ERASING, states=erasures.STATES, **shown)


@blueprint.get("/<asked>")
@open_to("approver", "official")
def one(asked: str) -> ResponseReturnValue:
    """Say what would happen, before it does."""
    with ledger().read() as tx:
        row = erasures.get(tx, actor(), asked)
        person = volunteers.get(tx, row.volunteer)
        duty = retention.duty(tx, row.volunteer)
        station = stations.get(tx.connection, person.row.station)
    own = row.asked_by == actor().account
    return render_template("erasure.html", row=row, person=person, duty=duty, station=station, own=own, reasons=ERASING)


@blueprint.post("/<asked>")
@open_to("approver", "official")
def decide(asked: str) -> ResponseReturnValue:
    """Carry a request out, or answer it with no."""
    with ledger().read() as tx:
        erasures.get(tx, actor(), asked)
    if request.form.get("act") == "refuse":
        reply = request.form.get("reply", "")[:400]
        ledger().write(lambda tx: erasures.refuse(tx, asked, reply), actor())
        flash("已答复不同意，本人在自己的页面上看得到理由。")
        return redirect(url_for("erasures.listing"))
    done = ledger().write(lambda tx: erasures.carry_out(tx, asked), actor())
    ledger().finish_erasures()
    if done.state == "restricted":
        flash(f"已封存：资料只保存、不再使用，{done.until} 期满后可以注销。入账第 {done.receipt.index} 条（{done.receipt.short_hash}）。")
    else:
        told = "以前另存过密钥库的，请本机操作员换一次主密钥（shouwang rotate-wrapping-key）。"
        flash(f"已注销：姓名、证件号和联系方式再也读不出来。入账第 {done.receipt.index} 条（{done.receipt.short_hash}）。{told}")
    return redirect(url_for("erasures.listing"))
