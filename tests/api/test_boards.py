"""The boards: the number on top is the sum below and a recount of the log; map, table, files and lists of people say the same; nothing old is shown."""

import csv
import html
import io
import re
import threading
import time
import xml.etree.ElementTree as ET

import pytest
import recounting
from sqlalchemy import event

from api.kept import Kept
from ledger import stations
from ledger.activities import Activity, find_or_publish
from ledger.log import Fact
from ledger.people.actors import OPERATOR, Actor
from ledger.policies import DEFAULTS, adopt, service_policy
from ledger.service import approving

CENTRE, STATION, NEXT_STATION = "340104001000", "340104001004", "340104001001"
APPROVER = Actor("someone-else", "approver", CENTRE)


@pytest.fixture
def counted(world, recorded):
    """A sheet that counts, and two activities with heads; the recount of it all."""

    def held(tx):
        elderly = Activity(STATION, "看望独居老人", "neighbour-care", start="2025-10-05T09:00", head_counts={"elderly": 20, "disabled": 5})
        culture = Activity(NEXT_STATION, "读书会", "culture", start="2025-10-06T09:00", head_counts={"children": 9})
        find_or_publish(tx, [elderly, culture])

    world.ledger.write(held, OPERATOR)
    world.ledger.write(lambda tx: approving.approve(tx, [row.entry_index for row in recorded]), APPROVER)
    world.clock.move(days=22)
    return recount(world)


def recount(world):
    with world.ledger.read() as tx:
        rows = tx.connection.exec_driver_sql('SELECT "index", id, leaf, body FROM entry ORDER BY "index"').all()
        return recounting.Recount(recounting.check_entries(rows)[0], tx.today.isoformat())


def table_rows(page):
    """The numbers of the table, by the name of the unit: registered, participants, backbone."""
    body = page[page.index('id="all"') :]
    rows = re.findall(r'<th scope="row"[^>]*><a href="[^"]*unit=(\d+)[^"]*">.*?</tr>', body, re.DOTALL)
    cells = re.findall(r'<tr[^>]*>\s*<th scope="row"[^>]*><a.*?</tr>', body, re.DOTALL)
    wanted = ("注册志愿者", "参加过服务", "骨干")
    return {
        code: [int(re.search(rf'data-label="{label}"[^>]*>([\d,]+)', row)[1].replace(",", "")) for label in wanted]
        for code, row in zip(rows, cells, strict=True)
    }


def test_a_rate_just_below_its_target_reads_so_in_every_form(world, counted):
    """One of 1,001 against one per mille is 0.0999 %: rounded, it would be the target with somebody missing."""
    people = counted.rates(2025)[CENTRE]["registered"]
    population = {"station": CENTRE, "population": 1000 * people + 1, "counted_on": "2025-11-01", "source": "普查"}
    with world.ledger.read() as tx:
        rules = service_policy(tx.connection, tx.today.isoformat())
    rules = {name: getattr(rules, name) for name in DEFAULTS} | {"registration_target_permille": 1}
    rules["star_hours"] = list(rules["star_hours"])
    world.ledger.write(lambda tx: adopt(tx, effective_on="2025-11-01", rules=rules), OPERATOR)
    world.ledger.write(lambda tx: tx.append([Fact("station.population_declared", population)]), OPERATOR)
    visitor = world.visitor()
    page = visitor.get(f"/stations/?unit={CENTRE}").text
    assert '<p class="figure">0.09%</p>' in page
    assert "目标 0.10%，还差 1 人" in page
    assert ">0.10%</td>" not in page
    rows = list(csv.reader(io.StringIO(visitor.get(f"/stations/file/csv?unit={CENTRE}").data.decode("utf-8-sig"))))
    head = next(row for row in rows if "注册率" in row)
    assert rows[rows.index(head) + 1][head.index("注册率")] == "0.09%"
    drawn = visitor.get(f"/stations/file/svg?unit={CENTRE}").text
    assert "注册率 0.09%，目标 0.10%" in drawn


def test_a_year_that_has_only_begun_leads_to_the_one_before(world, counted):
    hint = "还没有计入过服务，参与率从头算起"
    assert hint not in world.visitor().get(f"/stations/?unit={CENTRE}").text
    world.clock.move(days=60)
    page = world.visitor().get(f"/stations/?unit={CENTRE}").text
    assert f"2026 年{hint}" in page
    assert re.search(rf'href="/stations/\?unit={CENTRE}&amp;year=2025">看 2025 年的', page)
    assert hint not in world.visitor().get(f"/stations/?unit={CENTRE}&year=2024").text


def test_what_stands_on_top_is_the_sum_below_and_what_a_recount_finds(world, counted):
    page = world.visitor().get(f"/stations/?unit={CENTRE}").text
    rows, truth = table_rows(page), counted.rates(2025)
    assert rows == {code: [unit[name] for name in ("registered", "participants", "backbone")] for code, unit in truth.items()}
    assert rows[CENTRE] == [sum(column) for column in zip(*(row for code, row in rows.items() if code != CENTRE), strict=True)]
    assert rows[CENTRE][1] > 0
    assert f"上面的 {rows[CENTRE][0]:,} 名注册志愿者 ＝ 下面 6 个单位之和 {rows[CENTRE][0]:,}。" in page
    for tile in (f"注册志愿者 {rows[CENTRE][0]:,} 人", f"当年参加过服务的 {rows[CENTRE][1]:,} 人"):
        assert tile in page


def test_each_square_of_the_map_has_a_rate_a_colour_and_a_mark_that_agree_with_the_target(world, counted):
    page = world.visitor().get(f"/stations/?unit={CENTRE}&by=participation").text
    squares = re.findall(
        r'<a class="square (\w+)" title="[^"]+" href="[^"]*unit=(\d+)[^"]*"><span>[^<]+</span><b>([\d.]+)?[%—]+</b><i[^>]*>(.)</i>', page
    )
    truth = counted.rates(2025)
    assert len(squares) == 6
    for state, code, rate, mark in squares:
        unit = truth[code]
        if not unit["registered"]:
            assert (state, rate, mark) == ("none", "", "·")
            continue
        share = unit["participants"] / unit["registered"]
        assert float(rate) == pytest.approx(100 * share, abs=0.0051)
        assert (state, mark) == (("ok", "✓") if share >= 0.3 else ("near", "△") if share >= 0.24 else ("far", "×"))
    states = [state for state, *_ in squares]
    legend = {state: int(count) for state, count in re.findall(r'<span class="square (\w+)"><i[^>]*>.</i> \S+ (\d+)</span>', page)}
    assert legend == {state: states.count(state) for state in set(states)}
    assert 'class="square' not in world.visitor().get(f"/stations/?unit={STATION}").text, "a station has nothing below it"
    assert world.visitor().get("/stations/?by=names").status_code == 400


def test_the_table_is_sorted_by_the_server_one_way_and_the_other(world, counted):
    visitor = world.visitor()
    down = list(table_rows(visitor.get(f"/stations/?unit={CENTRE}&sort=registration").text))
    page = visitor.get(f"/stations/?unit={CENTRE}&sort=registration&order=up").text
    truth = counted.rates(2025)
    assert CENTRE not in down, "a sum does not compete with its parts"
    share = {code: unit["registered"] / unit["population"] for code, unit in truth.items()}
    assert sorted(down, key=share.get, reverse=True) == down
    up = list(table_rows(page))
    assert sorted(up, key=share.get) == up
    assert up[-1] == down[0]
    assert share[up[-1]] > share[up[0]]
    assert 'aria-sort="ascending"' in page
    assert re.search(rf"<tfoot>.*合计.*<td class=\"number\">{truth[CENTRE]['registered']:,}</td>", page, re.DOTALL)
    assert visitor.get("/stations/?sort=registration&order=sideways").status_code == 400


def test_every_link_of_a_board_leads_somewhere(world, counted):
    visitor = world.visitor("approver")
    for path in (f"/stations/?unit={CENTRE}", f"/stations/?unit={CENTRE}&sort=backbone&order=up&by=participation&year=2024"):
        page = visitor.get(path).text
        links = {html.unescape(link) for link in re.findall(r'href="(/stations/[^"#]*)', page)}
        assert len(links) > 20
        assert {link for link in links if visitor.get(link).status_code != 200} == set()
    assert counted


def test_of_a_city_the_board_shows_what_lies_right_below(world):
    """More stations than anybody looks at: the map and the table have the districts, and those add up as well."""
    city, halves = "340100000000", ("340111000000", "340121000000")

    def found(tx):
        stations.declare(tx, stations.Station(city, "某市", "city", None))
        for half in halves:
            stations.declare(tx, stations.Station(half, f"{half[3:6]} 区", "district", city))
            for number in range(1, 202):
                said = (10 + number, "2025-01-01", "抽样")
                stations.declare(tx, stations.Station(f"{half[:6]}{number:06d}", f"第 {number} 站", "station", half, None, *said))

    world.ledger.write(found, OPERATOR)
    page = world.visitor().get(f"/stations/?unit={city}&sort=registration").text
    assert set(table_rows(page)) == set(halves)
    assert re.findall(r'<a class="square \w+" title="[^"]+" href="[^"]*unit=(\d+)', page) == list(halves)
    assert f"常住人口 {2 * sum(10 + number for number in range(1, 202)):,} 人" in page
    assert world.visitor().get(f"/stations/?unit={halves[0]}").text.count('<a class="square') == 201
    assert "请到街道、站点的看板上看" in page, "one median of so many tells nothing"
    assert "请到街道、站点的看板上看" not in world.visitor().get(f"/stations/?unit={halves[0]}").text


def test_care_is_counted_by_series_and_group(world, counted):
    assert counted

    def said(unit):
        page = world.visitor().get(f"/stations/?unit={unit}").text
        found = re.findall(r"<li><span>([^<]+)</span><svg.*?</svg><b>([\d,]+)</b></li>", page)
        return {name: int(count.replace(",", "")) for name, count in found}, page

    top, page = said(CENTRE)
    [held] = re.findall(r"2025 年活动 (\d+) 场", page)
    assert (top["老年人"], top["残疾人"], top["儿童"], top["文化铸魂"]) == (20, 5, 9, 1)
    assert "受益 34 人次" in page
    assert sum(top[name] for name in ("邻里守望", "共建共治共享", "平安建设", "文化铸魂", "助力乡村振兴", "三工组团服务", "其他")) == int(
        held
    )
    assert next(iter(top)) == "邻里守望"
    assert "儿童" not in said(STATION)[0]


def test_nothing_is_counted_twice_between_two_writes_and_nothing_old_is_shown(world, counted):
    visitor, asked = world.visitor(), []
    path = f"/stations/?unit={CENTRE}"
    before = visitor.get(path).text
    event.listen(world.ledger.engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    assert visitor.get(path).text == before
    assert not [statement for statement in asked if "FROM service" in statement or "volunteer" in statement]
    population = counted.rates(2025)[CENTRE]["population"]
    grown = stations.Station(STATION, "竹荫里社区社会服务站", "station", None, None, 9_000, "2025-11-20", "抽样")
    world.ledger.write(lambda tx: stations.declare(tx, grown), OPERATOR)
    after = recount(world).rates(2025)[CENTRE]["population"]
    assert after != population
    assert f"常住人口 {after:,} 人" in visitor.get(path).text
    world.clock.move(days=40)
    assert "2026 年活动 0 场" in visitor.get(path).text, "a new day is a new count"


def test_those_who_ask_at_once_have_it_counted_once(world):
    kept, counted, answers = Kept(), [], []

    def count():
        counted.append(1)
        time.sleep(0.05)
        return len(counted)

    def ask():
        with world.ledger.read() as tx:
            answers.append(kept.get(tx, "how many", count))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [1, 1, 1, 1]


def test_the_files_say_what_the_page_says(world, counted):
    visitor, truth = world.visitor(), counted.rates(2025)
    drawing = visitor.get(f"/stations/file/svg?unit={CENTRE}&by=participation")
    assert drawing.content_type == "image/svg+xml"
    assert "attachment" in drawing.headers["Content-Disposition"]
    words = " ".join(ET.fromstring(drawing.data).itertext())  # noqa: S314 our own
    assert f"注册志愿者 {truth[CENTRE]['registered']:,} ÷ 常住人口 {truth[CENTRE]['population']:,}" in words
    assert all(name in words for name in ("竹荫里", "梅山路", "邻里守望", "老年人", "各站参与率"))
    picture = visitor.get(f"/stations/file/png?unit={CENTRE}")
    assert picture.data.startswith(b"\x89PNG\r\n")
    width, height = (int.from_bytes(picture.data[at : at + 4]) for at in (16, 20))
    assert width > 1600
    assert height > 600
    listed = list(csv.reader(io.StringIO(visitor.get(f"/stations/file/csv?unit={CENTRE}").data.decode("utf-8-sig"))))
    assert {row[0].strip("　"): int(row[3]) for row in listed[1:]} == {
        name: truth[code]["registered"] for code, name in names(world).items() if code in truth
    }
    assert visitor.get(f"/stations/file/xlsx?unit={CENTRE}").data.startswith(b"PK")
    assert visitor.get("/stations/file/exe").status_code == 404
    assert visitor.get("/stations/file/svg?unit=9").status_code == 404


def names(world):
    with world.ledger.read() as tx:
        return dict(tx.connection.exec_driver_sql("SELECT code, name FROM station").all())


def test_the_unit_s_own_staff_see_who_is_behind_a_figure_masked_and_nobody_else_does(world, counted, person):
    centre, path = world.visitor("approver"), f"/stations/people?unit={CENTRE}"
    truth = counted.rates(2025)[CENTRE]
    assert "是哪些人" in centre.get(f"/stations/?unit={CENTRE}").text
    for figure, expected in (
        ("registered", truth["registered"]),
        ("participants", truth["participants"]),
        ("absent", truth["registered"] - truth["participants"]),
        ("backbone", truth["backbone"]),
    ):
        page = centre.get(f"{path}&figure={figure}").text
        assert len(re.findall(r'<th scope="row"><a href="/volunteers/', page)) == expected
        assert f" {expected} 人</h1>" in page
        assert person.id_number not in page
    with world.ledger.read() as tx:
        whole = world.ledger.vault.open(tx.connection, [f"person/{person.number}"])[f"person/{person.number}"].identity["name"]
    assert whole not in centre.get(f"{path}&figure=registered").text
    assert centre.get(f"{path}&figure=names").status_code == 400
    for stranger in (world.visitor("recorder"), world.visitor(person.number, person.password), world.visitor("auditor")):
        assert stranger.get(path).status_code == 403
        assert "是哪些人" not in stranger.get(f"/stations/?unit={CENTRE}").text
    assert world.visitor("recorder").get("/stations/people").status_code == 200, "their own station, where none is said"
    assert world.visitor().get(path).status_code == 302


@pytest.mark.parametrize("path", ["/stations/", "/stations/file/svg", "/indicators/", "/open-data/", "/annual-reports/"])
def test_a_year_of_thousands_of_digits_is_refused_like_any_other_that_is_none(world, path):
    answer = world.visitor().get(f"{path}?year={'9' * 5000}")
    assert (answer.status_code, "年份应在" in answer.text) == (400, True)
