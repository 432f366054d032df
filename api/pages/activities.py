"""Activities at a station: the calendar, planning, publishing, closing, calling off; and the feed for other calendars."""

from calendar import Calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from api.activity_forms import BREAK_ROWS, Said, activity_in, form_of, rule_in, said_in
from api.auth import STAFF, actor, ledger, open_to, open_to_all
from ledger import activities, organisations, stations
from ledger.attendance import closing, desks
from ledger.codes import BENEFICIARIES, EXCLUDED, MAJOR, SERVICES
from ledger.drafting import filling
from ledger.entries import SHANGHAI
from ledger.errors import InvalidRequest, LedgerError, NotAllowed, NotFound
from ledger.ids import spaced
from ledger.people import directory, volunteers
from ledger.people.actors import require, units
from ledger.people.directory import Someone
from ledger.planning import calendars, plans, sign_ups
from ledger.planning.recurring import EVERY
from ledger.sheets import pasting
from ledger.tables import AccountRow, table
from ledger.transactions import ReadTransaction

blueprint = Blueprint("activities", __name__)
RECORDERS = ("recorder", "approver")
"""Roles that may record."""
_ACCOUNT = table(AccountRow)
_DAYS = ("一", "二", "三", "四", "五", "六", "日")


@dataclass(frozen=True)
class Shown:
    """An activity in a list: its row, where it is, how it stands."""

    row: Any
    station: str
    state: str


def state_of(row: Any, now: datetime) -> str:
    """Say how an activity stands: cancelled, closed, coming, going on, or over and not closed yet."""
    here = now.isoformat()[:16]
    if row.ended_as:
        return str(row.ended_as)
    if row.start is None or row.end is None:
        return "over"
    return "coming" if here < row.start else "going" if here < row.end else "over"


STATES = {"coming": "未开始", "going": "进行中", "over": "待结束", "closed": "已结束", "cancelled": "已取消"}


@blueprint.get("/activities")
@open_to(*STAFF)
def listing() -> ResponseReturnValue:
    """Show a month of the activities at one's stations, as a grid and as a list, with the plans that wait."""
    me = actor()
    with ledger().read() as tx:
        first = _month(request.args.get("month", ""), tx.today)
        mine = units(tx.connection, me, "see_station")
        station = request.args.get("station", "") if len(mine) > 1 else "".join(mine)
        codes = [station] if station in mine else mine
        weeks = Calendar().monthdatescalendar(first.year, first.month)
        rows = calendars.between(tx.connection, codes, weeks[0][0], weeks[-1][-1])
        names = stations.names(tx.connection, mine)
        shown = [Shown(row, names[row.station], state_of(row, _here(tx))) for row in rows]
        signed = sign_ups.counts(tx.connection, [row.id for row in rows])
        waiting = plans.listing(tx, me)
        record_at = units(tx.connection, me, "record")
        feed = url_for("activities.feed", said=calendars.token(tx, station), _external=True) if station in record_at else ""
        today = tx.today
    by_day: dict[str, list[Shown]] = {}
    for one in shown:
        by_day.setdefault(one.row.start[:10], []).append(one)
    return render_template(
        "activities.html",
        weeks=weeks,
        days=_DAYS,
        by_day=by_day,
        first=first,
        today=today,
        names=names,
        station=station,
        listed=[one for one in shown if one.row.start[:7] == f"{first:%Y-%m}"],
        before=first - timedelta(days=1),
        after=(first + timedelta(days=32)).replace(day=1),
        plans=[(plan, _due(plan)) for plan in waiting if plan.station in codes],
        states=STATES,
        signed=signed,
        feed=feed,
        may_plan=bool(record_at),
    )


def _due(plan: plans.Plan) -> date | None:
    """Give by when a plan's major activity is to be reported; None if it need not be, or was."""
    said = plan.said
    if not said.get("major") or said.get("reported_on"):
        return None
    try:
        return plans.report_due(said.get("start", ""))
    except ValueError:
        return None


@blueprint.get("/activities/new")
@open_to(*RECORDERS)
def form() -> ResponseReturnValue:
    """Show the form: empty, of a saved plan, or like an activity held before."""
    said: Said = {}
    plan = request.args.get("plan", "")
    with ledger().read() as tx:
        if plan:
            said = plans.get(tx, actor(), plan).said
        elif request.args.get("like"):
            row = _visible(tx, request.args["like"])
            said = form_of(row, orjson.loads(row.head_counts or "{}"), orjson.loads(row.services))
    return _form(said, plan)


@blueprint.post("/activities/new")
@open_to(*RECORDERS)
def save() -> ResponseReturnValue:
    """Save the form as a plan, or publish it."""
    said, plan = said_in(request.form), request.form.get("plan", "")
    said.pop("plan", None)
    try:
        if request.form.get("do") == "save":
            if not said.get("station"):
                raise InvalidRequest("请选择站点")
            kept = ledger().operate(lambda connection, now: plans.save(connection, now, actor(), said["station"], said, plan or None))
            flash("计划已保存，别人看不到；改好后再发布。")
            return redirect(url_for("activities.form", plan=kept))
        with ledger().read() as tx:
            activity = activity_in(tx.connection, said)
        if not said.get("declared"):
            raise InvalidRequest("请逐条看过「不算志愿服务的情形」，确认都不属于后打勾，再发布")
        rule, excluded = rule_in(said), said.get("excluded", [])
        found = ledger().write(lambda tx: plans.publish(tx, activity, excluded=excluded, rule=rule, plan=plan or None), actor())
    except LedgerError as refusal:
        return _form(said, plan, str(refusal))
    flash("活动已发布。" if len(found) == 1 else f"已发布 {len(found)} 场活动。")
    return redirect(url_for("activities.one", number=found[0]))


@blueprint.post("/activities/plans/<plan>/drop")
@open_to(*RECORDERS)
def drop(plan: str) -> ResponseReturnValue:
    """Throw a plan away."""
    ledger().operate(lambda connection, _: plans.drop(connection, actor(), plan))
    flash("计划已删除。")
    return redirect(url_for("activities.listing"))


@blueprint.get("/activities/<number>")
@open_to(*STAFF)
def one(number: str) -> ResponseReturnValue:
    """Show an activity and what can be done with it."""
    return _one(number)


@blueprint.post("/activities/<number>/close")
@open_to(*RECORDERS)
def close(number: str) -> ResponseReturnValue:
    """Close an activity; those who signed in are recorded."""
    try:
        end = datetime.fromisoformat(request.form["end"]).replace(tzinfo=None) if request.form.get("end") else None
        remark = request.form.get("remark", "")
        done = ledger().write(lambda tx: closing.close(tx, number, end=end, remark=remark), actor())
    except ValueError:
        return _one(number, "实际结束时间看不懂，请重新填写")
    except InvalidRequest as refusal:
        return _one(number, str(refusal))
    said = [f"活动已结束，{done.attended} 人参加。"]
    if done.batch:
        said.append(f"已登记 {done.recorded} 条服务记录，等待审核。")
    if done.forgotten:
        said.append(f"{done.forgotten} 人忘记签退，按活动结束时间计，请核对。")
    if done.refused:
        said.append(f"{done.refused} 条没有登记，原因见下。")
    flash("".join(said))
    return redirect(url_for("activities.one", number=number))


@blueprint.post("/activities/<number>/cancel")
@open_to(*RECORDERS)
def cancel(number: str) -> ResponseReturnValue:
    """Call an activity off."""
    reason = request.form.get("reason", "")
    try:
        ledger().write(lambda tx: plans.cancel(tx, number, reason=reason), actor())
    except InvalidRequest as refusal:
        return _one(number, str(refusal))
    flash("活动已取消。")
    return redirect(url_for("activities.one", number=number))


@blueprint.post("/activities/<number>/sign-up")
@open_to(*RECORDERS)
def sign_up(number: str) -> ResponseReturnValue:
    """Sign somebody up at the desk: whoever rang up, or has no phone."""
    typed = request.form.get("who", "").strip()
    try:
        with ledger().read() as tx:
            who = _meant(tx, _visible(tx, number).station, typed)
        ledger().operate(lambda connection, now: sign_ups.sign_up_at_desk(connection, now, actor(), number, who.number))
    except InvalidRequest as refusal:
        return _one(number, str(refusal), typed)
    flash(f"已替{who.masked}（尾号 {who.tail}）报名。")
    return redirect(url_for("activities.one", number=number, _anchor="signed-up"))


@blueprint.post("/activities/<number>/withdraw")
@open_to(*RECORDERS)
def withdraw(number: str) -> ResponseReturnValue:
    """Let go of somebody's place, as they asked at the desk."""
    try:
        who = request.form.get("volunteer", "")
        ledger().operate(lambda connection, now: sign_ups.withdraw_at_desk(connection, now, actor(), number, who))
    except InvalidRequest as refusal:
        return _one(number, str(refusal))
    flash("已经退了，名额空出来了。")
    return redirect(url_for("activities.one", number=number, _anchor="signed-up"))


def _meant(tx: ReadTransaction, station: str, typed: str) -> Someone:
    """Find the one volunteer who is meant. Raises InvalidRequest."""
    line = pasting.read_line(typed)
    found = filling.candidates(tx, directory.Station(tx, station), line.said, line.name, line.number) if typed else []
    if not found:
        raise InvalidRequest("没有找到这位志愿者。请写志愿者编号、身份证号或手机号；本站的也可以写姓名，或拼音首字母加后四位")
    if len(found) > 1:
        raise InvalidRequest(
            f"有 {len(found)} 位「{line.name or line.said[:20]}」，请加上身份证或手机后四位：" + "、".join(one.tail for one in found[:8])
        )
    return found[0]


@blueprint.post("/activities/feed")
@open_to(*RECORDERS)
def renew_feed() -> ResponseReturnValue:
    """Give a station's feed a new address."""
    station = request.form.get("station", "")
    ledger().operate(lambda connection, now: calendars.renew(connection, now, actor(), station))
    flash("日历地址已更换，旧地址不再可用。")
    return redirect(url_for("activities.listing", station=station))


@blueprint.get("/calendar/<said>.ics")
@open_to_all
def feed(said: str) -> Response:
    """Serve a station's activities to whoever has the address (RFC 5545)."""
    with ledger().read() as tx:
        text = calendars.feed(tx, calendars.station_of(tx, said), ledger().settings.origin)
    answer = Response(text, content_type="text/calendar; charset=utf-8")
    answer.headers["Cache-Control"] = "private, max-age=300"
    return answer


# --- parts


def _here(tx: ReadTransaction) -> datetime:
    return tx.now.astimezone(SHANGHAI).replace(tzinfo=None)


def _month(said: str, today: date) -> date:
    try:
        return date.fromisoformat(f"{said[:7]}-01")
    except ValueError:
        return today.replace(day=1)


def _visible(tx: ReadTransaction, number: str) -> Any:
    """Give an activity of one's own stations. Raises NotFound."""
    try:
        row = activities.get(tx.connection, number)
        require(tx.connection, actor(), "see_station", row.station)
    except (NotFound, NotAllowed):
        raise NotFound("您管理的站点里没有这个活动。请从活动列表重新选择") from None
    return row


def _form(said: Said, plan: str = "", problem: str = "") -> ResponseReturnValue:
    me = actor()
    with ledger().read() as tx:
        codes = units(tx.connection, me, "record")
        names = stations.names(tx.connection, codes)
        teams = organisations.at_stations(tx.connection, codes)
        login = tx.connection.execute(select(_ACCOUNT.c.login).where(_ACCOUNT.c.id == me.account)).scalar_one_or_none()
    if not codes:
        raise NotAllowed("您的账号不能安排活动。请由站点登记员办理")
    said = {"responsible": login or "", "station": codes[0] if len(codes) == 1 else "", **said}
    page = render_template(
        "activity_form.html",
        said=said,
        plan=plan,
        problem=problem,
        names=names,
        teams=teams,
        services=SERVICES,
        groups=BENEFICIARIES,
        major=MAJOR,
        excluded=EXCLUDED,
        every=EVERY,
        break_rows=range(1, BREAK_ROWS + 1),
        report_days=plans.REPORT_DAYS_BEFORE,
    )
    return (page, 400) if problem else page


def _late_report(row: Any) -> date | None:
    """Give by when a major activity had to be reported, if it was reported later."""
    due = plans.report_due(row.start) if row.major and row.start and row.reported_on else None
    return due if due and date.fromisoformat(row.reported_on) > due else None


def _one(number: str, problem: str = "", typed: str = "") -> ResponseReturnValue:
    with ledger().read() as tx:
        row = _visible(tx, number)
        desk = desks.find(tx.connection, number)
        came = desks.everyone(tx.connection, number) if desk else []
        coming = sign_ups.of_activity(tx.connection, number)
        names = volunteers.masked_names(tx, {one.volunteer for one in came if one.refusal or one.left_by == "planned_end"} | set(coming))
        page = render_template(
            "activity.html",
            row=row,
            desk=desk,
            problem=problem,
            typed=typed,
            names=names,
            how=desks.HOW,
            states=STATES,
            major=MAJOR,
            state=state_of(row, _here(tx)),
            station=stations.names(tx.connection, {row.station})[row.station],
            unit=organisations.name_of(tx.connection, row.organisation) if row.organisation else row.responsible_unit,
            responsible=_responsible(tx, row),
            heads=[(BENEFICIARIES[code], count) for code, count in orjson.loads(row.head_counts or "{}").items()],
            groups=[BENEFICIARIES.get(code, code) for code in orjson.loads(row.beneficiaries)],
            services=[SERVICES.get(code, code) for code in orjson.loads(row.services)],
            breaks=orjson.loads(row.breaks or "[]"),
            counts=desks.counts(tx.connection, number),
            signed_up=coming,
            refused=[one for one in came if one.refusal],
            forgotten=[one for one in came if one.left_by == "planned_end" and one.entry_index is not None],
            may_record=row.station in units(tx.connection, actor(), "record"),
            report_due=_late_report(row),
            may_open=_here(tx) >= datetime.fromisoformat(row.start) - desks.OPENS_BEFORE if row.start else False,
            now=_here(tx).isoformat()[:16],
        )
    return (page, 400) if problem else page


def _responsible(tx: ReadTransaction, row: Any) -> str:
    if row.responsible_volunteer:
        number = row.responsible_volunteer
        return f"{volunteers.masked_names(tx, [number])[number]}，编号 {spaced(number)}"
    if row.responsible_account:
        login = tx.connection.execute(select(_ACCOUNT.c.login).where(_ACCOUNT.c.id == row.responsible_account)).scalar_one_or_none()
        return str(login or row.responsible_account)
    return ""
