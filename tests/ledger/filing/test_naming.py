"""Names of organisations: put together and judged by the naming rule, with the names that units have today; and categories between four schemes."""

import filings
import pytest
from filings import DISTRICT, HOME, OTHER, STREET

from ledger import categories, stations
from ledger.codes import CATEGORIES, CATEGORY_SCHEME
from ledger.errors import InvalidRequest
from ledger.filing import naming
from ledger.log import Fact
from ledger.people.actors import OPERATOR
from ledger.stations import Station


@pytest.fixture
def street(world):
    world.clock.now = world.clock.now.replace(year=2028, month=2, day=26)
    return filings.Street(world)


def judged(world, name, station=HOME):
    with world.read() as tx:
        return naming.check(tx.connection, station, name, today=tx.today.isoformat())


@pytest.mark.parametrize(
    ("said", "level", "called"),
    [
        ("梅山路社区居委会", "station", "梅山路社区"),
        ("梅山路社区社会服务站", "station", "梅山路社区"),
        ("竹荫里社区委员会", "station", "竹荫里社区"),
        ("小庙村村民委员会", "station", "小庙村"),
        ("小庙村村委会", "station", "小庙村"),
        ("小庙村委会", "station", "小庙村"),
        ("明珠", "station", "明珠社区"),
        ("三里庵街道社会服务中心", "centre", "三里庵街道"),
        ("三里庵街道办事处", "centre", "三里庵街道"),
        ("井岗镇人民政府", "centre", "井岗镇"),
        ("井岗镇", "centre", "井岗镇"),
        ("蜀山区民政局", "district", "蜀山区"),
    ],
)
def test_a_unit_has_one_name_in_names_whatever_its_office_is_called(said, level, called):
    assert naming.plain(said, level) == called


@pytest.mark.parametrize(
    "name",
    [
        "柳州市蜀山区解放街道明珠社区夕阳红志愿服务队",
        "蜀山区解放街道明珠社区夕阳红志愿服务队",
        "解放街道明珠社区志愿服务队",
        "明珠社区书画协会",
        "明珠社区 书画 协会",
    ],
)
def test_full_and_short_names_are_good_with_or_without_a_trade_name(world, street, name):
    assert judged(world, name) == "".join(name.split())


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "请填写组织名称，例如「蜀山区解放街道明珠社区夕阳红志愿服务队」"),
        ("夕阳红志愿服务队", "没有写明所在地。请写成「蜀山区解放街道明珠社区"),
        ("前锋社区书画协会", "写的是「前锋社区」，但组织所在的是「明珠社区」"),
        ("明珠社区夕阳红", "末尾没有写组织形式"),
        ("明珠社区队", "没有写明做什么"),
        ("明珠社区<b>书画</b>队", "组织名称用汉字、字母和数字"),
        ("明珠社区" + "书" * 60 + "队", "不超过 60 个字"),
        ("庐阳区解放街道明珠社区书画队", "没有写明所在地|写的是"),
    ],
)
def test_a_bad_name_is_told_which_part_is_wrong(world, street, name, sentence):
    with pytest.raises(InvalidRequest, match=sentence):
        judged(world, name)


def test_a_tree_that_begins_at_the_street_takes_any_county_before_it(world):
    world.station(STREET, "解放街道", level="centre")
    world.station(HOME, "明珠社区", parent=STREET)
    for name in ("柳州市柳北区解放街道明珠社区书画队", "柳北区解放街道明珠社区书画队", "解放街道明珠社区书画队", "明珠社区书画队"):
        assert judged(world, name) == name


def test_an_organisation_of_a_street_leaves_the_community_out(world, street):
    assert judged(world, "蜀山区解放街道邻里巡逻队", STREET)
    with pytest.raises(InvalidRequest, match="没有写明所在地"):
        judged(world, "明珠社区巡逻队", STREET)


def test_the_builder_makes_what_the_check_accepts(world, street):
    with world.read() as tx:
        place = naming.place(tx.connection, HOME)
    full = naming.build(place, "夕阳红", "志愿服务", "队", city="柳州市")
    assert full == "柳州市蜀山区解放街道明珠社区夕阳红志愿服务队"
    assert judged(world, full) == full
    assert judged(world, naming.build(place, "", "书画", "协会", short=True)) == "明珠社区书画协会"


def test_a_name_is_taken_in_the_whole_street_in_its_full_and_its_short_form(world, street):
    street.file(filings.form(name="明珠社区书画协会"))
    for name in ("明珠社区书画协会", "解放街道明珠社区书画协会", "合肥市蜀山区解放街道明珠社区书画协会"):
        with pytest.raises(InvalidRequest, match="本街镇已经有「明珠社区书画协会」，名称不能重复。请加上或换一个字号"):
            judged(world, name)
    assert judged(world, "明珠社区翰墨书画协会")
    assert judged(world, "前锋社区书画协会", OTHER), "another community's name is another name"


def test_a_name_of_a_unit_that_was_renamed_or_closed_was_good_then_and_says_so(world, street):
    assert judged(world, "前锋社区书画协会", OTHER)
    world.advance(days=30)
    world.write(lambda tx: stations.declare(tx, Station(OTHER, "前锋东社区居委会", "station", STREET)))
    with pytest.raises(
        InvalidRequest, match="「前锋社区」已于 2028-03-27 改称「前锋东社区」：2028-02-26 起用它取的名称当时有效，今天不能再用"
    ):
        judged(world, "前锋社区书画协会", OTHER)
    assert judged(world, "前锋东社区书画协会", OTHER)
    closed = {"station": OTHER, "valid_from": world.today.isoformat(), "closed": True}
    world.write(lambda tx: tx.append([Fact("station.changed", closed)]), OPERATOR)
    with pytest.raises(InvalidRequest, match="「前锋东社区」已于 2028-03-27 撤销"):
        judged(world, "解放街道前锋东社区书画协会")
    with pytest.raises(InvalidRequest, match="已经撤销，不能再办备案"):
        street.ask(station=OTHER, actor=OPERATOR)
    reopened = closed | {"closed": False}
    world.write(lambda tx: tx.append([Fact("station.changed", reopened)]), OPERATOR)
    assert judged(world, "前锋东社区书画协会", OTHER)


def test_an_organisation_that_was_filed_keeps_its_name_through_a_change_though_its_community_is_renamed(world, street):
    unit = street.file()
    world.write(lambda tx: stations.declare(tx, Station(HOME, "明珠东社区", "station", STREET)))
    street.agree(street.ask(filings.form(scope="巡访") | filings.MEETING, kind="change", organisation=unit))
    with pytest.raises(InvalidRequest, match="「明珠社区」已于"):
        street.ask(filings.form(name="明珠社区朝阳志愿服务队") | filings.MEETING, kind="change", organisation=unit)


def test_a_unit_under_no_street_files_nothing(world):
    world.station(DISTRICT, "蜀山区", level="district")
    world.station(HOME, "明珠社区", parent=DISTRICT)
    with world.read() as tx, pytest.raises(InvalidRequest, match="上面没有登记街镇"):
        naming.street_of(tx.connection, HOME)


def test_every_kind_of_every_scheme_has_a_counterpart_in_each_other_that_leads_back(world):
    for scheme, known in categories.SCHEMES.items():
        for category in known.kinds:
            assert categories.translate(scheme, category, scheme) == (category,)
            for other in categories.SCHEMES:
                there = categories.translate(scheme, category, other)
                assert there or (scheme, category) == ("", ""), (scheme, category, other)
                assert all(one in categories.SCHEMES[other].kinds for one in there)
                assert all(category in categories.translate(other, one, scheme) for one in there)
    assert categories.translate(CATEGORY_SCHEME, "community-affairs", "four-types-2018") == ("self-government", "safety")
    assert categories.translate("three-kinds-2022", "functional", CATEGORY_SCHEME) == ("daily-life", "community-affairs")
    assert categories.translate("five-kinds-2021", "mutual-aid", "four-types-2018") == ("self-government", "safety")
    assert categories.translate(CATEGORY_SCHEME, "sport", "five-kinds-2021") == ()
    assert categories.translate("unknown", "x", CATEGORY_SCHEME) == ()
    assert categories.EXAMPLES.keys() == CATEGORIES.keys()
    assert categories.name_of("five-kinds-2021", "charity") == "公益慈善性"
    assert categories.name_of("unknown", "charity") == "charity"
