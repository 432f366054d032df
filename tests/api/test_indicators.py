"""「指标」: what the page says is what is counted; a unit's staff hand in its figures and mark its organisations, nobody else's."""

import re

from files import STREET

from ledger import imports
from ledger.people.actors import OPERATOR

CENTRE, STATION, NEXT_STATION = "340104001000", "340104001004", "340104001001"
FILLED = {"unit": STATION, "counted_on": "2025-11-01", "source": "社区台账", "figure-households": "400", "figure-facility-area": "100"}


def said(page):
    """The figures of the table of targets, by indicator."""
    rows = re.findall(r'<th scope="row">([^<]+?)(?:<p.*?)?</th>\s*<td[^>]*><b>([^<]+)</b>', page, re.DOTALL)
    return {name.strip(): value for name, value in rows}


def test_everybody_sees_how_a_unit_stands_and_the_tally_is_of_all(world):
    page = world.visitor().get(f"/indicators/?unit={CENTRE}&year=2025").text
    assert "社区社会组织孵化园" in said(page)
    tally = [int(number) for number in re.findall(r"(?:达标|未达标|没有目标或没有数) (\d+)</span>", page)]
    assert len(tally) == 3
    assert f"{sum(tally)} 项指标" in page
    assert "竹荫里" in page
    assert "填报数字" not in page
    assert world.visitor().get("/indicators/?unit=1").status_code == 404
    assert world.visitor().get("/indicators/?year=1900").status_code == 400


def test_staff_hand_in_their_units_figures_and_the_page_follows(world):
    clerk = world.visitor("recorder")
    assert "没有填过" in clerk.get("/indicators/figures").text
    assert clerk.post("/indicators/figures", FILLED).status_code == 302
    page = clerk.get(f"/indicators/?unit={STATION}&year=2025").text
    assert said(page)["每百户综合服务设施面积"] == "25.00 平方米"
    assert "还差 20" in page
    refused = clerk.post("/indicators/figures", FILLED | {"figure-households": "4百"})
    assert refused.status_code == 400
    assert "「4百」不是整数" in refused.text
    assert 'value="社区台账"' in refused.text, "what was typed stays"
    assert "还没有填任何一个数" in clerk.post("/indicators/figures", {"unit": STATION}).text
    elsewhere = clerk.post("/indicators/figures", FILLED | {"unit": NEXT_STATION})
    assert elsewhere.status_code in {400, 403, 404}
    assert said(clerk.get(f"/indicators/?unit={NEXT_STATION}&year=2025").text)["每百户综合服务设施面积"] == "—"


def test_an_organisation_is_marked_and_the_mark_taken_back(world):
    content = (STREET / "organizations.xlsx").read_bytes()
    imports.run(world.ledger, "organisations", content, "organizations.xlsx", OPERATOR)
    centre = world.visitor("approver")
    page = centre.get(f"/indicators/figures?unit={CENTRE}").text
    organisation = re.search(r'<option value="([0-9A-Z]{10})"', page)[1]
    marked = {"unit": CENTRE, "organisation": organisation, "mark": "federation", "day": "2025-10-01", "words": "街道文件"}
    count = lambda: said(centre.get(f"/indicators/?unit={CENTRE}&year=2025").text)["联合类志愿服务组织"]  # noqa: E731
    assert count() == "0 个"
    assert centre.post("/indicators/marks", marked).status_code == 302
    assert count() == "1 个"
    assert "现有：联合类志愿服务组织" in centre.get(f"/indicators/figures?unit={CENTRE}").text
    again = centre.post("/indicators/marks", marked)
    assert (again.status_code, "已经是「联合类志愿服务组织」" in again.text) == (400, True)
    assert centre.post("/indicators/marks", marked | {"act": "take", "day": "2025-11-01", "words": "撤销"}).status_code == 302
    assert count() == "0 个"


def test_the_table_is_handed_out_as_a_file(world):
    visitor = world.visitor()
    for form, start in (("xlsx", b"PK"), ("pdf", b"%PDF"), ("csv", b"\xef\xbb\xbf")):
        answer = visitor.get(f"/indicators/file/{form}?unit={CENTRE}&year=2025")
        assert answer.data.startswith(start), form
    assert "志愿者注册率" in visitor.get(f"/indicators/file/csv-gb18030?unit={CENTRE}").data.decode("gb18030")
