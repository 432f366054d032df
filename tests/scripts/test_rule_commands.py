"""shouwang rules and credit --explain, as whoever runs them sees it: live, as it was known, and from an exported log with nothing else at hand."""

import json
from pathlib import Path

import pytest
from commands import shouwang
from world import World

from ledger.exporting import export_log
from ledger.rules import adopting, reading

EXAMPLES = Path(reading.__file__).parent / "examples"


@pytest.fixture
def town(tmp_path):
    world = World(tmp_path / "var", f"sqlite:///{tmp_path / 'var' / 'ledger.db'}")
    yield world
    world.check()
    world.close()


def run(town, *arguments, code=0, home=None):
    said = shouwang(*arguments, SHOUWANG_HOME=home or town.settings.home)
    assert said.returncode == code, said.stdout + said.stderr
    return said.stdout if code == 0 else said.stderr


def test_a_file_is_checked_adopted_and_shown(town):
    wrong = town.settings.home.parent / "wrong.json"
    wrong.write_text('{"name": "star"}')
    assert "「title」不对：没有写" in run(town, "rules", "check", wrong, code=2)
    file = EXAMPLES / "haibei.json"
    assert "20 至 80 小时每 2小时 1 分" in run(town, "rules", "check", file)
    assert "一星：时长 100小时" in run(town, "rules", "show"), "the ladder of the service policy"
    said = json.loads(run(town, "rules", "adopt", file, "--json"))
    assert (said["name"], said["version"], said["index"]) == ("haibei", 1, town.size - 1)
    assert "新的一版请写 2" in run(town, "rules", "adopt", file, code=2)
    names = [one["name"] for one in json.loads(run(town, "rules", "show", "--json"))["rules"]]
    assert names == ["star", "haibei"]


def test_the_same_size_and_day_explain_a_star_alike_wherever_it_is_asked(town, tmp_path):
    person = town.town()[0]
    town.write(lambda tx: adopting.adopt(tx, (EXAMPLES / "longquanyi.json").read_bytes()))
    town.sign()
    size, day = town.size, "2026-06-01"
    export_log(town.ledger, tmp_path / "log")
    asked = ("credit", "--volunteer", person, "--explain", "--on", day)
    once = json.loads(run(town, *asked, "--json"))
    assert (once["rules"]["name"], once["on"], once["minutes"]) == ("star", day, sum(line["counted_minutes"] for line in once["lines"]))
    town.serve(person, "2025-01-10 08:00", "10:00", settled=True)
    assert json.loads(run(town, *asked, "--json"))["minutes"] == once["minutes"] + 120
    assert json.loads(run(town, *asked, "--as-known", size, "--json")) == once
    assert json.loads(run(town, *asked, "--log", tmp_path / "log", "--json", home=tmp_path / "nothing")) == once
    shown = run(town, *asked, "--as-known", size)
    assert "按「龙泉驿区志愿者星级（时长与积分）」第 1 版，截至 2026-06-01" in shown
    assert "到一星" in shown


def test_what_is_asked_wrongly_is_said(town):
    person = town.town()[0]
    assert "要和 --explain 一起用" in run(town, "credit", "--volunteer", person, "--as-known", "3", code=2)
    assert "还没有名为「moon」的规则" in run(town, "credit", "--volunteer", person, "--explain", "--rules", "moon", code=2)
    assert "不是导出的账本" in run(town, "credit", "--volunteer", person, "--explain", "--log", town.settings.home, code=2)
