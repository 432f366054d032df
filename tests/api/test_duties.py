"""「要交的材料」: a clerk hands in what the station owes, and finds it again as a page and as a file; others' units stay closed."""

import io
import re

import openpyxl
from sqlalchemy import text

from api.pages.duties import LISTED
from ledger.duties import owing
from ledger.organisations import Filing, record_many
from ledger.people.actors import OPERATOR

STREET = text("SELECT code FROM station WHERE code LIKE '340104001%'")
CENTRE, STATION, NEXT_STATION = "340104001000", "340104001004", "340104001001"
REPORT = {"unit": STATION, "period": "2025-11", "organisation": "", "field-news": "两个队伍换届", "field-results": "探望 30 人次"}


def test_a_report_is_handed_in_and_stands_on_the_list_the_year_and_as_a_file(world):
    clerk = world.visitor("recorder")
    assert "还没交" in clerk.get("/duties/").text
    form = clerk.get(f"/duties/fill/station-report?unit={STATION}&period=2025-11").text
    assert "2025年11月30日" in form
    answer = clerk.post("/duties/fill/station-report", REPORT)
    assert answer.status_code == 302
    paper = clerk.get(answer.location).text
    assert "探望 30 人次" in paper
    assert "按时" in paper
    assert "<dt>谁交的</dt><dd>recorder</dd>" in paper
    made = openpyxl.load_workbook(io.BytesIO(clerk.get(f"{answer.location}/xlsx").data)).active
    assert any("制表人：recorder" in str(cell) for line in made.values for cell in line), "who handed it in, as they sign in"
    assert "按时交了的 1 份" in clerk.get("/duties/").text
    assert "按时交了" in clerk.get(f"/duties/year?unit={STATION}&year=2025").text
    for ending, start in (("xlsx", b"PK"), ("pdf", b"%PDF"), ("csv", b"\xef\xbb\xbf")):
        assert clerk.get(f"{answer.location}/{ending}").data.startswith(start)
    again = clerk.get(f"/duties/fill/station-report?unit={STATION}&period=2025-11").text
    assert "探望 30 人次" in again
    assert "已经交过" in again


def test_what_is_missing_is_said_and_what_was_typed_stays(world):
    clerk = world.visitor("recorder")
    refused = clerk.post("/duties/fill/station-report", REPORT | {"field-results": ""})
    assert refused.status_code == 400
    assert "「服务成果」没有填" in refused.text
    assert "两个队伍换届" in refused.text
    assert clerk.post("/duties/fill/station-report", REPORT | {"unit": NEXT_STATION}).status_code in {403, 404}
    assert clerk.get("/duties/fill/station-report?period=2025-Q4").status_code == 400
    assert clerk.get("/duties/fill/unheard-of").status_code == 404
    assert clerk.get("/duties/fill/filing-ledger").status_code == 404, "the street's to hand in"


def test_the_street_hands_in_its_ledger_with_the_numbers_counted(world):
    centre = world.visitor("approver")
    page = centre.get(f"/duties/fill/filing-ledger?unit={CENTRE}&period=2025-11").text
    counted = dict(re.findall(r"<dt>([^<]+)</dt><dd><b>([\d,]+)</b>", page))
    assert counted["社区社会组织总数"] == "0"
    said = {"unit": CENTRE, "period": "2025-11", "organisation": "", "field-changes": "没有", "field-remark": ""}
    assert centre.post("/duties/fill/filing-ledger", said).status_code == 302
    assert centre.get(f"/duties/filing-ledger/csv?unit={CENTRE}").data.decode("utf-8-sig").splitlines()
    assert world.visitor("recorder").get(f"/duties/filing-ledger/csv?unit={NEXT_STATION}").status_code == 403


def shares(page):
    """Read the table of units: name to its five counts."""
    lines = re.findall(r'<tr><th scope="row">(?:<a [^>]*>)?([^<]+)<(.*?)</tr>', page)
    return {
        name: [int(one.replace(",", "")) for one in re.findall(r'class="number[^"]*">([\d,]+)<', rest)]
        for name, rest in lines
        if "number" in rest
    }


def test_a_street_sees_which_station_is_behind_and_reaches_every_paper(world):
    with world.ledger.read() as tx:
        since = tx.today
    teams = [Filing(f"备9{at:03}", f"竹荫里第{at}队", "charity", True, STATION, True, since) for at in range(LISTED)]
    world.ledger.write(lambda tx: record_many(tx, teams), OPERATOR)
    centre = world.visitor("approver")
    page = centre.get("/duties/").text
    with world.ledger.read() as tx:
        found = owing.owed(tx.connection, [row.code for row in tx.connection.execute(STREET)], tx.today)
    assert [sum(column) for column in zip(*shares(page).values(), strict=True)] == [
        sum(due.state == one for due in found) for one in owing.STATES
    ]
    its = [due for due in found if due.station.code == STATION]
    assert shares(page)[its[0].station.name] == [sum(due.state == one for due in its) for one in owing.STATES]
    links = re.compile(r'href="/duties/fill/[^"]*period=')
    assert LISTED <= len(links.findall(page)) < len(found)
    assert any("filing-ledger" in link for link in re.findall(r'href="(/duties/fill/[^"]*period=[^"]*)"', page)), "its own is never cut off"
    below = centre.get(f"/duties/?unit={STATION}").text
    assert len(links.findall(below)) == len(its) > LISTED, "there all of them stand"
    assert not shares(below)
    assert world.visitor("recorder").get(f"/duties/?unit={NEXT_STATION}").status_code == 404


def test_only_forms_that_one_may_hand_in_are_offered(world):
    offered = re.findall(r'<li><a href="(/duties/fill/[^"]+)"', world.visitor("recorder").get("/duties/").text)
    clerk = world.visitor("recorder")
    assert len(offered) > 3
    assert {clerk.get(link).status_code for link in offered} == {200}
    assert "/duties/fill/training-held" not in offered, "the street's to hand in"
    assert "/duties/fill/training-held" in world.visitor("approver").get("/duties/").text


def test_what_organisations_owe_opens_with_a_station_that_has_some(world):
    with world.ledger.read() as tx:
        team = Filing("备9001", "竹荫里家电维修队", "charity", True, STATION, True, tx.today)
    world.ledger.write(lambda tx: record_many(tx, [team]), OPERATOR)
    page = world.visitor("approver").get("/duties/fill/members-vote").text
    assert f'<option value="{STATION}" selected' in page, "neither the street nor its first station has one"
    assert "竹荫里家电维修队" in page


def test_a_unit_that_owes_nothing_says_where_to_look(world):
    nothing, elsewhere = "没有要按期交的材料", "请在上面换一个街镇或站点"
    page = world.visitor("approver").get(f"/duties/year?unit={CENTRE}&year=2022").text
    assert nothing in page
    assert elsewhere in page
    page = world.visitor("recorder").get(f"/duties/year?unit={STATION}&year=2022").text
    assert nothing in page
    assert elsewhere not in page, "it has no other"


def test_the_first_page_says_what_is_late_and_what_falls_due_within_the_week(world):
    link, seen = re.compile(r'<a href="/duties/">([^<]*份[^<]*)</a>'), []
    for _ in range(8):
        with world.ledger.read() as tx:
            found = [due.state for due in owing.owed(tx.connection, [STATION], tx.today)]
        said = {"overdue": "份材料逾期没交", "soon": "份一周内到期"}
        parts = [f"{found.count(state)} {words}" for state, words in said.items() if state in found]
        page = world.visitor("recorder").get("/work").text
        assert link.findall(page) == (["，".join(parts)] if parts else [])
        seen.append(len(parts))
        world.clock.move(days=8)
    assert set(seen) == {0, 1, 2}, "nothing, one of them, both"
