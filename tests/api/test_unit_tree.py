"""「区划变动」: an official brings the official table, the page says what ended, what it was called, and who is still there."""

from ledger.imports import run
from ledger.people.actors import OPERATOR

CENTRE, STATION = "340104001000", "340104001004"
COUNTY = "340104000000,,蜀山区,,,\n"
HEADER = "统计用区划代码,城乡分类代码,名称,生效日期,撤销日期,并入代码\n"


def test_what_was_merged_is_shown_with_who_is_left_and_what_it_was_called(world, person):
    table = f"{HEADER}{STATION},111,竹荫里社区,,2025-11-03,340104001001\n"
    early = run(world.ledger, "units", table.encode(), "区划.csv", OPERATOR)
    assert [one.code for one in early.rejected] == ["end_before_start"], "it began that very day"
    world.clock.move(days=40)
    table = table.replace("2025-11-03", "2025-12-10")
    assert run(world.ledger, "units", table.encode(), "区划.csv", OPERATOR).rejected == []
    clerk = world.visitor("approver")
    page = clerk.get("/unit-tree/").text
    assert "2025年12月10日起撤销，并入「" in page
    assert "要转走" in page
    assert person.id_number not in page
    assert f"/volunteers/{person.number}" in page
    before = clerk.get("/unit-tree/?on=2025-11-05").text
    assert "2025年12月10日撤销" in before
    assert clerk.get("/unit-tree/?on=2099-01-01").status_code == 400
    assert clerk.get("/unit-tree/?on=昨天").status_code == 400


def test_the_official_uploads_the_table_and_the_clerk_may_not(world, upload):
    content = (HEADER + COUNTY).encode()
    official = world.visitor("official")
    assert "国家区划代码表" in official.get("/sheets/").text
    assert "蜀山区" not in official.get("/unit-tree/").text
    page = upload(official, content, "区划.csv", "units")
    official.post(page + "/commit")
    assert "蜀山区" in official.get("/unit-tree/").text
    assert world.visitor("recorder").post("/sheets/", {"kind": "units", "files": (content, "区划.csv")}).status_code == 403
