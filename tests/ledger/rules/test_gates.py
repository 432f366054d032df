"""What rules of credit refuse where it happens; with none adopted nothing is refused."""

import orjson
import pytest
from world import CLERK, HOME

from ledger import activities
from ledger.activities import Activity
from ledger.errors import InvalidRequest
from ledger.log import Fact, Receipt
from ledger.people.actors import OPERATOR
from ledger.refusals import Refusal
from ledger.rules import adopting

LAW = "《志愿服务记录与证明出具办法（试行）》第六条"
FALSE = {"id": "false-hours", "name": "虚报时长", "counts": "conduct", "conduct": "false-hours", "sense": "bad", "basis": LAW}


def adopt(world, **said):
    rules = {"name": "gates", "title": "登记规则", "version": 1, "effective_on": "2025-01-01", "document": "区民政局〔2025〕2号"} | said
    world.write(lambda tx: adopting.adopt(tx, orjson.dumps(rules)), OPERATOR)


def publish(world, title="巡逻", start="2025-02-01T08:00", end="2025-02-01T11:00", actor=CLERK):
    return world.write(lambda tx: activities.publish(tx, Activity(HOME, title, "neighbour-care", start=start, end=end)), actor)[0]


def said(answer):
    assert isinstance(answer, Refusal)
    assert answer.code == "against_rules"
    return answer.message


@pytest.fixture
def home(world):
    world.station()
    return world


def test_a_title_and_a_length_are_refused_when_an_activity_is_published(home):
    publish(home, "补录巡逻")
    adopt(home, gates={"title_forbids": ["补录"], "activity_hours_max": 4, "activity_days_max": 2})
    with pytest.raises(InvalidRequest, match="按「登记规则」，活动名称里不能有「补录」"):
        publish(home, "补录慰问")
    with pytest.raises(InvalidRequest, match="一次活动最长 4小时，这次是 4小时1分"):
        publish(home, end="2025-02-01T12:01")
    assert publish(home, end="2025-02-01T12:00")
    assert publish(home, "补录旧账", actor=OPERATOR), "what the operator brings over is taken as it is"
    home.check()


def test_no_more_hours_of_one_activity_are_recorded_than_may_be_credited(home):
    adopt(home, gates={"credited_hours_max": 2})
    person, other = home.volunteer(), home.volunteer()
    shared = home.activity()
    assert isinstance(home.serve(person, "2025-01-05 08:00", "09:30", activity=shared), Receipt)
    assert "一个人一次活动最多记 2小时，这样将有 2小时1分" in said(home.serve(person, "2025-01-05 10:00", "10:31", activity=shared))
    first, second, third = home.serve_many(
        [
            home.draft(person, "2025-01-05 11:00", "11:30", activity=shared),
            home.draft(person, "2025-01-05 12:00", "12:30", activity=shared),
            home.draft(other, "2025-01-05 08:00", "10:00", activity=shared),
        ]
    )
    assert isinstance(first, Receipt)
    assert "最多记 2小时" in said(second), "those of one call count together"
    assert isinstance(third, Receipt)
    assert isinstance(home.serve(person, "2025-01-04 08:00", "14:00", activity=shared, settled=True), Receipt)
    home.check()


def test_a_correction_takes_the_place_of_what_it_corrects(home):
    adopt(home, gates={"credited_hours_max": 2})
    person = home.volunteer()
    index = home.serve(person, "2025-01-05 08:00", "10:00").index
    home.correct(index, "2025-01-05 08:30", "10:30")
    with pytest.raises(InvalidRequest, match="最多记 2小时"):
        home.correct(index, "2025-01-05 08:00", "10:30")
    home.check()


def test_back_filling_stays_within_the_plan_and_the_hours_after(home):
    adopt(home, gates={"backfill_within_plan": True, "backfill_hours_max": 24})
    person = home.volunteer()
    planned = home.activity(
        start="2025-01-05T08:00", end="2025-01-05T10:00", breaks=[{"start": "2025-01-05T09:00", "end": "2025-01-05T09:30"}]
    )
    old = home.activity(title="旧事", start="2025-01-03T08:00", end="2025-01-03T10:00")
    assert "写明了起止时间的活动" in said(home.serve(person, "2025-01-05 08:00", "09:00", grade="C"))
    assert "不能超过活动的计划时长 1小时30分" in said(home.serve(person, "2025-01-05 08:00", "09:31", grade="C", activity=planned))
    assert isinstance(home.serve(person, "2025-01-05 08:00", "09:30", grade="C", activity=planned), Receipt)
    assert "24 小时之内" in said(home.serve(person, "2025-01-03 08:00", "09:00", grade="C", activity=old))
    assert isinstance(home.serve(person, "2025-01-03 08:00", "09:00", activity=old), Receipt), "a sheet that was kept is no back-fill"
    home.check()


def test_who_lost_the_right_to_back_fill_gets_it_back_by_time_and_deeds(home):
    adopt(home, items=[FALSE | {"effects": ["backfill"], "repair": {"months": 1, "hours": 2, "application": False}}])
    person, other = home.volunteer(), home.volunteer()
    body = {"volunteer": person, "station": HOME, "item": "false-hours", "sense": "bad", "occurred_on": "2025-01-02", "reason": "虚报"}
    body |= {"asked_by": "li", "basis": LAW, "expires_on": "2027-01-01"}
    entry = home.write(lambda tx: tx.append([Fact("conduct.recorded", body)]))[0].index
    message = said(home.serve(person, "2025-01-05 08:00", "09:00", grade="C"))
    assert f"暂时不能补录：虚报时长（2025-01-02）（账本第 {entry} 条）" in message
    assert "等到 2025-02-02、再服务 2小时，自动恢复" in message
    assert isinstance(home.serve(other, "2025-01-05 08:00", "09:00", grade="C"), Receipt)
    assert isinstance(home.serve(person, "2025-01-05 10:00", "12:00", settled=True), Receipt)
    home.advance(days=30)
    assert isinstance(home.serve(person, "2025-02-01 08:00", "09:00", grade="C"), Receipt)
    home.check()


def test_back_filling_is_lost_by_coming_too_often_alone(home):
    """The effect stands in a counter, in no item, and no gate is set."""
    often = {"name": "一年虚报两次", "items": ["false-hours"], "per": "year", "at_least": 2, "effects": ["backfill"], "basis": LAW}
    adopt(home, items=[FALSE], counters=[often])
    person = home.volunteer()
    body = {"volunteer": person, "station": HOME, "item": "false-hours", "sense": "bad", "reason": "虚报", "asked_by": "li", "basis": LAW}
    home.write(lambda tx: tx.append([Fact("conduct.recorded", body | {"occurred_on": "2025-01-02"})]))
    assert isinstance(home.serve(person, "2025-01-04 08:00", "09:00", grade="C"), Receipt)
    home.write(lambda tx: tx.append([Fact("conduct.recorded", body | {"occurred_on": "2025-01-03"})]))
    assert "暂时不能补录：一年虚报两次" in said(home.serve(person, "2025-01-05 08:00", "09:00", grade="C"))
    home.check()


def test_rules_of_several_names_bind_together(home):
    adopt(home, gates={"credited_hours_max": 3})
    adopt(home, name="strict", title="更严的规则", gates={"credited_hours_max": 1})
    assert "按「更严的规则」" in said(home.serve(home.volunteer(), "2025-01-05 08:00", "10:00"))
    home.check()
