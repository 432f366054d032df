"""A rule file that is wrong is refused with the field named; one against those who do not volunteer, or without a law behind it, is refused as such."""

import copy

import orjson
import pytest

from ledger.errors import InvalidRequest
from ledger.rules import describing, reading

HOURS = {"id": "service", "name": "服务", "counts": "minutes", "tiers": [{"points": 1, "per_minutes": 60}]}
BAD = {
    "id": "no-show",
    "name": "失约",
    "counts": "conduct",
    "conduct": "no-show",
    "sense": "bad",
    "points": -5,
    "basis": "《志愿服务条例》第二十二条",
}
LEVEL = {"scale": "star", "name": "一星", "when": [{"hours": 100}]}
OFTEN = {"name": "失约", "items": ["no-show"], "per": "year", "at_least": 5, "effects": ["status"], "basis": "条例"}
WHOLE = {
    "name": "star",
    "title": "星级",
    "version": 1,
    "effective_on": "2026-03-01",
    "document": "区文明办〔2026〕1号",
    "items": [HOURS, BAD],
    "scales": [{"id": "star", "name": "星级"}],
    "levels": [LEVEL],
}


def changed(**said):
    return {**copy.deepcopy(WHOLE), **said}


def refusal(said):
    with pytest.raises(InvalidRequest) as caught:
        reading.read(said if isinstance(said, bytes) else orjson.dumps(said))
    return str(caught.value)


def test_a_whole_file_is_read_and_said_in_sentences():
    found = reading.read(orjson.dumps(WHOLE))
    said = {section.title: section.lines for section in describing.describe(found)}
    assert said["星级怎么评"] == ["一星：时长 100小时", "按现在的时长和积分随时重新评定"]
    assert said["积分怎么算"] == ["服务：每 1小时 1 分", "不足 0.01 分的，按累计舍去"]
    assert said["失信怎么处理"] == ["失约：扣 5 分。依据：《志愿服务条例》第二十二条"]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"{", "不是 JSON：第 1 行"),
        (b"[]", "最外层应是一个对象"),
        ({key: value for key, value in WHOLE.items() if key != "document"}, "「document」不对：没有写"),
        (changed(version="1"), "「version」不对：应是 1 至"),
        (changed(effective_on="2026-3-1"), "「effective_on」不对：应是日期"),
        (changed(colour="red"), "不认识的项「colour」"),
        (
            changed(items=[HOURS | {"tiers": [{"points": 0.5, "per_minutes": 60}]}]),
            "「items」第 1 项「tiers」第 1 项的「points」不对：应是整数，或带引号的小数",
        ),
        (changed(items=[HOURS | {"tiers": []}]), "「items」第 1 项的「tiers」不对：计时长的项要写"),
        (changed(items=[HOURS, HOURS]), "有两项的 id 都是「service」"),
        (changed(items=[HOURS | {"category": "none"}]), "「category」不对：categories 里没有「none」"),
        (changed(items=[HOURS | {"where": {"grades": ["E"]}}]), "「where」的「grades」不对：应是一列，取自 A"),
        (changed(items=[HOURS | {"caps": [{"per": "week", "points": 1}]}]), "「caps」第 1 项的「per」不对"),
        (changed(items=[HOURS | {"coefficients": {"gardening": 2}}]), "coefficients.gardening"),
        (changed(items=[HOURS | {"window": {"kind": "rolling"}}]), "「months」不对：滚动计分要写明几个月"),
        (changed(levels=[LEVEL | {"scale": "moon"}]), "「scale」不对：scales 里没有「moon」"),
        (changed(levels=[LEVEL | {"when": []}]), "「when」不对：要写明达到的条件"),
        (changed(levels=[LEVEL | {"when": [{"item/ghost": 1}]}]), "item/ghost"),
        (changed(levels=[]), "「星级」一级也没有"),
        (changed(points={"from": 5, "to": 1}), "上限低于下限"),
        (changed(benefits=[{"name": "门票", "scale": "star", "levels": [2]}]), "等级表"),
        (changed(document="电话 13812345678"), "「document」不对"),
        (changed(scales=[{"id": "star", "name": "星级", "keeps": True}], items=[HOURS | {"expires_months": 12}]), "「keeps」不对"),
    ],
)
def test_what_is_wrong_names_the_field(said, words):
    assert words in refusal(said)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (changed(items=[BAD | {"basis": ""}]), "「basis」"),
        (changed(items=[{key: value for key, value in BAD.items() if key != "basis"}]), "要写明所依据的法律、法规或中央政策"),
        (changed(items=[BAD | {"points": 5}]), "失信记录不能加分"),
        (changed(items=[BAD | {"sense": "good"}]), "只有失信记录才能扣分"),
        (changed(items=[HOURS, BAD, BAD | {"id": "again"}]), "失信项「no-show」写了两次"),
        (
            changed(
                counters=[{"name": "失约", "items": ["service"], "per": "year", "at_least": 5, "effects": ["status"], "basis": "条例"}]
            ),
            "不是 items 里的失信项",
        ),
        (
            changed(counters=[{"name": "失约", "items": ["no-show"], "per": "year", "at_least": 5, "effects": ["status"]}]),
            "「basis」不对：没有写",
        ),
    ],
)
def test_what_is_taken_rests_on_a_law(said, words):
    assert words in refusal(said)


@pytest.mark.parametrize(
    "said",
    [
        changed(items=[BAD | {"name": "长期不参加活动"}]),
        changed(items=[BAD | {"conduct": "no-service-in-a-year"}]),
        changed(items=[HOURS | {"tiers": [{"points": -1, "per_minutes": 60}]}]),
        changed(items=[{"id": "few", "name": "次数", "counts": "times", "points": -1}]),
        changed(items=[{"id": "start", "name": "起始", "counts": "start", "points": -10}]),
        changed(items=[HOURS | {"effects": ["star"]}]),
        changed(counters=[{"name": "积分少", "points_below": 1, "per": "year", "effects": ["status"], "basis": "条例"}]),
        changed(counters=[{"name": "不活跃", "points_below": 0, "per": "year", "effects": ["status"], "basis": "条例"}]),
    ],
)
def test_that_somebody_does_not_volunteer_is_never_held_against_them(said):
    assert "志愿服务出于自愿" in refusal(said)


def test_a_file_that_would_not_fit_an_entry_is_refused():
    assert "最多 50000 字节" in refusal(b" " * 50_001)
