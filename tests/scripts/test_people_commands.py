"""shouwang ages: the age bands in force, and adopting others."""

import json

import commands


def test_age_bands_are_shown_adopted_from_a_day_and_refused_when_they_make_no_sense(tmp_path):
    def shouwang(*words):
        return commands.shouwang(*words, SHOUWANG_HOME=tmp_path)

    assert shouwang("init").returncode == 0
    assert json.loads(shouwang("ages", "--json").stdout).items() >= {"adult_age": 18, "child_age": 14, "minimum_age": 6}.items()
    rules = tmp_path / "ages.json"
    rules.write_text('{"adult_age": 18, "child_age": 14, "minimum_age": 14}')
    assert "未满 14 岁不办理登记" in shouwang("ages", "--file", str(rules), "--from", "2030-01-01", "--document", "民〔2029〕1号").stdout
    assert json.loads(shouwang("ages", "--json").stdout)["minimum_age"] == 6, "not yet"
    assert json.loads(shouwang("ages", "--from", "2030-01-01", "--json").stdout)["minimum_age"] == 14
    rules.write_text('{"adult_age": 8, "child_age": 14, "minimum_age": 14}')
    refused = shouwang("ages", "--file", str(rules))
    assert (refused.returncode, "请核对" in refused.stderr) == (2, True)
