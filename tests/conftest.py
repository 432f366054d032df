"""What every test may ask for, and how a run is judged."""

import gc
import os

import pytest
from hypothesis import HealthCheck, settings

gc.disable()  # while tests are imported and collected; see pytest_runtestloop
pytest_plugins = ["browser", "engines", "house", "judging", "postgres", "town", "world", "settled"]

IN_CI = os.environ.get("CI", "").lower() in ("1", "true")

# No deadline, and no complaint that drawing is slow: a shared machine's pause is no fault of the code. In CI the examples
# are the same at every run, so that a change is judged by itself; whoever works on the code draws new ones each time.
settings.register_profile("house", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow], derandomize=IN_CI)
settings.load_profile("house")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop():
    """Look for garbage less often, and not among what is imported: the search took more than a quarter of the tests' time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


def skipped_in_ci(config: pytest.Config) -> int:
    """How many tests were skipped although this is CI, where everything that a test needs has to be there."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is None or not IN_CI:
        return 0
    return len(terminal.stats.get("skipped", []))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    if skipped_in_ci(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter):
    if count := skipped_in_ci(terminalreporter.config):
        terminalreporter.write_line(f"CI: {count} skipped, and a skipped test fails the run", red=True)
