"""Certificates: who gets one, over what, under which number; and how one that is wrong is revoked."""

import pytest
from certified import certificate_of, serve_long
from world import APPROVER, CENTRE, CLERK, HOME, OTHER

from ledger import organisations, stations
from ledger.certificates import issuing, register
from ledger.certificates.documents import Wish
from ledger.checking.certificates import code_digest, paper_digest
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.ids import parse_code
from ledger.log import Fact
from ledger.notices import inbox
from ledger.organisations import Filing
from ledger.people import erasures, reveals, withdrawals
from ledger.people.actors import OPERATOR, Actor
from ledger.service import objections
from ledger.stations import Station

DISTRICT = "340104000000"


@pytest.fixture
def street(world):
    world.station(DISTRICT, "蜀山区", level="district")
    world.station(CENTRE, "三联街道社会服务中心", level="centre", parent=DISTRICT)
    world.station(HOME, "三联社区社会服务站", parent=CENTRE, population=1000)
    world.station(OTHER, "二号社区社会服务站", parent=CENTRE, population=1000)
    return world


@pytest.fixture
def person(street):
    number = street.volunteer(name="欧阳文海")
    serve_long(street, number, 4, since="2024-12-30")
    return number


def me(number):
    return Actor("own-" + number, "volunteer", None, number)


def entry(world, index):
    return world.entries()[index]


def document(world, number):
    return certificate_of(world, number).document


def test_a_volunteer_makes_their_own_and_it_says_what_counts(street, person):
    waiting = street.serve(person, "2025-01-03 14:00", "15:00")
    size = street.size
    issued = street.certify(person)
    assert issued.number == "340104-2025-000001"
    said, body = document(street, issued.number), entry(street, issued.receipt.index)["body"]
    assert (said["minutes"], said["grades"]) == (360, dict.fromkeys("ABCD", 90))
    assert said["series"] == dict.fromkeys(("neighbour-care", "safe-community", "culture", "other"), 90)
    assert [item["served_on"] for item in said["items"]] == ["2024-12-30", "2024-12-31", "2025-01-01", "2025-01-02"]
    assert waiting.index not in body["records"] == [item["index"] for item in said["items"]]
    assert (said["name"], said["id_number"][:2], said["handler"]) == ("欧阳文海", "3*", "本人自助办理")
    assert (said["unit"], said["tree_size"], said["number"]) == ("三联社区社会服务站", size, issued.number)
    assert (body["paper"], body["code"]) == (paper_digest(said), code_digest(issued.code))
    assert parse_code(issued.code.lower()) == said["code"] == issued.code
    assert "欧阳" not in str(body)


def test_the_id_number_is_in_full_only_for_who_asks_for_that(street, person):
    whole = street.names[person][1]
    assert document(street, street.certify(person, full_id=True).number)["id_number"] == whole
    assert whole not in str(document(street, street.certify(person).number))


def test_a_period_takes_the_days_within(street, person):
    both = street.certify(person, first="2024-12-31", last="2025-01-01")
    assert [item["served_on"] for item in document(street, both.number)["items"]] == ["2024-12-31", "2025-01-01"]
    assert document(street, both.number)["period_from"] == "2024-12-31"
    assert len(document(street, street.certify(person, last="2024-12-31").number)["items"]) == 2
    with pytest.raises(InvalidRequest, match="在这段时间里还没有已生效的服务记录"):
        street.certify(person, first="2025-06-01")
    with pytest.raises(InvalidRequest, match="结束日期早于开始日期"):
        street.certify(person, first="2025-01-02", last="2025-01-01")


def test_who_has_nothing_that_counts_gets_none(street):
    new = street.volunteer()
    served = street.serve(new, "2025-01-03 14:00", "15:00")
    street.approve(served.index)
    with pytest.raises(InvalidRequest, match="开不了证明。公示中、待审核的，计入以后才能开"):
        street.certify(new)
    street.advance(days=30)
    assert street.certify(new).number.endswith("000001")


def test_numbers_have_no_gap_and_begin_anew_each_year(street, person):
    assert [street.certify(person).number[-6:] for _ in range(2)] == ["000001", "000002"]
    with pytest.raises(InvalidRequest):
        street.certify(person, first="2025-06-01")
    assert street.certify(person).number == "340104-2025-000003"
    street.advance(days=400)
    assert street.certify(person).number == "340104-2026-000001"


def test_many_at_once_get_one_number_each(street, person):
    def three(tx):
        return [issuing.issue(tx, street.ledger.signing, street.settings.origin, Wish(person)).number[-6:] for _ in range(3)]

    assert street.write(three, me(person)) == ["000001", "000002", "000003"]


def test_a_day_has_an_end(street, person):
    for _ in range(issuing.A_DAY_MAX):
        street.write(lambda tx: issuing.issue(tx, street.ledger.signing, street.settings.origin, Wish(person)), me(person))
    with pytest.raises(Conflict, match="今天已经开过 20 份"):
        street.certify(person)
    street.advance(days=1)
    street.certify(person)


def test_nobody_makes_one_for_another_but_the_desk_of_their_station_and_that_is_seen(street, person):
    stranger = street.volunteer()
    for actor in (me(stranger), Actor("far", "recorder", OTHER), Actor("wu", "auditor")):
        with pytest.raises(NotAllowed):
            street.certify(person, actor=actor)
    clerk = Actor("zhao", "recorder", HOME)
    issued = street.certify(person, actor=clerk, contact="0551-63551234")
    said = document(street, issued.number)
    assert (said["handler"], said["contact"]) == ("zhao", "0551-63551234")
    with street.read() as tx:
        [looked] = reveals.of(tx, person)
        told = [notice.what for notice in inbox(tx, f"person/{person}")]
    assert (looked.reason, looked.fields) == ("办理证明", "姓名、证件号（开具证明）")
    assert "certificate.issued" in told


def test_the_recording_unit_is_the_station_where_a_group_has_only_been_filed(street):
    person = street.volunteer()
    filed = street.organisation(HOME, "梅山路巧手社", "备1")
    registered = street.write(
        lambda tx: organisations.record_many(tx, [Filing("证2", "三联志愿者协会", "charity", True, HOME, False, street.today)])
    )[0]
    for day, unit in ((1, filed), (2, registered), (3, None)):
        street.serve(person, f"2025-01-0{day} 09:00", "10:00", organisation=unit, settled=True)
    items = document(street, street.certify(person).number)["items"]
    assert [(item["unit"], item.get("group")) for item in items] == [
        ("三联社区社会服务站", "梅山路巧手社"),
        ("三联志愿者协会", None),
        ("三联社区社会服务站", None),
    ]


def test_a_unit_that_was_closed_is_followed_by_the_one_above(street, person):
    street.write(lambda tx: tx.append([Fact("station.changed", {"station": HOME, "valid_from": "2025-01-06", "closed": True})]))
    assert document(street, street.certify(person).number)["unit"] == "三联街道社会服务中心"


def test_a_wrong_one_is_revoked_once_by_an_approver_of_the_unit_with_a_reason(street, person):
    issued = street.certify(person)
    for actor in (CLERK, Actor("far", "approver", OTHER), me(person)):
        with pytest.raises(NotAllowed):
            street.revoke(issued.number, actor=actor)
    for reason in ("", " ", "甲" * 201, "电话 13812345678"):
        with pytest.raises(InvalidRequest, match="请写明撤销的理由"):
            street.revoke(issued.number, reason)
    receipt = street.revoke(issued.number, "第 9 条登记有误", actor=Actor("near", "approver", CENTRE))
    body = entry(street, receipt.index)["body"]
    assert (body["certificate"], body["volunteer"], body["reason"]) == (issued.number, person, "第 9 条登记有误")
    with street.read() as tx:
        notice = inbox(tx, f"person/{person}")[0]
    assert (notice.what, notice.about["certificate"]) == ("certificate.revoked", issued.number)
    with pytest.raises(Conflict, match="这份证明已于 2025-01-06 撤销"):
        street.revoke(issued.number)
    with pytest.raises(NotFound):
        street.revoke("340104-2025-000099")
    assert street.certify(person).number[-6:] == "000002"


def test_the_register_follows_corrections_voids_objections_and_disowning(street, person):
    street.advance(days=1)
    records = {item["served_on"]: item["index"] for item in document(street, street.certify(person).number)["items"]}
    number = "340104-2025-000001"

    def stands():
        with street.read() as tx:
            found = register.standing(tx, register.get(tx, number))
        return found.state, found.minutes, [(one.index, one.minutes) for one in found.changes]

    assert stands() == ("valid", 360, [])
    street.correct(records["2024-12-30"], "2024-12-30 09:00", "09:30", actor=APPROVER)
    assert stands() == ("amended", 270, [(records["2024-12-30"], 0)])
    street.approve(records["2024-12-30"], actor=Actor("another", "approver"))
    street.advance(days=30)
    assert stands() == ("amended", 300, [(records["2024-12-30"], 30)])
    street.void(records["2025-01-01"])
    street.write(lambda tx: objections.contest(tx, records["2025-01-02"], "not_me"), me(person))
    assert stands()[:2] == ("amended", 120)
    street.write(lambda tx: withdrawals.withdraw(tx, person, "not_me"), me(person))
    assert stands()[:2] == ("amended", 0)
    street.revoke(number)
    assert stands()[0] == "revoked"


def test_it_is_found_by_number_or_code_however_typed_and_a_slip_of_the_pen_is_named(street, person):
    issued = street.certify(person)

    def find(said):
        with street.read() as tx:
            return register.find(tx, said)

    spelt = [issued.number, " 340104－2025－000001 ", "3401042025000001", issued.code, issued.code.lower()]
    spelt += [f"{issued.code[:4]}-{issued.code[4:8]} {issued.code[8:]}"]
    assert {find(said).number for said in spelt} == {issued.number}
    assert find("340104-2025-000002") is None
    other = issued.code[:5] + ("3" if issued.code[5] == "2" else "2") + issued.code[6:]
    with pytest.raises(InvalidRequest, match="有一位抄错了"):
        find(other)
    with pytest.raises(InvalidRequest, match="第 3 位可能有误：校验码里没有「0」"):
        find(issued.code[:2] + "0" + issued.code[3:])
    with pytest.raises(InvalidRequest, match="12 位，您输入了 11 位"):
        find(issued.code[:11])
    with pytest.raises(InvalidRequest, match="第 2 位可能有误：校验码里没有「0」"):
        find("20345-ABCDEFG")
    for short in ("340104-2025-1", "340104202500", "AB-2025"):
        with pytest.raises(InvalidRequest, match="证明编号不完整"):
            find(short)


def test_the_document_goes_with_the_person_and_the_register_stays(street, person):
    issued = street.certify(person)
    kept = certificate_of(street, issued.number)
    street.certify(person)
    request = street.write(lambda tx: erasures.ask(tx, person, "own_wish"), me(person))
    street.write(lambda tx: erasures.carry_out(tx, request), APPROVER)
    street.ledger.finish_erasures()
    with street.read() as tx:
        row = register.get(tx, issued.number)
        with pytest.raises(NotFound, match="注销"):
            register.paper(tx, row)
        assert register.standing(tx, row).state == "valid"
        assert register.masked_name(tx, row) == "（信息已删除）"
        with pytest.raises(NotFound, match="这里核对不了"):
            register.is_person(tx, row, "欧阳文海", kept.document["id_number"][-4:].replace("*", "0"))
    assert street.sql("SELECT count(*) FROM certificate_paper") == [(0,)]
    with pytest.raises(NotAllowed, match="资料已经注销或封存"):
        street.certify(person, actor=OPERATOR)


def test_what_the_unit_makes_public_is_masked_and_recent(street, person):
    child = street.volunteer(name="小明")
    street.serve(child, "2025-01-02 09:00", "10:00", settled=True)
    first, second = street.certify(person).number, street.certify(child).number

    def listed(station=HOME):
        with street.read() as tx:
            return [(one.row.number, one.name) for one in register.published(tx, station)[0]]

    assert listed() == [(second, "小*"), (first, "欧**海")]
    assert listed(OTHER) == []
    street.advance(days=31)
    assert listed() == []


def test_name_and_last_four_are_compared_as_a_whole(street, person):
    number = street.certify(person).number
    tail = street.names[person][1][-4:]

    def same(name, digits):
        with street.read() as tx:
            return register.is_person(tx, register.get(tx, number), name, digits)

    assert same("欧阳文海", tail)
    assert same(" 欧阳文海 ", f" {tail.lower()} ")
    assert not same("欧阳文", tail)
    assert not same("欧阳文海", "0000" if tail != "0000" else "1111")
    for name, digits in (("", tail), ("欧阳文海", "12"), ("欧阳文海", "12345")):
        with pytest.raises(InvalidRequest, match="请填写姓名全称"):
            same(name, digits)


def test_a_certificate_behind_the_ledgers_back_is_found(street, person):
    number = street.certify(person).number
    with street.damaged("certificate"):
        street.sql("UPDATE certificate SET minutes = 999 WHERE number = ?", number)
        assert [fault.what for fault in street.verify().faults] == ["certificate[" + str(street.size - 1) + "].minutes"]


def test_a_station_of_no_district_gives_its_own_code(world):
    world.write(lambda tx: stations.declare(tx, Station("01", "独立站", "station", None)))
    lone = world.volunteer("01")
    world.serve(lone, "2025-01-02 09:00", "10:00", settled=True)
    assert world.certify(lone).number == "01-2025-000001"
