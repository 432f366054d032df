"""Somebody writes a script wherever text may be written; in a real browser nobody's page runs it, nor takes it for markup."""

import re
from datetime import date
from urllib.parse import urljoin, urlsplit

import pytest
from requests_by_hand import serving

from ledger import activities, organisations, stations
from ledger.activities import Activity
from ledger.organisations import Filing
from ledger.people import changes, erasures, moving, reveals, volunteers, withdrawals
from ledger.people.actors import OPERATOR, Actor
from ledger.people.volunteers import Guardian, Registration
from ledger.service import amending
from ledger.stations import Station

STATION, NEXT_STATION, PASSWORD = "340104001004", "340104001001", "correct horse battery"
PAYLOAD = """"'><script>alert('x')</script><img src=x onerror=alert(`x`)><b class=evil>{{7*7}}</b>"""
SHORT = "\"'><b class=evil onclick=alert(`x`)>"
"""Without digits, for names."""
PERSON, MINOR = "340102195001010024", "340102201001010022"
PAGES_MAX = 45
LINK = re.compile(r'href="([^"#]+)"')


@pytest.fixture
def poisoned(world, person, recorded, upload, sheet):
    """Text with a script in it, in every place that the ledger's own functions let it through."""
    ledger, today = world.ledger, world.clock.now.date()
    clerk = Actor(next(one.id for one in world.accounts.everyone(OPERATOR) if one.login == "recorder"), "recorder", STATION)
    approver = Actor("somebody-else", "approver", STATION)
    index = recorded[0][0]

    def setting_up(tx):
        stations.declare(tx, Station("340104001099", PAYLOAD[:60], "station", "340104001000", None, 10, today.isoformat(), PAYLOAD[:60]))
        unit = organisations.record_many(tx, [Filing("备<b>", PAYLOAD[:90], "charity", True, STATION, True, date(2025, 1, 2), SHORT, "")])
        activities.find_or_publish(tx, [Activity(STATION, PAYLOAD[:100], "neighbour-care", place=PAYLOAD, responsible_unit=PAYLOAD[:100])])
        guardian = Guardian(SHORT, SHORT[:20], "13624242754", "A" * 43 + "=")
        people = [
            Registration(SHORT, PERSON, STATION, today, "clerk", "", "", more={"area": PAYLOAD[:60], "skills": PAYLOAD[:60]}),
            Registration(SHORT, MINOR, STATION, today, "clerk", guardian=guardian),
        ]
        return unit, volunteers.register_many(tx, people)

    _, (mine, minor) = ledger.write(setting_up, OPERATOR)
    assert re.fullmatch(r"[A-Z2-9]{10}", str(mine)), mine
    ledger.write(lambda tx: amending.void(tx, index, reason=PAYLOAD), clerk)
    ledger.write(lambda tx: changes.propose(tx, person.number, {"name": SHORT}, PAYLOAD), clerk)
    refused = ledger.write(lambda tx: erasures.ask(tx, person.number, "own_wish"), clerk)
    ledger.write(lambda tx: erasures.refuse(tx, refused, PAYLOAD[:90]), approver)
    ledger.write(lambda tx: erasures.ask(tx, person.number, "own_wish"), clerk)
    ledger.write(lambda tx: moving.ask(tx, NEXT_STATION), Actor(person.account, "volunteer", None, person.number))
    reveals.reveal(ledger, clerk, person.number, "inquiry", PAYLOAD[:60])
    ledger.write(lambda tx: withdrawals.withdraw(tx, minor, "not_me"), Actor("own", "volunteer", None, minor))
    rows = f"姓名,身份证号,站点编码,活动名称,活动系列,开始时间,结束时间,服务时长（小时）,来源\n{SHORT},1,{STATION},{SHORT},{SHORT},x,y,1,{SHORT}\n"
    upload(world.visitor("recorder"), rows.encode(), "<b class=evil onclick=alert(`x`)>.csv")
    world.visitor("administrator").post("/accounts/recorder/roles/end", {"role": "recorder", "station": "x", "reason": PAYLOAD})
    return [person.number, mine]


@pytest.mark.parametrize("role", ["recorder", "official", "administrator", "volunteer"])
def test_no_text_becomes_markup_or_runs(world, person, poisoned, page, role):
    said, seen = [], 0
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda message: said.append(message.text) if "alert" in message.text else None)
    with serving(world.app, threads=4) as address:
        page.goto(f"{address}/sign-in")
        page.fill("input[name=name]", person.number if role == "volunteer" else role)
        page.fill("input[name=password]", person.password if role == "volunteer" else PASSWORD)
        page.click("main button[type=submit]")
        waiting = [urlsplit(page.url).path, "/stations/"]
        if role in ("recorder", "official"):
            waiting += [f"/volunteers/{number}{more}" for number in poisoned for more in ("", "/personal", "/acts")]
        known, shown = set(waiting), 0
        while waiting and seen < PAGES_MAX:
            path = waiting.pop(0)
            file = page.request.get(address + path)
            if "content-disposition" in file.headers:
                assert "svg" not in file.headers["content-type"] or b"<script" not in file.body(), path
                continue
            answer = page.goto(address + path, wait_until="load")
            seen += 1
            assert answer.status < 500, path
            assert page.locator(".evil, main script, img[onerror], [onclick]").count() == 0, path
            content = page.content()
            assert not re.search(r'evil"?(>|&gt;)49', content), "no template within the template"
            shown += "onerror=" in content or "onclick=" in content
            for link in LINK.findall(content):
                there = urlsplit(urljoin(path, link.replace("&amp;", "&")))
                target = there.path + (f"?{there.query}" if there.query else "")
                skip = there.netloc or target in known or target.endswith((".json", ".xlsx", ".css", ".svg", "-proof"))
                if not skip and not target.startswith(("/log/", "/static", "/oidc", "/problems")):
                    known.add(target)
                    waiting.append(target)
        answer = page.goto(f"{address}/nowhere?q={PAYLOAD}")
        assert page.locator(".evil").count() == 0
    assert said == []
    assert seen >= 5
    assert shown >= 1, "what was written is there to be seen, as text"
