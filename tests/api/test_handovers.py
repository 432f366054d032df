"""「报送国家系统」: asked for on one page, agreed to by another, taken once; what is shown names nobody."""

import re

STATION = "340104001004"
ASKED = {"unit": STATION, "first": "2025-10-01", "last": "2025-11-03", "reason": "按第67号令第四条报送"}


def link(page, ending):
    found = re.search(rf'action="(/handovers/\w+/{ending})"', page)
    return found[1] if found else None


def test_one_asks_another_agrees_and_the_file_is_given_once(world, person):
    asker, other = world.visitor("approver"), world.visitor("official")
    assert asker.post("/handovers/", ASKED).status_code == 302
    page = asker.get("/handovers/").text
    assert "等另一位同意" in page
    assert link(page, "agree") is None
    refused = asker.post("/handovers/", ASKED)
    assert (refused.status_code, "已经有人提出" in refused.text) == (400, True)
    assert 'value="按第67号令第四条报送"' in refused.text, "what was typed stays"
    assert other.post(link(other.get("/handovers/").text, "agree")).status_code == 302
    file = link(asker.get("/handovers/").text, "file")
    taken = asker.post(file)
    assert taken.headers["Content-Disposition"].startswith("attachment")
    assert taken.headers["Cache-Control"] == "no-store"
    assert taken.data.startswith(b"PK")
    assert asker.post(file).status_code == 409
    page = asker.get("/handovers/").text
    assert "第 " in page
    assert link(page, "file") is None
    assert person.id_number not in page


def test_a_third_person_does_not_get_the_file_and_a_refused_one_has_none(world):
    asker, other = world.visitor("approver"), world.visitor("official")
    asker.post("/handovers/", ASKED)
    assert other.post(link(other.get("/handovers/").text, "decline")).status_code == 302
    assert "没有同意" in asker.get("/handovers/").text
    asker.post("/handovers/", ASKED)
    page = asker.get("/handovers/").text
    assert asker.post(link(page, "decline").replace("decline", "file")).status_code == 409
    assert "没有交出的 1 件" in page


def test_the_page_says_which_columns_there_are_and_what_is_not_known(world):
    page = world.visitor("approver").get("/handovers/").text
    assert "身份证件号码" in page
    assert "格式待核对" in page
