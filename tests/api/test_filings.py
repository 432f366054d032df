"""The pages of filing: a clerk fills it in page by page, the committee and the street sign, everybody sees what is public and nobody a person."""

import re
import subprocess

import filings
import pytest

from api.pages.filings import LISTED
from ledger.organisations import Filing, record_many
from ledger.people.actors import OPERATOR

CENTRE, STATION, NEXT_STATION, PASSWORD = "340104001000", "340104001004", "340104001001", "correct horse battery"
NAME = "竹荫里社区夕阳红志愿服务队"
PAGES = {
    "kind": ("name", "legal_form", "category", "volunteer", "tier"),
    "charter": ("purpose", "scope", "charter_on", "charter_years"),
    "place": ("area", "premises", "premises_area", "premises_public", "contact_name", "contact_phone", "members", "roster"),
}
SECRETS = (filings.LEADER, filings.SECOND, filings.PHONE, filings.id_number("19580312"), filings.RESUME)


@pytest.fixture
def street(world):
    """The street's people: a clerk and a committee at the station, an approver at the street."""
    for login, role, station in [("committee", "recorder", STATION), ("next", "recorder", NEXT_STATION)]:
        world.accounts.create(OPERATOR, login, role, station=station, password=PASSWORD)
    return world


def said_of(**more):
    return filings.form(name=NAME, charter_on="2025-10-01", declared_on="2025-11-02", premises="竹荫里 3 幢", **more)


def fill(visitor, said, *, change=False):
    """Send every page of a first filing; returns the answer to the last."""
    where = visitor.post("/filings/drafts/new", {"form": "file", "station": STATION}).location
    for here, keys in PAGES.items():
        answer = visitor.post(where, {"here": here, "go": here, **{key: said[key] for key in keys if said.get(key)}})
        assert answer.status_code == 302, answer.text
    visitor.post(where, {"here": "leaders", "go": "sign", **{key: value for key, value in said.items() if key.startswith("leader")}})
    signed = {key: value for key, value in said.items() if key.startswith("declared")}
    return where, visitor.post(where, {"here": "sign", "submit": "1", **signed})


def sign(visitor, where, step, outcome="agreed", reason=""):
    return visitor.post(f"{where}/opinion", {"step": step, "outcome": outcome, "reason": reason})


def text_of(answer) -> str:
    return re.sub(r"<[^>]+>|\s", "", answer.text)


def test_a_filing_goes_through_three_hands_and_is_seen_by_everybody_without_its_people(street):
    clerk, committee, approver = street.visitor("recorder"), street.visitor("committee"), street.visitor("approver")
    _, answer = fill(clerk, said_of(premises_public="1"))
    assert answer.status_code == 302, answer.text
    where = answer.location
    assert "这件申请是您交上来的，意见要由另一个人来出" in text_of(clerk.get(where))
    assert NAME in committee.get("/filings/waiting").text
    assert "1件备案等您出意见" in text_of(committee.get("/work"))
    assert sign(clerk, where, "community").status_code == 400
    assert sign(approver, where, "street").status_code == 400, "not yet"
    assert sign(committee, where, "community").status_code == 302
    assert "给出编号" not in text_of(committee.get(where)), "the street gives it"
    assert "等备案机关意见" in text_of(clerk.get("/filings/"))
    assert sign(approver, where, "street").status_code == 302
    assert "备案机关意见：同意，已记入账本。给出编号：备340104001第00001号。" in text_of(approver.get(where))
    page = clerk.get(where)
    for secret in SECRETS:
        assert secret not in page.text
    assert "王*芳" in page.text
    assert "您交的备案有结果了" in clerk.get("/notices/").text
    assert NAME in clerk.get("/notices/").text
    desk = re.search(r"/organisations/[0-9A-Z]{10}/desk", approver.get(where).text)[0]
    assert "备340104001第00001号" in approver.get(desk).text
    public = street.visitor().get(desk.removesuffix("/desk"))
    for word in (
        "备340104001第00001号",
        "社区领导",
        "公益慈善",
        "陪伴、巡访、义诊",
        "竹荫里 3 幢",
        "2027年11月2日",
        "不能作为其他任何证明",
        "办过的活动",
    ):
        assert word in public.text, word
    for secret in SECRETS:
        assert secret not in public.text
    assert "noindex" in public.headers["X-Robots-Tag"]


def test_an_address_that_the_organisation_keeps_to_itself_is_nowhere(street):
    clerk = street.visitor("recorder")
    _, answer = fill(clerk, said_of())
    sign(street.visitor("committee"), answer.location, "community")
    approver = street.visitor("approver")
    sign(approver, answer.location, "street")
    desk = re.search(r"/organisations/[0-9A-Z]{10}/desk", approver.get(answer.location).text)[0]
    assert "竹荫里 3 幢" not in street.visitor().get(desk.removesuffix("/desk")).text


def test_a_draft_is_kept_page_by_page_and_the_name_is_put_together(street):
    clerk = street.visitor("recorder")
    where = clerk.post("/filings/drafts/new", {"form": "file", "station": STATION}).location
    page = clerk.post(
        where, {"here": "kind", "trade": "夕阳红", "business": "志愿服务", "ending": "队", "build": "1", "category": "charity"}
    )
    assert f'value="{NAME}"' in page.text
    assert "在其他口径里" in page.text
    wrong = clerk.post(where, {"here": "kind", "name": "夕阳红志愿服务队", "go": "charter"})
    assert (wrong.status_code, "没有写明所在地" in wrong.text) == (400, True)
    clerk.post(where, {"here": "charter", "purpose": "守望相助", "go": "place"})
    assert "守望相助" in clerk.get(f"{where}?step=charter").text
    assert "还有没填好的" in clerk.get(f"{where}?step=sign").text
    refused = clerk.post(where, {"here": "sign", "submit": "1"})
    assert (refused.status_code, "请填写主要负责人的姓名" in refused.text) == (400, True)
    assert "没交上去的草稿" in clerk.get("/filings/").text
    assert street.visitor("committee").get(where).status_code == 404
    assert clerk.post(f"{where}/discard").status_code == 302
    assert clerk.get(where).status_code == 404


def test_a_ticked_box_may_be_unticked(street):
    clerk = street.visitor("recorder")
    where = clerk.post("/filings/drafts/new", {"form": "file", "station": STATION}).location
    clerk.post(where, {"here": "place", "premises_public": "1", "go": "place"})
    assert 'name="premises_public" value="1" checked' in clerk.get(f"{where}?step=place").text
    clerk.post(where, {"here": "place", "go": "place"})
    assert 'name="premises_public" value="1" checked' not in clerk.get(f"{where}?step=place").text


def test_what_is_returned_opens_filled_in_and_says_why(street):
    clerk, committee = street.visitor("recorder"), street.visitor("committee")
    _, answer = fill(clerk, said_of())
    where = answer.location
    refused = sign(committee, where, "community", "returned")
    assert (refused.status_code, "退回修改的理由" in refused.text) == (400, True)
    sign(committee, where, "community", "returned", "名册和会员数对不上")
    assert "改好再交" in clerk.get(where).text
    again = clerk.post("/filings/drafts/new", {"replaces": where.rsplit("/", 1)[1]}).location
    page = clerk.get(f"{again}?step=leaders").text
    assert filings.LEADER in page
    assert "名册和会员数对不上" in page


def test_the_three_copies_come_as_a_pdf_and_each_printing_is_counted(street):
    clerk = street.visitor("recorder")
    _, answer = fill(clerk, said_of())
    where = answer.location
    one = clerk.get(f"{where}/copies.pdf?copy=own")
    assert (one.status_code, one.mimetype, one.headers["Cache-Control"]) == (200, "application/pdf", "no-store")
    said = subprocess.run(["pdftotext", "-layout", "-", "-"], input=one.data, capture_output=True, check=True).stdout.decode()
    assert NAME in said
    assert "自存" in said
    assert clerk.get(f"{where}/copies.pdf").status_code == 200
    assert clerk.get(f"{where}/copies.pdf?copy=mine").status_code == 400
    assert "已打印2次" in text_of(clerk.get(where))
    assert street.visitor("next").get(f"{where}/copies.pdf").status_code == 404


def test_the_list_shows_how_each_filing_stands_and_another_station_sees_none_of_it(street):
    clerk = street.visitor("recorder")
    _, answer = fill(clerk, said_of())
    sign(street.visitor("committee"), answer.location, "community")
    sign(street.visitor("approver"), answer.location, "street")
    for days, state, word in [(0, "in_force", "有效"), (700, "expiring", "60 天内到期"), (100, "lapsed", "已到期")]:
        street.clock.move(days=days)
        visitor = street.visitor("recorder")
        assert NAME in visitor.get(f"/filings/?state={state}").text, state
        assert word in visitor.get("/filings/").text
        assert NAME not in visitor.get("/filings/?state=cancelled").text
    assert NAME not in street.visitor("next").get("/filings/").text
    assert street.visitor("next").get(answer.location).status_code == 404


def test_a_change_and_an_end_are_filled_in_page_by_page_too(street):
    clerk, committee, approver = street.visitor("recorder"), street.visitor("committee"), street.visitor("approver")
    _, answer = fill(clerk, said_of())

    def agree(where):
        sign(committee, where, "community")
        assert sign(approver, where, "street").status_code == 302

    agree(answer.location)
    unit = re.search(r"/organisations/([0-9A-Z]{10})/desk", approver.get(answer.location).text)[1]
    meeting = {**filings.MEETING, "held_on": "2025-11-01"}
    where = clerk.post("/filings/drafts/new", {"form": "change", "organisation": unit}).location
    assert filings.LEADER in clerk.get(f"{where}?step=leaders").text
    assert clerk.post(where, {"here": "charter", **{key: said_of(scope="巡访")[key] for key in PAGES["charter"]}}).status_code == 302
    clerk.post(where, {"here": "meeting", **meeting})
    signed = {key: value for key, value in said_of().items() if key.startswith("declared")}
    done = clerk.post(where, {"here": "sign", "submit": "1", **signed})
    assert done.status_code == 302, text_of(done)
    assert "宗旨和业务范围" in clerk.get(done.location).text
    agree(done.location)
    where = clerk.post("/filings/drafts/new", {"form": "cancel", "organisation": unit}).location
    assert filings.LEADER in clerk.get(where).text
    clerk.post(where, {"here": "closing", **filings.CLOSING})
    clerk.post(where, {"here": "meeting", **meeting})
    done = clerk.post(where, {"here": "sign", "submit": "1", **signed})
    assert done.status_code == 302, text_of(done)
    agree(done.location)
    assert NAME in clerk.get("/filings/?state=cancelled").text
    assert "注销日期" in street.visitor().get(f"/organisations/{unit}").text
    assert clerk.post("/filings/drafts/new", {"form": "change", "organisation": unit}).status_code == 400


def test_an_approver_erases_a_leader_who_left(street):
    clerk, approver = street.visitor("recorder"), street.visitor("approver")
    _, answer = fill(clerk, said_of())
    where = answer.location
    sign(street.visitor("committee"), where, "community")
    sign(approver, where, "street")
    assert approver.post(f"{where}/erase", {"ground": "left", "requested_on": "2025-11-03"}).status_code == 400
    assert approver.post(f"{where}/erase", {"whose": "0", "ground": "left", "requested_on": "2025-11-03"}).status_code == 302
    page = approver.get(where).text
    assert "第 1 位的资料已按规定销毁" in page
    assert "王*芳" not in page
    assert clerk.post(f"{where}/erase", {"whose": "1", "ground": "left", "requested_on": "2025-11-03"}).status_code == 403


def test_every_organisation_of_a_long_list_is_reached_by_choosing_its_community(street):
    with street.ledger.read() as tx:
        since = tx.today
    teams = [Filing(f"备9{at:03}", f"竹荫里第{at}队", "charity", True, STATION, True, since) for at in range(LISTED + 1)]
    elsewhere = Filing("备8000", "梅山路一队", "charity", True, NEXT_STATION, True, since)
    street.ledger.write(lambda tx: record_many(tx, [*teams, elsewhere]), OPERATOR)
    approver, link = street.visitor("approver"), re.compile(r"/organisations/[0-9A-Z]{10}/desk")
    page = approver.get("/filings/").text
    assert (f"{LISTED + 2} 个组织" in page, len(set(link.findall(page)))) == (True, LISTED)
    page = approver.get(f"/filings/?unit={STATION}").text
    assert (f"{LISTED + 1} 个组织" in page, len(set(link.findall(page)))) == (True, LISTED + 1)
    assert "梅山路一队" not in page
    assert f"/filings/?state=in_force&amp;unit={STATION}" in page, "the state keeps the community"
    assert street.visitor("committee").get(f"/filings/?unit={NEXT_STATION}").status_code == 404
