"""A record of hours after it was made: approved by another, in publicity, counting; corrected and voided with a reason, never changed."""

from datetime import datetime

import pytest
from sqlalchemy import func, select
from town import AUDITOR, CHEN, EAST, LI, OFFICIAL, QIAN, SUN, WANG, WEST, ZHANG, ZHAO, sheet, signed

from ledger import credit
from ledger.checking.verifying import verify
from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.people.actors import OPERATOR, Actor
from ledger.service import amending, approving, records
from ledger.service.drafts import duration
from ledger.tables import ServiceRow, table

SERVICE = table(ServiceRow)
DAY = "2026年2月26日"
ELSEWHERE = Actor("zhou", "approver", WEST)
NO_RIGHT = "没有这项权限|不在您的管理范围内"
CLERK = Actor("zheng", "approver", EAST)


def approve(town, *indexes, by=QIAN):
    return town.write(lambda tx: approving.approve(tx, indexes), by)


def correct(town, index, start, end, *, by=QIAN, **more):
    times = {"start": datetime.fromisoformat(start), "end": datetime.fromisoformat(end), "reason": "签到表抄错"}
    return town.write(lambda tx: amending.correct(tx, index, **times | more), by)


def void(town, index, *, by=QIAN, reason="重复登记"):
    return town.write(lambda tx: amending.void(tx, index, reason=reason), by)


def minutes(town, one=ZHANG) -> int:
    """The credit, which must be the sum of the list below it and of the rows that count."""
    number = town.number(one)
    said = town.read(lambda tx: credit.statement(tx, number))
    assert said.minutes == sum(item.minutes for item in said.records)
    today = town.now.date().isoformat()
    counting = select(func.coalesce(func.sum(SERVICE.c.minutes), 0)).where(
        SERVICE.c.volunteer == number, SERVICE.c.status == "approved", SERVICE.c.effective_on <= today
    )
    assert said.minutes == town.read(lambda tx: tx.connection.execute(counting).scalar_one())
    return said.minutes


def refused(town, error, says, act, *arguments, **how):
    before = town.everything()
    with pytest.raises(error, match=says):
        act(town, *arguments, **how)
    assert town.everything() == before


# --- approval and publicity ---------------------------------------------------------------------------------------------


def test_hours_count_from_the_working_day_after_five_working_days_of_publicity(town):
    """Approved on Monday 2 March: publicity runs to the 9th, and the hours count from the 10th."""
    index = town.serve(ZHANG, DAY, "14:00", "16:00", by=ZHAO)
    assert (minutes(town), town.service(index).status) == (0, "recorded")
    assert approve(town, index) == "2026-03-10"
    row = town.service(index)
    assert (row.status, row.effective_on) == ("approved", "2026-03-10")
    town.advance(days=7)
    assert minutes(town) == 0
    town.advance(days=1)
    assert minutes(town) == 120
    assert verify(town.ledger).ok


def test_holidays_and_swapped_days_are_counted_as_the_calendar_says(town):
    """Approved on 28 September 2026: the holiday is from the 1st to the 7th of October, Saturday the 10th is worked."""
    index = town.serve(ZHANG, DAY, "14:00", "16:00", by=ZHAO)
    town.advance(days=210)
    assert town.now.date().isoformat() == "2026-09-28"
    assert approve(town, index) == "2026-10-12"


def test_an_unknown_calendar_is_said_and_nothing_is_approved(town):
    index = town.serve(ZHANG, DAY, "14:00", "16:00", by=ZHAO)
    town.advance(days=300)
    refused(town, InvalidRequest, "2027 年的放假安排还没有录入", approve, index)


def test_who_recorded_never_approves(town):
    own = town.serve(ZHANG, DAY, "14:00", "16:00", by=QIAN)
    other = town.serve(LI, DAY, "14:00", "16:00", by=ZHAO)
    refused(town, NotAllowed, f"第 {own} 条是您自己登记或更正的，登记人不能审核", approve, other, own)
    operators = town.serve(WANG, DAY, "14:00", "16:00")
    refused(town, NotAllowed, "登记人不能审核", approve, operators, by=OPERATOR)
    approve(town, own, other, operators, by=CLERK)


@pytest.mark.parametrize("actor", [ZHAO, SUN, ELSEWHERE, AUDITOR])
def test_only_an_approver_of_the_station_approves(town, actor):
    index = town.serve(ZHANG, DAY, "14:00", "16:00")
    refused(town, NotAllowed, NO_RIGHT, approve, index, by=actor)
    approve(town, index, by=OFFICIAL)


def test_a_record_is_approved_once_and_a_voided_one_never(town):
    index = town.serve(ZHANG, DAY, "14:00", "16:00", by=ZHAO)
    approve(town, index)
    refused(town, InvalidRequest, f"第 {index} 条不在待审核状态", approve, index)
    other = town.serve(LI, DAY, "14:00", "16:00", by=ZHAO)
    void(town, other)
    refused(town, InvalidRequest, "不在待审核状态", approve, other)
    refused(town, NotFound, "第 999 条不是服务记录", approve, 999)
    refused(town, NotFound, "第 0 条不是服务记录", approve, 0)


def test_what_waits_is_listed_by_station_and_leaves_when_approved(town):
    east = town.serve(ZHANG, DAY, "14:00", "16:00", by=ZHAO)
    west = town.serve(LI, DAY, "14:00", "16:00", by=SUN, station=WEST)

    def waiting(*stations):
        return [row.entry_index for row in town.read(lambda tx: records.waiting(tx.connection, stations))]

    assert (waiting(EAST), waiting(WEST), waiting(EAST, WEST)) == ([east], [west], [east, west])
    assert approve(town, east, west) == "2026-03-10"
    assert waiting(EAST, WEST) == []


# --- correcting -----------------------------------------------------------------------------------------------------------


def test_a_correction_keeps_the_first_record_in_the_log_and_changes_the_credit(town):
    index = town.serve(ZHANG, DAY, "14:00", "16:00", by=ZHAO)
    approve(town, index)
    town.advance(days=8)
    size = town.size
    receipt = correct(town, index, "2026-02-26 14:00", "2026-02-26 15:30", break_minutes=10, by=OPERATOR)
    assert (receipt.index, town.size) == (size, size + 1)
    row = town.service(index)
    assert (row.minutes, row.break_minutes, row.end, row.changed_by, row.reason) == (80, 10, "2026-02-26T15:30", size, "签到表抄错")
    assert minutes(town) == 80
    [item] = town.read(lambda tx: credit.statement(tx, town.number(ZHANG))).records
    assert (item.changed_by, item.reason, item.status) == (size, "签到表抄错", "counted")
    assert verify(town.ledger).ok


def test_corrected_times_obey_the_rules(town):
    index = town.serve(ZHANG, DAY, "14:00", "16:00", by=ZHAO)
    other = town.serve(ZHANG, DAY, "17:00", "18:00", by=ZHAO)
    refused(town, InvalidRequest, "结束时间不晚于开始时间", correct, index, "2026-02-26 16:00", "2026-02-26 14:00")
    refused(town, InvalidRequest, "还没有发生", correct, index, "2026-03-02 08:00", "2026-03-02 09:01", by=OPERATOR)
    refused(
        town,
        InvalidRequest,
        f"重叠 30 分钟（登记站：东社区社会服务站，第 {other} 条",
        correct,
        index,
        "2026-02-26 16:00",
        "2026-02-26 17:30",
    )
    refused(town, InvalidRequest, "一次服务长达", correct, index, "2026-02-20 08:00", "2026-02-26 09:00", by=OPERATOR)
    refused(town, InvalidRequest, "没有剩下时长", correct, index, "2026-02-26 14:00", "2026-02-26 16:00", break_minutes=120)
    correct(town, index, "2026-02-26 15:00", "2026-02-26 17:00")  # its own old time is no obstacle
    assert town.service(index).start == "2026-02-26T15:00"


def test_a_correction_that_changes_nothing_is_none(town):
    index = town.serve(ZHANG, DAY, "14:00", "16:00", by=ZHAO)
    refused(town, InvalidRequest, "和原来记的一样", correct, index, "2026-02-26 14:00", "2026-02-26 16:00")
    correct(town, index, "2026-02-26 14:00", "2026-02-26 16:00", break_minutes=30)
    assert town.service(index).minutes == 90


def test_a_correction_may_not_make_a_second_record_of_the_same_time(town):
    outcome = town.hand_in(sheet(signed(ZHANG, "9:00", "10:00"), signed(ZHANG, "14:00", "15:00")), by=ZHAO)
    first, second = (receipt.index for receipt in outcome.receipts)
    refused(town, InvalidRequest, f"已有第 {first} 条记录", correct, second, "2026-02-26 09:00", "2026-02-26 10:00")


def test_the_time_a_correction_leaves_is_free_and_the_time_it_takes_is_not(town):
    index = town.serve(ZHANG, DAY, "14:00", "16:00", by=ZHAO)
    correct(town, index, "2026-02-26 10:00", "2026-02-26 11:00")
    town.serve(ZHANG, DAY, "14:00", "15:00", title="“平安建设”活动签到表")
    outcome = town.hand_in(sheet(signed(ZHANG, "10:30", "11:30")))
    assert [problem.code for problem in outcome.rejected] == ["overlap"]


def test_who_recorded_may_mend_it_while_it_waits_and_not_alone_once_it_is_approved(town):
    index = town.serve(ZHANG, DAY, "14:00", "16:00", by=CLERK)
    correct(town, index, "2026-02-26 14:00", "2026-02-26 15:00", by=CLERK)
    approve(town, index)
    refused(town, NotAllowed, "需要另一位工作人员更正或作废", correct, index, "2026-02-26 14:00", "2026-02-26 15:30", by=CLERK)
    refused(town, NotAllowed, "需要另一位工作人员更正或作废", void, index, by=CLERK)
    correct(town, index, "2026-02-26 14:00", "2026-02-26 15:30", by=ZHAO)
    assert minutes(town) == 0
    refused(town, NotAllowed, "登记人不能审核", approve, index, by=CLERK)
    approve(town, index)  # by neither of the two who said what it is
    refused(town, NotAllowed, "需要另一位工作人员更正或作废", void, index, by=ZHAO)
    void(town, index)


def test_a_corrected_figure_waits_for_approval_again(town):
    """One person's correction of a record that counts must not count by itself."""
    index = town.serve(ZHANG, DAY, "14:00", "16:00", by=ZHAO)
    approve(town, index)
    town.advance(days=8)
    assert minutes(town) == 120
    correct(town, index, "2026-02-26 14:00", "2026-02-26 17:00", by=CLERK)
    assert minutes(town) == 0
    approve(town, index)
    town.advance(days=8)
    assert minutes(town) == 180


def test_a_correction_keeps_to_the_cap_and_the_day(town):
    index = town.serve(ZHANG, DAY, "14:00", "16:00", by=ZHAO)
    refused(town, InvalidRequest, "超过每日上限", correct, index, "2026-02-26 08:00", "2026-02-26 16:30", by=CLERK)
    refused(town, InvalidRequest, "更正只能改时间", correct, index, "2026-02-20 14:00", "2026-02-20 16:00", by=CLERK)
    correct(town, index, "2026-02-26 08:00", "2026-02-26 16:00", by=CLERK)


def test_nobody_approves_a_figure_of_their_own(town):
    """Whoever corrected a waiting record has said what it is: another must approve it."""
    index = town.serve(ZHANG, DAY, "14:00", "16:00", by=CLERK)
    correct(town, index, "2026-02-26 14:00", "2026-02-26 15:00", by=QIAN)
    refused(town, NotAllowed, "您自己登记或更正的", approve, index, by=QIAN)
    approve(town, index, by=OPERATOR)


@pytest.mark.parametrize("actor", [SUN, ELSEWHERE, AUDITOR])
def test_only_staff_of_the_station_amend(town, actor):
    index = town.serve(ZHANG, DAY, "14:00", "16:00")
    refused(town, NotAllowed, NO_RIGHT, correct, index, "2026-02-26 14:00", "2026-02-26 15:00", by=actor)
    refused(town, NotAllowed, NO_RIGHT, void, index, by=actor)


@pytest.mark.parametrize("reason", ["", "电话13855101234核实", "长" * 501])
def test_a_reason_is_given_and_names_nobodys_number(town, reason):
    index = town.serve(ZHANG, DAY, "14:00", "16:00")
    refused(town, InvalidRequest, "「理由」", void, index, reason=reason)
    refused(town, InvalidRequest, "「理由」", correct, index, "2026-02-26 14:00", "2026-02-26 15:00", reason=reason)


# --- voiding ----------------------------------------------------------------------------------------------------------------


def test_a_voided_record_stays_in_the_list_counts_nothing_and_frees_its_time(town):
    index = town.serve(ZHANG, DAY, "14:00", "16:00", settled=True)
    assert minutes(town) == 120
    receipt = void(town, index)
    assert minutes(town) == 0
    [item] = town.read(lambda tx: credit.statement(tx, town.number(ZHANG))).others
    assert (item.index, item.status, item.reason, item.changed_by) == (index, "voided", "重复登记", receipt.index)
    again = town.serve(ZHANG, DAY, "14:00", "16:00", settled=True)
    assert again != index
    assert minutes(town) == 120
    assert verify(town.ledger).ok


def test_a_voided_record_no_longer_weighs_on_the_days_cap(town):
    index = town.serve(ZHANG, DAY, "8:00", "14:00")
    assert [one.code for one in town.hand_in(sheet(signed(ZHANG, "15:00", "18:00"))).rejected] == ["over_daily_cap"]
    void(town, index)
    assert town.hand_in(sheet(signed(ZHANG, "15:00", "18:00"))).accepted == 1


@pytest.mark.parametrize(("first", "second"), [(("8:00", "14:00"), ("15:00", "18:00")), (("15:00", "18:00"), ("8:00", "14:00"))])
def test_the_days_cap_counts_earlier_and_later_hours_alike(town, first, second):
    town.serve(ZHANG, DAY, *first)
    assert [one.code for one in town.hand_in(sheet(signed(ZHANG, *second))).rejected] == ["over_daily_cap"]


def test_what_is_voided_stays_voided(town):
    index = town.serve(ZHANG, DAY, "14:00", "16:00")
    void(town, index)
    refused(town, InvalidRequest, f"第 {index} 条已经作废（重复登记）", void, index)
    refused(town, InvalidRequest, "已经作废", correct, index, "2026-02-26 14:00", "2026-02-26 15:00")
    refused(town, NotFound, "第 1 条不是服务记录", void, 1)


def test_one_sheets_services_are_one_batch(town):
    outcome = town.hand_in(sheet(signed(ZHANG), signed(LI), signed(CHEN)))
    rows = town.read(lambda tx: records.in_batch(tx.connection, outcome.batch))
    assert [row.entry_index for row in rows] == [receipt.index for receipt in outcome.receipts]


@pytest.mark.parametrize(("given", "said"), [(0, "0分"), (59, "59分"), (60, "1小时"), (61, "1小时1分"), (6000, "100小时")])
def test_minutes_are_said_in_hours_and_minutes(given, said):
    assert duration(given) == said
