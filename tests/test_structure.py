"""The rules of the house that a machine can see: who knows whom, how long things are, what is never written down."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOP = {"pyproject.toml", "requirements.lock", "README.md", "ledger", "api", "jobs", "tests", "scripts"}
MADE = {"var", "mutants", "shouwang.egg-info", "__pycache__"}  # by running things; git ignores them too
PARTS = ("ledger", "api", "jobs", "scripts")

CODE = sorted(path for part in PARTS for path in (ROOT / part).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
PROGRAMS = sorted(path for path in (ROOT / "scripts").iterdir() if path.is_file() and not path.suffix)
SETTINGS = [ROOT / "pyproject.toml", ROOT / "requirements.lock"]


def named(paths: list[Path]):
    return pytest.mark.parametrize("path", paths, ids=lambda path: str(path.relative_to(ROOT)))


def test_imports_point_one_way():
    """The contracts stand in pyproject.toml: ledger knows nobody, api and jobs know ledger and not each other."""
    command = [Path(sys.executable).parent / "lint-imports", "--no-logo"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_top_level_is_the_fixed_parts():
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".") and path.suffix != ".xlsx"}
    assert found - MADE <= TOP


@named(CODE)
def test_a_file_has_at_most_400_lines(path):
    assert len(path.read_text().splitlines()) <= 400


@named([path for path in CODE if path.parent.name != "versions"])  # a revision is one list of tables
def test_a_function_has_at_most_60_lines(path):
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, kinds)]
    assert [node.name for node in functions if node.end_lineno - node.lineno >= 60] == []


@named(CODE + TESTS)
def test_a_module_says_what_it_is_for(path):
    assert ast.get_docstring(ast.parse(path.read_text()))


@named(SETTINGS)
def test_settings_and_lock_name_no_address(path):
    assert re.findall(r"https?://\S+", path.read_text()) == []


@named([*CODE, *TESTS, *PROGRAMS, *SETTINGS])
def test_nothing_names_a_folder_of_one_machine(path):
    assert re.findall(r"/(?:work|root|farm)/\S*", path.read_text()) == []


def test_the_frame_of_pages_takes_no_name_from_under_them():
    """What base.html sets hides a variable of that name that a view hands to a page: a page's own `may` would be another's."""
    names = set(re.findall(r"{%-?\s*set\s+(\w+)", (ROOT / "api/templates/base.html").read_text()))
    assert names
    assert not [name for name in names if not name.startswith("nav_")]
    others = [path for path in (ROOT / "api/templates").glob("*.html") if path.name != "base.html"]
    assert not [path.name for path in others if re.search(r"\bnav_\w+", path.read_text())]
