"""「文件要求」: no requirement of the five policies is forgotten, and whatever is said to meet one is there."""

from pathlib import Path

import orjson
import pytest

from api import app
from api.pages.requirements import TITLES, documents
from ledger.duties import forms
from ledger.indicators import adoption

ASKED = {"4": 30, "2": 28, "0": 16, "1": 13, "3": 9}
"""How many requirements stand in each of the five documents."""
ROWS = [f"{document}-{number:02}" for document, count in ASKED.items() for number in range(1, count + 1)]
LISTED = [one for requirements in documents().values() for one in requirements]


def test_every_requirement_of_the_five_documents_is_listed_once():
    assert [one.row for one in LISTED] == ROWS


@pytest.mark.parametrize("one", LISTED, ids=[one.row for one in LISTED])
def test_a_requirement_is_met_somewhere_or_says_why_not(one):
    met = (*one.indicators, *one.forms, *one.pages)
    assert bool(met) != bool(one.out)
    assert len(one.asks) >= 4


def test_indicators_and_forms_answer_requirements_that_are_there():
    answered = {row for chosen in adoption.shipped().values() for one in chosen.indicators for row in one.rows}
    answered |= {row for form in forms.shipped().values() for row in form.rows}
    assert answered <= set(ROWS)


def test_the_pages_named_are_pages_of_the_application(world):
    read = {rule.endpoint for rule in world.app.url_map.iter_rules() if "GET" in rule.methods}
    named = {endpoint for one in LISTED for endpoint in one.pages}
    assert named <= read
    assert named <= TITLES.keys()


def test_the_page_shows_each_requirement_and_links_to_where_it_is_met(world):
    page = world.visitor().get("/requirements/").text
    for one in LISTED:
        assert one.asks in page, one.row
        assert (one.out or "") in page
    assert 'href="/selections/"' in page
    assert "不在本系统</span><br><small>本系统记服务，不管钱" in page


def test_the_file_is_one_list_of_rows_with_nothing_unknown():
    said = orjson.loads((Path(app.__file__).parent / "requirements.json").read_bytes())
    assert {key for row in said["rows"] for key in row} <= {"row", "asks", "pages", "note", "out"}
