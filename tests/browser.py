"""A real Chromium, set as a station's computer is: Chinese, China time, and no way out to the network."""

import functools
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

PATIENCE = 60_000
"""Milliseconds until something that a page should show counts as missing: the pause of a machine that others share is no fault of the page."""
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",  # CI runs as root in a container
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


def _to_the_end(act: Callable[..., None]) -> Callable[..., None]:
    """Wait until the page has come whole, too.

    Playwright waits until the answer to a click begins, or what was looked for is there. On a busy machine the rest of the page may still be on its
    way, and a question put then, as how many rows there are, finds half of it.
    """

    @functools.wraps(act)
    def acted(locator: Locator, *args: object, **options: object) -> None:
        act(locator, *args, **options)
        locator.page.wait_for_load_state()

    return acted


for act in ("click", "press", "wait_for"):
    setattr(Locator, act, _to_the_end(getattr(Locator, act)))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium for the whole session."""
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        pytest.fail("no Chromium: apt-get install chromium fonts-noto-cjk")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        chromium.on("context", lambda context: context.set_default_timeout(PATIENCE))
        expect.set_options(timeout=PATIENCE)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser) -> Iterator[Page]:
    """A page with a fresh session; a script error on it fails the test."""
    context = browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai")
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    yield context.new_page()
    context.close()
    assert not errors, errors
