"""A district's boards in a real browser, script switched off: from the district down to a station by keyboard, on a phone, and on paper across."""

import contextlib
import io
import os
import re
import shutil
from datetime import datetime
from pathlib import Path

import pypdfium2
import pytest
import recounting
from argon2 import PasswordHasher
from requests_by_hand import serving

from api.app import create_app
from ledger.entries import SHANGHAI
from ledger.people.accounts import Accounts
from ledger.settings import Settings
from ledger.store import open_ledger
from scripts import district_year

NOW = datetime(2026, 11, 22, 10, tzinfo=SHANGHAI)
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
A3 = (1191, 842)
"""Points of A3 across."""


@pytest.fixture(scope="module")
def district(tmp_path_factory):
    """Some people of the demonstration district; what its log says, counted again, and its address."""
    home = tmp_path_factory.mktemp("district")
    settings = Settings(home, f"sqlite:///{home}/ledger.db")
    district_year.load(settings, NOW, lambda *_: None, share=4).close()
    with contextlib.closing(open_ledger(settings, lambda: NOW.replace(hour=20))) as ledger:
        with ledger.read() as tx:
            rows = tx.connection.exec_driver_sql('SELECT "index", id, leaf, body FROM entry ORDER BY "index"').all()
        truth = recounting.Recount(recounting.check_entries(rows)[0], "2026-11-22").rates(2026)
        app = create_app(ledger, accounts=Accounts(ledger, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)))
        with serving(app, threads=2) as address:
            yield truth, address


@pytest.fixture
def window(browser, district):
    opened = []

    def open_one(size):
        context = browser.new_context(locale="zh-CN", viewport=size, java_script_enabled=False, base_url=district[1])
        opened.append(context)
        return context.new_page()

    yield open_one
    for context in opened:
        context.close()


def keep(name, content, tmp_path):
    """Keep a picture or a paper, for whoever wants to look."""
    (tmp_path / name).write_bytes(content)
    if folder := os.environ.get("SHOUWANG_PICTURES"):
        shutil.copy(tmp_path / name, Path(folder) / name)


def number(text):
    return int(text.replace(",", ""))


def test_from_the_district_down_to_a_station_by_keyboard_every_number_is_that_of_a_recount(window, district, tmp_path):
    truth, page = district[0], window(DESKTOP)
    page.goto("/stations/")
    tile = page.locator(".tile.rate").first.inner_text()
    top = truth["340104000000"]
    assert f"注册志愿者 {top['registered']:,} 人 ÷ 常住人口 1,047,150 人" in tile
    squares = page.locator("a.square")
    assert squares.count() == 85
    keep("board-desktop.png", page.screenshot(full_page=True), tmp_path)
    page.get_by_role("link", name="列出全部 85 个站").click()
    listed = page.locator("#all ~ .scroll tbody tr")
    assert listed.count() == 85
    below = [number(cell.split("\n")[0]) for cell in page.locator('#all ~ .scroll td[data-label="注册志愿者"]').all_inner_texts()]
    assert sum(below) == top["registered"]
    square = page.locator("a.square").nth(3)
    assert re.match(r"竹荫里\n[\d.]+%\n[✓△×]\n(达标|接近目标|差距较大)", square.inner_text())
    square.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**unit=340104001004**")
    assert page.get_by_role("heading", level=1).inner_text() == "竹荫里社区社会服务站"
    said = page.locator(".tile.rate").nth(1).inner_text()
    mine = truth["340104001004"]
    assert f"当年参加过服务的 {mine['participants']:,} 人 ÷ 注册志愿者 {mine['registered']:,} 人" in said
    page.get_by_role("link", name="三里庵街道社会服务中心").click()
    assert page.locator("a.square").count() == 6
    assert page.locator("html").evaluate("node => node.scrollWidth") <= DESKTOP["width"]


def test_on_a_phone_nothing_sticks_out_and_every_square_can_be_touched(window, tmp_path):
    page = window(PHONE)
    page.goto("/stations/")
    assert page.locator("html").evaluate("node => node.scrollWidth") <= PHONE["width"]
    sizes = page.locator("a.square").evaluate_all("nodes => nodes.map(node => [node.offsetWidth, node.offsetHeight])")
    assert len(sizes) == 85
    assert min(min(size) for size in sizes) >= 44
    keep("board-phone.png", page.screenshot(full_page=True), tmp_path)


@pytest.mark.parametrize("paper", ["A3", "A4"])
def test_on_paper_across_the_figures_and_the_map_stand_on_the_first_sheet(window, paper, tmp_path):
    page = window(DESKTOP)
    page.goto("/stations/")
    printed = page.pdf(format=paper, landscape=True, print_background=True)
    keep(f"board-{paper}.pdf", printed, tmp_path)
    sheets = pypdfium2.PdfDocument(io.BytesIO(printed))
    width, height = sheets[0].get_size()
    assert width > height
    first = "".join(sheets[0].get_textpage().get_text_range().split())
    assert "注册率" in first
    assert "梅山路" in first
    if paper == "A3":
        assert (width, height) == pytest.approx(A3, abs=2)
        assert "邓店村" in first, "the whole map, to its last square"
        assert len(sheets) <= 5
    assert "下载看板" not in first
    assert "登录" not in first, "no furniture of the screen"
