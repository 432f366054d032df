"""The table of roles and routes is made of the application, and the README's is the one that it makes now."""

import json
from pathlib import Path

import pytest
from click import UsageError

from api.app import create_app
from scripts.route_commands import BEGIN, END, api, markdown, pages, written_into

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture
def app(house):
    return create_app(house.ledger, accounts=house.accounts)


@pytest.mark.parametrize("founded_url", ["sqlite"], indirect=True)
def test_the_readme_has_the_table_of_today(app):
    text = README.read_text("utf-8")
    assert written_into(text, markdown(app)) == text, "shouwang routes --into README.md"


@pytest.mark.parametrize("founded_url", ["sqlite"], indirect=True)
def test_every_address_is_in_the_table_once(app):
    listed = [address.split(" ")[-1] for _, addresses, _ in (*pages(app), *api(app)) for address in addresses]
    rules = {rule.rule for rule in app.url_map.iter_rules()}
    assert len(set(listed)) == len(rules)
    assert json.dumps(listed).count("<") == 0
    heads = ("volunteer", "recorder", "approver", "official", "auditor", "administrator", "anybody")
    may = {what: dict(zip(heads, row, strict=True)) for what, _, row in api(app)}
    assert may["service-records:approve"] == {
        "volunteer": False,
        "recorder": False,
        "approver": True,
        "official": True,
        "auditor": False,
        "administrator": False,
        "anybody": False,
    }


def test_a_text_without_the_marks_is_left_alone():
    assert written_into(f"a\n{BEGIN}\nold\n{END}\nb", "new") == f"a\n{BEGIN}\nnew\n{END}\nb"
    with pytest.raises(UsageError, match="各一处"):
        written_into("a", "new")
