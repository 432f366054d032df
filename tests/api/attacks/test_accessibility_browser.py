"""Every page of every role in a real browser: axe-core finds no serious fault, nothing is cut off at twice the size, and the keyboard gets everywhere.

The pages come from the application itself, with something of everything on them (conftest.py).
"""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from naming import build, meant

from api.auth import EVERYONE, SIGNED_IN, allowed_roles

PASSWORD = "correct horse battery"
DESKTOP, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
LED_ON = {"home.home", "sign_in.form", "oidc.start", "oidc.callback", "second_factor.ask", "check_in.scanned", "helping.page"}
"""Pages that lead on to another for somebody who is signed in, has no second factor, or helps nobody just now."""
OWN = {"logging.sheet", "logging.check", "sheets.one", "filing_drafts.step"}
"""Pages of whoever began them: here the recorder."""
NO_PAGES = {"sheets.problems", "second_factor.picture"}
"""Files, of which there is none just now."""
ESSENTIAL = {"check_in.mine": {"meta-refresh"}, "check_in.screen": {"meta-refresh"}}
"""What axe finds and has to be: a code that holds for half a minute is shown anew when the next one begins (WCAG 2.2.1 excepts what is essential)."""
TEMPLATE = re.compile(r"\{\{|\{%|url_for\(|\) \}\}")
"""What a page shows when a piece of its template was left standing."""
SERIOUS = ("serious", "critical")
KEYBOARD = """() => {
    const wanted = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]';
    const shown = (one) => one.checkVisibility() && !one.disabled && one.tabIndex >= 0;
    return [...document.querySelectorAll(wanted)].filter(shown).length;
}"""
"""How many things there are that the keyboard should get to."""


@pytest.fixture
def walk(browser, address):
    """Open a browser's window for somebody, signed in."""
    opened = []

    def open_one(viewport, name="", password=PASSWORD):
        context = browser.new_context(
            locale="zh-CN", timezone_id="Asia/Shanghai", viewport=viewport, device_scale_factor=2, base_url=address, reduced_motion="reduce"
        )
        opened.append(context)
        page = context.new_page()
        if name:
            page.goto("/sign-in")
            page.get_by_label("登录名").fill(name)
            page.get_by_label("密码或一次性登录码").fill(password)
            page.get_by_role("button", name="登录").click()
            page.get_by_role("button", name="退出").wait_for()
        return page

    yield open_one
    for context in opened:
        context.close()


def pages(app, objects, role):
    """Every page that a role may open: endpoint and address."""
    for rule in app.url_map.iter_rules():
        allowed = allowed_roles(app.view_functions[rule.endpoint])
        if "GET" not in rule.methods or rule.rule.startswith("/api/v1/") or not (role in allowed or EVERYONE & allowed):
            continue
        if None not in meant(rule).values() or not rule.arguments:
            yield rule.endpoint, build(app, rule, objects)


def faults_of(page, excused):
    """What is wrong with the page that is shown: axe's serious findings, and what sticks out at twice the size."""
    found = [one for one in Axe().run(page).response["violations"] if one["impact"] in SERIOUS and one["id"] not in excused]
    said = [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found]
    wide = page.viewport_size
    page.set_viewport_size({"width": wide["width"] // 2, "height": wide["height"] // 2})
    sticks_out = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if sticks_out > 0:
        said.append(f"{sticks_out} px stick out at 200 %")
    page.set_viewport_size(wide)
    return said


@pytest.mark.parametrize("role", ["nobody", *SIGNED_IN])
def test_no_page_has_a_serious_fault_and_all_of_them_fit_at_twice_the_size(world, objects, person, walk, role):
    who = {"nobody": (), "volunteer": (person.number, person.password)}.get(role, (role,))
    page = walk(PHONE if role in ("nobody", "volunteer") else DESKTOP, *who)
    faults, seen = {}, set()
    for endpoint, path in pages(world.app, objects, role):
        answer = page.request.get(path)
        if not answer.headers.get("content-type", "").startswith("text/html") or endpoint in NO_PAGES | (
            OWN if role != "recorder" else set()
        ):
            continue
        if answer.status != 200 and endpoint not in LED_ON:
            faults[endpoint] = [f"answered {answer.status}"]
            continue
        page.goto(path)
        seen.add(endpoint)
        if said := [*faults_of(page, ESSENTIAL.get(endpoint, set())), *TEMPLATE.findall(answer.text())]:
            faults[endpoint] = said
    assert faults == {}
    assert len(seen) >= 8, seen


def test_the_keyboard_gets_to_everything_and_shows_where_it_is(world, objects, walk):
    page = walk(DESKTOP, "approver")
    for path in ("/work", "/approvals/", "/logging/", f"/logging/{objects.draft}", f"/batches/{objects.batch}", "/signatures/"):
        page.goto(path)
        wanted, reached = page.evaluate(KEYBOARD), set()
        page.evaluate("document.activeElement.blur()")
        dates = page.locator("input[type^=date]").count()
        for _ in range(wanted + 6 * dates + 5):  # a date has a place for each of its parts
            page.keyboard.press("Tab")
            place = page.evaluate(
                """() => {
                    const here = document.activeElement, all = [...document.querySelectorAll('*')];
                    const style = getComputedStyle(here);
                    return [all.indexOf(here), here === document.body || style.outlineStyle !== 'none' || style.boxShadow !== 'none', here.outerHTML];
                }"""
            )
            assert place[1], f"{path}: where the keyboard is cannot be seen: {place[2][:200]}"
            reached.add(place[0])
        radios = page.evaluate("document.querySelectorAll('input[type=radio]').length")
        assert len(reached) >= wanted - max(radios - 1, 0), f"{path}: of a group of choices only one is reached by Tab, the rest by arrows"
