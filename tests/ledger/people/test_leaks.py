"""No ID number and no mobile number goes out to the public or into a log line, however it is spelt; hashes and codes do."""

import logging

import orjson
import pytest
from files import csv, xlsx
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import NotAllowed
from ledger.people import leaks

NUMBERS = [
    "13624242754",
    "340102196708266327",
    "34010419951022796X",
    "34010419951022796x",
    "１３６２４２４２７５４",
    "136 2424 2754",
    "136-2424-2754",
    "3401 0219 6708 2663 27",
    "340102 19670826 6327",
    "电话13624242754。",
    "+86 136-2424-2754",
]
HARMLESS = [
    "340104001001",
    "2025-01-02T09:00",
    "2025-01-02 09:00–11:30",
    "K7M2Q9XP4R",
    "0195650a-4b1a-7d3e-8c11-2f6a9be0001a",
    "9y566b2HRKAW2JsZnz2h1K/IU8CLfy2xowQuDbZ9bEs=",
    "12345678901a" * 5 + "1234",
    "136****2754",
    "3****************7",
    "52340104MJA1234567",
    "12345678",
]


@pytest.mark.parametrize("text", NUMBERS)
def test_a_personal_number_is_found_however_it_is_spelt(text):
    assert leaks.holds_number(text)
    with pytest.raises(NotAllowed, match="第 2 处") as refusal:
        leaks.check(["fine", text], "名单")
    assert not leaks.holds_number(str(refusal.value)), "the refusal itself tells nothing"
    redacted = leaks.redact(f"failed for {text}!")
    assert not leaks.holds_number(redacted)
    assert redacted.startswith("failed for ")


@pytest.mark.parametrize("text", HARMLESS)
def test_codes_hashes_and_days_pass(text):
    assert not leaks.holds_number(text)
    assert leaks.redact(text) == text
    leaks.check([text], "名单")


@given(st.binary(min_size=32, max_size=32))
def test_no_hash_is_taken_for_a_number(digest):
    leaks.check([digest.hex(), f"sha256:{digest.hex()}", digest.hex()[:12] if not digest.hex()[:12].isdigit() else ""], "证明")


@pytest.mark.parametrize("number", NUMBERS)
def test_a_file_with_a_number_in_any_cell_is_not_handed_out(number):
    for content, content_type in (
        (xlsx([["姓名", "电话"], ["张*", number]]), "xlsx"),
        (csv([["姓名", "电话"], ["张*", number]]), "text/csv"),
        (orjson.dumps({"people": [{"name": "张*", "phone": number}]}), "application/json"),
        (orjson.dumps({number: 1}), "application/json"),
    ):
        with pytest.raises(NotAllowed):
            leaks.check_file(content, content_type, "名单")


def test_a_number_stored_as_a_number_is_found_too():
    for content, content_type in ((xlsx([["电话"], [13624242754]]), "xlsx"), (b'{"phone": 13624242754}', "application/json")):
        with pytest.raises(NotAllowed):
            leaks.check_file(content, content_type, "名单")


def test_a_file_without_one_is_handed_out():
    for content, content_type in (
        (xlsx([["姓名", "编号"], ["张*", "K7M2Q9XP4R"], ["站点", 340104001001]]), "xlsx"),
        (b'{"size": 12345678901234567}', "json"),
    ):
        leaks.check_file(content, content_type, "名单")


def test_log_lines_are_redacted_with_their_values_and_tracebacks():
    leaks.guard_logging()
    leaks.guard_logging()
    lines = []

    class Keep(logging.Handler):
        def emit(self, record):
            lines.append(self.format(record))

    logger, keep = logging.getLogger("shouwang.test"), Keep()
    logger.addHandler(keep)
    try:
        logger.warning("row of %s refused: %s", "340102196708266327", {"phone": "13624242754"})
        try:
            raise ValueError("13624242754 is taken")
        except ValueError:
            logger.exception("request %s failed", "abc")
    finally:
        logger.removeHandler(keep)
    text = "\n".join(lines)
    assert "Traceback" in text
    assert "13624242754" not in text
    assert "340102196708266327" not in text
    event = leaks.redact_event(
        None, "info", {"event": "x", "who": ["13624242754"], "n": 13624242754, "at": {"id": "340102196708266327"}, "size": 12}
    )
    assert (event["who"], event["n"], event["at"], event["size"]) == (["***"], "***", {"id": "***"}, 12)
