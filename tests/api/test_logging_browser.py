"""Sixty people logged in a real browser with the keyboard alone, keystrokes and page loads counted; and a draft that survives a lost connection."""

import pytest
from enrolling import STATION, enrol

PASSWORD = "correct horse battery"


class Keys:
    """A keyboard that counts: a word typed is as many strokes as it has letters, a key with Ctrl is one."""

    def __init__(self, page):
        self.page, self.strokes, self.loads = page, 0, 0
        page.on("load", lambda _: setattr(self, "loads", self.loads + 1))

    def type(self, text):
        self.page.keyboard.type(text)
        self.strokes += len(text)

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
        self.strokes += len(keys)

    def enter(self, wait_for):
        """Press Enter, and wait until the page says something."""
        self.press("Enter")
        self.page.get_by_text(wait_for).first.wait_for()


@pytest.fixture
def team(world):
    """Sixty people of a team who came last week, two more called alike; three of them were somewhere else this morning."""
    clerk = world.visitor("recorder")
    people = enrol(world, 60)

    def log(names, **said):
        page = clerk.post("/logging/", {"station": STATION, "activity": ""}).location
        clerk.post(page, {"rows": "", **said, "paste": "\n".join(names), "do": "add"})
        assert clerk.post(f"{page}/check", {"do": "commit"}).location.startswith("/batches/")

    log([name for name, _ in people], title="邻里守望", day="2025-10-27", start="9:00", end="11:00")
    world.clock.move(hours=3)
    log([name for name, _ in people[3:6]], title="图书馆志愿", day="2025-11-03", start="10:30", end="11:30")
    return people


@pytest.fixture
def clerk(page, address):
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{address}/sign-in")
    page.get_by_label("登录名").fill("recorder")
    page.get_by_label("密码或一次性登录码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.get_by_role("link", name="登记一次活动").wait_for()
    return page


def choose_last_time(keys):
    keys.enter("是哪一项活动")
    keys.press("ArrowDown")
    assert keys.page.locator("input[name=activity]:checked").locator("..").inner_text().startswith("邻里守望")
    keys.enter("全员相同")


def test_sixty_people_with_six_problems_by_the_keyboard_alone(world, team, clerk, tmp_path):
    keys = Keys(clerk)
    choose_last_time(keys)
    assert clerk.locator("input[name=on]:checked").count() == 60
    keys.type("-qjg")  # somebody did not come
    keys.enter("已勾 59 人")
    keys.type("fjg 11:00-9:00")
    keys.enter("11:00–09:00")
    keys.type("wzl1234")  # on the paper, but nobody the station knows
    keys.enter("1 行还不知道是谁")
    keys.type("zj9999")
    keys.enter("2 行还不知道是谁")
    keys.enter("最要紧的在前")
    assert clerk.locator("fieldset.mend").count() == 6
    assert clerk.locator("fieldset.mend p").first.inner_text().count("图书馆志愿") == 1
    for _ in range(3):
        keys.press("Control+a")
        keys.type("9-10:30")
        keys.press("Tab", "Tab")
    keys.press("Control+a")
    keys.type("9-11")
    keys.press("Tab", "Tab")
    keys.press("Tab", "Space", "Tab", "Tab", "Space")
    size = clerk.locator("fieldset.mend")
    clerk.screenshot(path=tmp_path / "check.png", full_page=True)
    keys.enter("提交 59 人")
    assert size.count() == 2, "the two strangers, who are left out this time"
    keys.enter("批次回执")
    assert clerk.locator("tbody tr").count() == 59
    with world.ledger.read() as tx:
        newest = tx.connection.exec_driver_sql("SELECT count(DISTINCT recorded_at), count(*) FROM service GROUP BY batch").all()
    assert (1, 59) in [tuple(row) for row in newest], "one write: one time for all of them"
    print(f"60 people, 6 problems: {keys.strokes} keystrokes, {keys.loads} page loads")
    assert keys.strokes <= 150
    assert keys.loads <= 5


def test_a_draft_survives_a_lost_connection(world, team, clerk):
    keys = Keys(clerk)
    choose_last_time(keys)
    clerk.context.set_offline(True)
    keys.type("fjg 9:00-10:00")
    keys.enter("没有网络")
    clerk.get_by_role("checkbox").nth(5).uncheck()
    clerk.get_by_text("已加密存在这台电脑上").wait_for()
    held = clerk.evaluate("Object.values(localStorage).join()")
    assert held
    assert "fjg 9:00" not in held, "with the blank and colon, which Base64 never has by chance"
    assert "邻里守望" not in held
    assert "paste" not in held, "sealed: not even which fields there are"
    where = clerk.url
    clerk.context.set_offline(False)
    clerk.get_by_text("已保存").wait_for()
    clerk.goto("about:blank")
    clerk.goto(where)
    clerk.get_by_text("已勾 59 人").wait_for()
    assert clerk.get_by_label("粘贴名单").input_value() == "fjg 9:00-10:00\n", "what could not be sent is still there"
    clerk.get_by_role("button", name="加入名单").click()
    clerk.get_by_text("09:00–10:00").wait_for()
    assert clerk.evaluate("localStorage.length") == 0


def test_what_the_browser_holds_is_gone_after_its_term_and_at_sign_out(world, team, clerk):
    keys = Keys(clerk)
    choose_last_time(keys)
    where = clerk.url
    clerk.context.set_offline(True)
    keys.type("fjg 9:00-10:00")
    keys.enter("没有网络")
    clerk.get_by_text("已加密存在这台电脑上").wait_for()
    clerk.context.set_offline(False)
    clerk.get_by_text("已保存").wait_for()
    clerk.evaluate(
        "for (const name of Object.keys(localStorage)) localStorage.setItem(name, localStorage.getItem(name).replace(/^\\d+/, Date.now() - 13 * 3600e3))"
    )
    clerk.goto("about:blank")
    clerk.goto(where)
    clerk.get_by_text("已勾 60 人").wait_for()
    assert clerk.evaluate("localStorage.length") == 0, "twelve hours are over"
    clerk.evaluate("localStorage.setItem('shouwang-draft:x', Date.now() + '.x.x')")
    clerk.get_by_role("button", name="退出").click()
    clerk.get_by_label("登录名").wait_for()
    assert clerk.evaluate("localStorage.length") == 0
