"""Records for the designated national system: of who said yes, article 5 and no more, by two people, once, and everybody in the file sees it."""

import dataclasses
import hashlib
import io
import json

import credited
import openpyxl
import pytest
from world import APPROVER, CENTRE, CLERK, HOME

from ledger import credit
from ledger.entries import b64
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.handing_over import asking, gathering, mapping
from ledger.kinds.people import LEAVING
from ledger.people import confirmations, erasures, reveals, withdrawals
from ledger.people.actors import OPERATOR, Actor

HEAD, OFFICIAL = Actor("head", "approver", CENTRE), Actor("li", "official")
PERIOD = ("2025-01-01", "2025-01-31")
ARTICLE_5 = {"name", "sex", "birth_date", "id_number", "area", "phone", "skills", "services"}


@pytest.fixture
def town(world):
    """Four people, of whom three have said yes themselves (the third at registering), with services of every standing and a credit record."""
    world.people = world.town()
    credited.write_everything(world, world.people)
    for person in world.people[:2]:
        own = Actor("own-" + person, "volunteer", None, person)
        world.ledger.operate(lambda connection, now, person=person: confirmations.note_code(connection, now, "head", person))
        world.write(confirmations.by_person, own)
    world.advance(days=10)
    return world


def asked(town, unit=CENTRE, first=PERIOD[0], last=PERIOD[1], reason="按第67号令第四条报送", by=HEAD):
    return town.write(lambda tx: asking.ask(tx, unit, first, last, reason), by)


def agreed(town, **said):
    request = asked(town, **said)
    town.write(lambda tx: asking.agree(tx, request), OFFICIAL)
    return request


def taken(town, request, by=HEAD):
    return asking.take(town.ledger, by, request)


def sheets(content):
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {sheet.title: [list(row) for row in sheet.values] for sheet in book.worksheets}


def test_the_file_holds_the_five_blocks_of_those_who_said_yes(town):
    found = sheets(taken(town, agreed(town)).content)
    assert list(found) == ["说明", "个人基本信息", "志愿服务情况", "培训情况", "表彰奖励情况", "评价情况"]
    head, *people = found["个人基本信息"]
    assert head == ["志愿者编号", "姓名", "性别", "出生日期", "身份证件号码", "居住区域", "联系方式", "专业技能", "服务类别"]
    assert {row[0] for row in people} <= set(town.people[:3])
    by_number = {row[0]: row for row in people}
    name, id_number, phone = town.names[town.people[0]]
    first = by_number[town.people[0]]
    born = f"{id_number[6:10]}-{id_number[10:12]}-{id_number[12:14]}"
    assert (first[1], first[3], first[4], first[6]) == (name, born, id_number, phone)
    assert town.names[town.people[3]][1] not in str(found), "nobody who has not said yes"
    services = found["志愿服务情况"][1:]
    with town.read() as tx:
        everything = [item for one in town.people[:3] for item in credit.statement(tx, one).records]
    counted = {item.index for item in everything if PERIOD[0] <= item.served_on <= PERIOD[1]}
    assert 0 < len(counted) < len(everything), "one was before"
    assert {int(row[1]) for row in services} == counted
    assert [row[2] for row in found["培训情况"][1:]] == ["急救员培训"], "the one whose part was voided is not there"
    about = {row[0]: row[1] for row in found["说明"] if row[0]}
    assert about["没有交出的：本人还没有确认登记"] == "1 人"
    assert about["人数"] == str(len(people))


def test_nothing_beyond_article_5_can_be_put_into_the_file():
    assert set(mapping.FIELDS["basic"]) == ARTICLE_5 | {"number"}
    said = {"name": "x", "document": "y", "tables": [{"id": "basic", "title": "甲", "article": "五", "fields": []}]}
    for fields, sentence in (
        ([{"ours": "number", "theirs": "编号", "type": "text"}, {"ours": "guardian", "theirs": "监护人", "type": "text"}], "不能交出去"),
        ([{"ours": "name", "theirs": "姓名", "type": "text"}], "没有 number"),
        ([{"ours": "number", "theirs": "", "type": "text"}], "theirs"),
        ([{"ours": "number", "theirs": "编号", "type": "float"}], "type 应是"),
        ([{"ours": "number", "theirs": "编号", "type": "text"}] * 2, "不止一次"),
        ([], "没有 fields"),
    ):
        said["tables"][0]["fields"] = fields
        with pytest.raises(InvalidRequest, match=sentence):
            mapping.read(json.dumps(said).encode())
    with pytest.raises(InvalidRequest, match="不是 JSON：第 1 行"):
        mapping.read(b"{")


@pytest.mark.parametrize("title", ["人员/基本", "说明", "长" * 32, "服务", "'人员"])
def test_a_title_that_no_sheet_can_have_is_refused_before_anybody_is_asked(title):
    fields = [{"ours": "number", "theirs": "编号", "type": "text"}]
    tables = [{"id": one, "title": name, "article": "五", "fields": fields} for one, name in (("basic", title), ("service", "服务"))]
    with pytest.raises(InvalidRequest, match=r"表名|都叫"):
        mapping.read(json.dumps({"name": "x", "document": "y", "tables": tables}).encode())


def test_what_is_shipped_names_every_field_there_is_and_marks_what_is_not_known():
    shipped = mapping.shipped()
    assert {block.id: tuple(one.ours for one in block.fields) for block in shipped.blocks} == mapping.FIELDS
    assert any(one.unknown for block in shipped.blocks for one in block.fields)


def test_a_mapping_of_ones_own_renames_and_leaves_out(town):
    fields = [{"ours": "number", "theirs": "zyzbh", "type": "text"}, {"ours": "name", "theirs": "xm", "type": "text"}]
    own = {"name": "省平台", "document": "模板", "tables": [{"id": "basic", "title": "人员", "article": "第五条", "fields": fields}]}
    file = asking.take(town.ledger, HEAD, agreed(town), mapping.read(json.dumps(own).encode()))
    found = sheets(file.content)
    assert list(found) == ["说明", "人员"]
    assert found["人员"][0] == ["zyzbh", "xm"]


def test_two_people_are_asked_and_the_file_is_given_once(town):
    request = asked(town)
    with pytest.raises(NotAllowed, match="另一位"):
        town.write(lambda tx: asking.agree(tx, request), HEAD)
    with pytest.raises(Conflict, match="请先等另一位同意"):
        taken(town, request)
    with pytest.raises(Conflict, match="已经有人提出"):
        asked(town)
    town.write(lambda tx: asking.agree(tx, request), OFFICIAL)
    with pytest.raises(NotAllowed, match="只能由提出的人或同意的人"):
        taken(town, request, Actor("third", "official"))
    file = taken(town, request)
    entry = town.entries()[file.receipt.index]
    assert entry["kind"] == "records.handed_over"
    assert entry["body"]["sha256"] == b64(hashlib.sha256(file.content).digest())
    assert (entry["body"]["asked_by"], entry["body"]["agreed_by"], entry["body"]["people"]) == ("head", "li", len(file.gathered.people))
    with pytest.raises(Conflict, match="文件只给一次"):
        taken(town, request)
    with pytest.raises(Conflict, match="文件已取走"):
        town.write(lambda tx: asking.decline(tx, request), OFFICIAL)
    assert asked(town), "and may be asked for anew"


def test_everybody_in_the_file_sees_the_look_and_nobody_else(town):
    file = taken(town, agreed(town))
    assert file.gathered.people
    with town.read() as tx:
        for person in town.people:
            seen = [(one.reason, one.note) for one in reveals.of(tx, person)]
            wanted = [("报送国家指定的志愿服务信息系统", "按第67号令第四条报送")] if person in file.gathered.people else []
            assert seen == wanted


def test_what_is_not_taken_in_a_day_ends(town):
    request = agreed(town)
    town.advance(hours=25)
    with pytest.raises(Conflict, match="过期没有取"):
        taken(town, request)
    with town.read() as tx:
        assert [asking.state(row, tx.now) for row in asking.requests(tx, HEAD)] == ["ended"]
        assert asking.handed_over(tx, HEAD) == []
        assert not any(reveals.of(tx, person) for person in town.people)


def test_who_left_or_was_erased_is_not_handed_over(town):
    before = taken(town, agreed(town)).gathered.people
    assert {town.people[0], town.people[1]} <= set(before)
    own = Actor("own-" + town.people[0], "volunteer", None, town.people[0])
    town.write(lambda tx: withdrawals.withdraw(tx, town.people[0], next(iter(LEAVING))), own)
    request = town.write(lambda tx: erasures.ask(tx, town.people[1], "own_wish"), CLERK)
    town.write(lambda tx: erasures.carry_out(tx, request), APPROVER)
    town.ledger.finish_erasures()
    after = taken(town, agreed(town))
    assert not {town.people[0], town.people[1]} & set(after.gathered.people)
    assert not {row["number"] for rows in after.gathered.blocks.values() for row in rows} - set(after.gathered.people)


class Slow(list[object]):
    """Blocks of a file that take their time: something else is done when they are looked at first."""

    meanwhile = staticmethod(lambda: None)

    def __iter__(self):
        act, self.meanwhile = self.meanwhile, lambda: None
        act()
        return super().__iter__()


def test_who_leaves_while_the_file_is_made_keeps_it_from_leaving(town):
    request = agreed(town)
    own = Actor("own-" + town.people[0], "volunteer", None, town.people[0])
    slow = Slow(mapping.shipped().blocks)
    slow.meanwhile = lambda: town.write(lambda tx: withdrawals.withdraw(tx, town.people[0], next(iter(LEAVING))), own)
    with pytest.raises(Conflict, match="有人退出了。文件没有取走"):
        asking.take(town.ledger, HEAD, request, dataclasses.replace(mapping.shipped(), blocks=slow))
    with town.read() as tx:
        assert not any(reveals.of(tx, person) for person in town.people)
    assert town.people[0] not in taken(town, request).gathered.people


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"by": CLERK}, NotAllowed),
        ({"by": Actor("far", "approver", HOME)}, NotAllowed),
        ({"unit": "999"}, NotFound),
        ({"first": "2025-02-01"}, InvalidRequest),
        ({"last": "2099-01-01"}, InvalidRequest),
        ({"first": "一月"}, InvalidRequest),
        ({"reason": "报"}, InvalidRequest),
        ({"reason": "打 13812345678 找我"}, InvalidRequest),
    ],
)
def test_who_may_not_or_says_nothing_sensible_gets_no_request(town, said, refusal):
    with pytest.raises(refusal):
        asked(town, **said)
    with town.read() as tx:
        assert asking.requests(tx, OPERATOR) == []


@pytest.mark.parametrize(("minutes", "said"), [(0, "0.00"), (1, "0.02"), (90, "1.50"), (100, "1.67"), (6000, "100.00")])
def test_hours_are_written_with_two_decimals(minutes, said):
    assert gathering.hours(minutes) == said
