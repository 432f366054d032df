"""The three copies of each form: everything that was filled in stands on them, each names its keeper and says that it proves nothing else."""

import subprocess

import filings
import pytest
from filings import ADDRESS, CLERK, CLOSING, HOME, LEADER, MEETING, NAME, PHONE, STREET_CLERK

from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.filing import erasing, papers
from ledger.people.actors import Actor


@pytest.fixture
def street(world):
    world.clock.now = world.clock.now.replace(year=2028, month=2, day=26)
    return filings.Street(world)


def text_of(pdf: bytes) -> str:
    """What a PDF says, as another program reads it, without blanks."""
    said = subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()
    return "".join(said.split())


def test_three_copies_hold_every_field_and_name_their_keepers(world, street):
    filing = street.ask(
        filings.form(leader0_native_place="安徽合肥", leader0_education="高中", leader0_politics="群众", contact_post="秘书")
    )
    street.agree(filing)
    said = text_of(papers.print_copies(world.ledger, CLERK, filing))
    for word in (
        *(
            NAME,
            LEADER,
            "欧阳建国",
            PHONE,
            ADDRESS.replace(" ", ""),
            filings.id_number("19580312"),
            "1958年3月",
            "安徽合肥",
            "高中",
            "群众",
            "秘书",
        ),
        *("社会团体", "公益慈善，志愿服务组织", "社区领导", "60平方米", "关爱老人，守望相助", "陪伴、巡访、义诊", "备340104001第00001号"),
        *("负责人未被列入严重违法失信名单", "明珠社区居委会（盖章）", "解放街道社会服务中心（盖章）", "2028年2月26日", "人员名册（3人）"),
    ):
        assert said.count(word) >= 3, word
    assert said.count("不能作为其他任何证明；备案的社区社会组织不具有独立法人资格") >= 3
    for keeper in papers.COPIES.values():
        alone = text_of(papers.print_copies(world.ledger, CLERK, filing, [code for code, name in papers.COPIES.items() if name == keeper]))
        others = [name for name in papers.COPIES.values() if name != keeper]
        assert alone.startswith("社区社会组织备案申请表编号备340104001第00001号" + keeper)
        assert [alone.count(name) < alone.count(keeper) for name in others] == [True, True]
    with world.read() as tx:
        assert papers.printed(tx, filing) == 4


def test_a_change_and_an_end_are_printed_with_how_the_members_decided(world, street):
    unit = street.file()
    change = street.ask(filings.form(scope="巡访") | MEETING, kind="change", organisation=unit)
    said = text_of(papers.print_copies(world.ledger, CLERK, change, ["own"]))
    for word in (
        "变更备案表",
        "变更前内容",
        "陪伴、巡访、义诊",
        "任期届满，成员会议改选",
        "应到12人，到会9人，同意7人",
        "同意（）不同意（）",
    ):
        assert word in said, word
    street.agree(change)
    end = street.ask(CLOSING, kind="cancel", organisation=unit)
    said = text_of(papers.print_copies(world.ledger, CLERK, end, ["authority"]))
    for word in ("注销备案表", "没有债权债务", "备案表原件三份已退还", "印章已交回", LEADER, "备340104001第00001号"):
        assert word in said, word


def test_what_was_returned_never_reads_as_agreed_also_after_it_was_handed_in_again(world, street):
    unit = street.file()
    first = street.ask(CLOSING, kind="cancel", organisation=unit)
    street.judge(first, "community", "returned", "债权债务没有写清楚")
    street.ask(CLOSING, kind="cancel", organisation=unit, replaces=first)
    world.ledger.finish_erasures()
    said = text_of(papers.print_copies(world.ledger, CLERK, first, ["own"]))
    assert "退回修改。债权债务没有写清楚" in said


def test_only_a_desk_that_sees_the_station_prints_and_what_is_erased_is_not_there(world, street):
    filing = street.ask(filings.form(leader1_name="欧阳𬀩"))
    for actor in (Actor("next", "recorder", filings.OTHER), Actor("x", "auditor"), Actor("y", "volunteer")):
        with pytest.raises(NotAllowed):
            papers.print_copies(world.ledger, actor, filing)
    with pytest.raises(InvalidRequest, match="请选择印哪一份"):
        papers.print_copies(world.ledger, CLERK, filing, ["mine"])
    with pytest.raises(NotFound):
        papers.print_copies(world.ledger, CLERK, "2222222222")
    street.agree(filing)
    world.write(lambda tx: erasing.erase(tx, filing, [0], "left", world.today), STREET_CLERK)
    world.ledger.finish_erasures()
    said = text_of(papers.print_copies(world.ledger, Actor("other", "approver", HOME), filing))
    assert LEADER not in said.split("人员名册")[0]
    assert "已按规定销毁" in said
