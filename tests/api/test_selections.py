"""The form of a selection's rules: what it asks is what is saved, saved rules fill it again, and what does not fit organisations is left out."""

import re
from html import unescape

import orjson
import pytest

from ledger.ids import spaced
from ledger.selections import reading

CENTRE = "340104001000"
WHOLE = {
    "station": CENTRE,
    "name": "优秀志愿者",
    "subject": "volunteers",
    "year": "2025",
    "quota_total": "3",
    "grade": ["A", "B"],
    "tie_1": "services",
    "confirmed_only": "1",
    "day_cap_hours": "8",
    "staff_from": "08:30",
    "staff_to": "17:00",
}


def saved(world, answer):
    number = answer.location.rsplit("/", 1)[1]
    with world.ledger.read() as tx:
        return number, orjson.loads(reading.drafted(tx.connection, number).rules)


@pytest.fixture
def official(world):
    return world.visitor("official")


def test_people_left_out_and_staffs_hours_are_said_in_fields_and_come_back_into_them(world, person, official):
    said = WHOLE | {"excluded": f"{spaced(person.number)} 评委，不参评\n\n", "staff": f"{spaced(person.number).lower()}\n"}
    number, rules = saved(world, official.post("/selections/", said))
    assert rules["caps"] == {"day": 480}
    assert rules["exclude"] == [{"volunteer": person.number, "reason": "评委，不参评"}]
    assert rules["staff"] == {"people": [person.number], "from": "08:30", "to": "17:00"}
    assert rules["confirmed_only"] is True
    page = unescape(official.get(f"/selections/{number}/rules").text)
    assert f">{spaced(person.number)} 评委，不参评</textarea>" in page
    assert f'name="staff" rows="3" spellcheck="false" aria-describedby="staff-hint">{spaced(person.number)}</textarea>' in page
    assert re.search(r'name="day_cap_hours"[^>]* value="8"', page)
    assert '"exclude"' not in page, "nobody has to read JSON"
    official.post(
        f"/selections/{number}/rules", said | {"excluded": "", "staff": "", "day_cap_hours": "", "more": '{"caps": {"activity": 240}}'}
    )
    with world.ledger.read() as tx:
        again = orjson.loads(reading.drafted(tx.connection, number).rules)
    assert (again["caps"], "exclude" in again, "staff" in again) == ({"activity": 240}, False, False)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"excluded": "K7M2-Q9X-P4R"}, "「K7M2-Q9X-P4R」后面要空一格写明理由"),
        ({"excluded": "张三 评委"}, "编号不对：应为 10 位字母和数字"),
        ({"staff": "12345"}, "编号不对：应为 10 位字母和数字"),
        ({"day_cap_hours": "八"}, "「每天最多算几小时」请填整数"),
    ],
)
def test_a_field_that_is_wrong_is_named_and_what_was_typed_stays(official, change, sentence):
    answer = official.post("/selections/", WHOLE | change)
    assert answer.status_code == 400
    page = unescape(answer.text)
    assert sentence in page
    assert [value in page for value in change.values()] == [True]


def test_organisations_are_not_asked_whether_they_confirmed_a_registration(world, official):
    _, rules = saved(world, official.post("/selections/", WHOLE | {"subject": "organisations", "name": "优秀组织"}))
    assert rules["subject"] == "organisations"
    assert "confirmed_only" not in rules


def test_rules_that_nobody_meets_are_known_before_the_freeze(world, recorded, official):
    number, _ = saved(world, official.post("/selections/", WHOLE | {"minimum_hours": "500", "confirmed_only": ""}))
    page = f"/selections/{number}/freeze"
    assert "没有一个符合条件" not in official.get(page).text, "it is tried when somebody asks"
    assert "没有一个符合条件" in official.get(page + "?try=1").text
