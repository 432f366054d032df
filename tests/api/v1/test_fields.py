"""Fields read what they describe, whichever way a schema reads them."""

import marshmallow as ma
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.v1 import fields
from api.v1.organisations import OrganisationSaid
from api.v1.schemas import ServiceDraft
from api.v1.stations import StationSaid
from api.v1.volunteers import RegistrationSaid

DRAFT = {
    "volunteer": "K7M2Q9XP4R",
    "activity": "8HX3M5T7WQ",
    "station": "340104001004",
    "start": "2026-03-05T09:00:00+08:00",
    "end": "2026-03-05T11:30:00+08:00",
    "grade": "B",
}
UNIT = {
    "number": "备7",
    "name": "互助社",
    "category": "charity",
    "volunteer_organisation": True,
    "station": "1",
    "basis": "filed",
    "since": "2025-01-01",
}
PERSON = {"name": "王 五", "id_number": "11010519491231002X", "station": "1", "phone": "13624242754", "sex": "女"}
PLACE = {"code": "1", "name": "站", "level": "station", "population": 12, "counted_on": "2025-01-01", "population_source": "统计"}
SAID = ((ServiceDraft(), DRAFT), (OrganisationSaid(), UNIT), (RegistrationSaid(), PERSON), (StationSaid(), PLACE))
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20), st.just([]), st.just({}), st.just("B")
)


def outcome(load, data):
    try:
        return load(data)
    except ma.ValidationError as error:
        return error.messages


@pytest.mark.parametrize(("schema", "good"), SAID)
@given(data=st.data())
def test_the_short_way_and_the_long_way_of_reading_agree(schema, good, data):
    said = dict(good)
    for _ in range(data.draw(st.integers(0, 3))):
        name = data.draw(st.sampled_from([*schema.fields, "other"]))
        if data.draw(st.booleans()):
            said.pop(name, None)
        else:
            said[name] = data.draw(VALUES)
    assert outcome(schema.load, said) == outcome(lambda one: ma.Schema.load(schema, one), said)


@pytest.mark.parametrize(("schema", "good"), SAID)
def test_what_is_no_object_is_refused_alike(schema, good):
    assert schema.load(good)
    for said in (None, [], "x", 7, True):
        assert outcome(schema.load, said) == {"_schema": ["应是一个 JSON 对象"]}


@pytest.mark.parametrize("said", ["12345", "1362424275x", "１３６２４２４２７５４", 13624242754, "10000000000", None])
def test_a_phone_is_one_that_can_be_called(said):
    with pytest.raises(ma.ValidationError):
        fields.Phone().read(said)


def test_a_name_is_brought_to_its_one_spelling():
    assert fields.PersonName(40).read("买买提 • 艾力") == "买买提·艾力"
    for wrong in ("", " ", "13624242754", "张\n三", "长" * 41):
        with pytest.raises(ma.ValidationError):
            fields.PersonName(40).read(wrong)


@pytest.mark.parametrize("said", ["2026-02-30", "2026-2-3", "20260203", "1979-12-31", "2026-02-03T00:00", 20260203, "２０２６-02-03"])
def test_a_day_is_one_of_the_calendar(said):
    with pytest.raises(ma.ValidationError):
        fields.Day().read(said)


def test_several_are_judged_one_by_one_and_none_is_there_twice():
    several = fields.Several(fields.Whole(0, 9), 3, 1)
    assert several.read([1, 2]) == [1, 2]
    with pytest.raises(ma.ValidationError) as refused:
        several.read([1, 10, "2"])
    assert set(refused.value.messages) == {1, 2}
    for wrong in ([], [1, 2, 3, 4], [1, 1], "1", None):
        with pytest.raises(ma.ValidationError):
            several.read(wrong)
