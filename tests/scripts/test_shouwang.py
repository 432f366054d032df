"""The command line as its users run it: a street from the first file to the checked log, answers for programs, and errors in words."""

import json
import re
import sqlite3
import subprocess
from pathlib import Path

import click
import openpyxl
import pytest
from commands import PROGRAM, shouwang, surroundings
from files import csv, xlsx
from town import (
    CHEN,
    EAST,
    LI,
    ORGANISATIONS,
    PEOPLE,
    STATIONS,
    STRANGER,
    WANG,
    ZHANG,
    export,
    exported,
    roster,
    sheet,
    signed,
)

from ledger.settings import Settings
from scripts.shouwang import main

ROOT = Path(__file__).parent.parent.parent
RULES = ROOT / "scripts" / "rules-example.json"
SIGN_IN = sheet(
    signed(ZHANG), signed(LI, "14:00", None), signed(WANG, "14:10", "15:00", "90分钟"), signed(STRANGER), when="2025年5月6日 14:00-16:00"
)


class Desk:
    """A folder with a clerk's files and the command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *arguments, code=0, **surroundings):
        said = shouwang(*arguments, cwd=self.folder, **{"SHOUWANG_HOME": self.folder / "var", **surroundings})
        assert said.returncode == code, said.stdout + said.stderr
        assert "Traceback" not in said.stderr
        return said

    def ask(self, *arguments, code=0):
        """The answers to programs, a JSON document a line."""
        return [json.loads(line) for line in self.run(*arguments, "--json", code=code).stdout.splitlines()]

    def answer(self, *arguments, code=0):
        [said] = self.ask(*arguments, code=code)
        return said

    def file(self, name: str, rows) -> str:
        (self.folder / name).write_bytes(rows if isinstance(rows, bytes) else csv(rows))
        return name


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A small street, handed in by the command: people, a sheet with problems, the old platform; then signed."""
    made = Desk(tmp_path_factory.mktemp("desk"))
    said = made.run("init").stdout
    assert "一次性密码" in said
    assert re.search(r"公钥 shouwang\.local/ledger\+[0-9a-f]{8}\+\S+", said)
    made.said = {
        "stations": made.answer("import", "stations", made.file("stations.csv", STATIONS)),
        "organisations": made.answer("import", "organisations", made.file("organisations.csv", ORGANISATIONS)),
        "volunteers": made.answer("import", "volunteers", made.file("volunteers.xlsx", xlsx(roster(*PEOPLE[:5], backbone="是")))),
        "hours": made.answer("import", "hours", "--settled", made.file("签到表.xlsx", xlsx(SIGN_IN))),
    }
    rows = [exported(one, "2025-03-01 08:00", "2025-03-01 20:00", hours=12) for one in (LI, CHEN)]
    made.said["platform"] = made.answer("import", "hours", made.file("old.csv", csv(export(*rows), "gbk")), "--settled")
    made.signed = made.answer("checkpoint")
    return made


def test_the_program_starts_from_nothing_and_names_every_command(tmp_path):
    """Each command's module is loaded to be named."""
    place = {"cwd": tmp_path, "env": surroundings(SHOUWANG_HOME=tmp_path / "var")}
    said = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, timeout=120, check=False, **place)
    assert (said.returncode, said.stderr) == (0, "")
    assert set(re.findall(r"^  ([a-z-]+)  ", said.stdout, re.MULTILINE)) == set(main.list_commands(click.Context(main)))
    assert list(tmp_path.iterdir()) == []


def test_the_readme_names_exactly_the_verbs_that_have_no_json():
    def verbs(group, prefix=""):
        for name in group.list_commands(click.Context(group)):
            command = group.get_command(click.Context(group), name)
            if isinstance(command, click.Group):
                yield from verbs(command, f"{prefix}{name} ")
            if not isinstance(command, click.Group) or command.invoke_without_command:
                yield f"{prefix}{name}", any("--json" in option.opts for option in command.params)

    said = re.search(r"`--json` works on every verb except ([^;]*);", (ROOT / "README.md").read_text())[1]
    assert set(re.findall(r"`([^`]+)`", said)) == {name for name, has in verbs(main) if not has}


def test_the_readme_names_every_file_under_the_home():
    """Those the settings know, and those that keys and the demonstration leave."""
    home = Path("/home")
    settings = Settings(home, "sqlite:////home/ledger.db")
    places = [value for name in dir(Settings) if isinstance(value := getattr(settings, name), Path) and value != home]
    assert len(places) > 8
    table = (ROOT / "README.md").read_text().split("What lies under the home", 1)[1].split("\n\n", 2)[1]
    named = set(re.findall(r"`([^`]+)`", "".join(line.split("|")[1] for line in table.splitlines())))
    assert {str(path.relative_to(home)) for path in places} <= named
    assert {"ledger.db", "keys/log.vkey", "keys/log-first.vkey", "keys/retired/", "demonstration-logins.json"} <= named


def test_a_store_is_made_once_and_init_may_be_repeated(desk):
    again = desk.answer("init")
    assert again == {
        "home": str(desk.folder / "var"),
        "origin": "shouwang.local/ledger",
        "vkey": desk.signed["vkey"],
        "administrator_code": None,
    }
    assert (desk.folder / "var" / "keys").stat().st_mode & 0o077 == 0


def test_a_huge_file_is_refused_without_being_read(desk):
    """It is a terabyte of nothing: no machine here could read it."""
    with (desk.folder / "huge.csv").open("wb") as huge:
        huge.truncate(1 << 40)
    [said] = desk.ask("import", "hours", "huge.csv", code=2)
    assert said == {"file": "huge.csv", "error": "文件超过 20 MB，请分成几个文件上传。"}
    (desk.folder / "huge.csv").unlink()


def test_an_import_says_what_it_did_row_by_row(desk):
    assert desk.said["stations"] == {
        "file": "stations.csv",
        "kind": "stations",
        "accepted": 3,
        "already": 0,
        "rejected": [],
        "parked": [],
        "remarks": [],
        "dry_run": False,
    }
    assert [desk.said[kind]["accepted"] for kind in ("organisations", "volunteers", "hours", "platform")] == [1, 5, 2, 2]
    hours = desk.said["hours"]
    assert list(hours) == ["file", "kind", "accepted", "already", "minutes", "batch", "rejected", "parked", "remarks", "dry_run"]
    assert (hours["file"], hours["minutes"]) == ("签到表.xlsx", 170)
    assert [(one["row"], one["code"], one["column"]) for one in hours["rejected"]] == [
        (6, "missing_sign_out", "签退时间"),
        (8, "unknown_volunteer", "身份证号"),
    ]
    assert {key for one in hours["rejected"] for key in one} == {"row", "code", "message", "column"}
    assert hours["parked"] == hours["rejected"][1:]
    assert [(one["row"], one["code"]) for one in hours["remarks"]] == [(7, "remark")]


def test_the_same_file_again_and_a_dry_run_write_nothing(desk):
    before = desk.answer("verify")
    again = desk.answer("import", "hours", "--settled", "签到表.xlsx")
    assert (again["accepted"], again["already"], len(again["rejected"]), again["minutes"]) == (0, 2, 2, 0)
    dry = desk.answer("import", "hours", "--dry-run", desk.file("new.csv", sheet(signed(CHEN), when="2025年7月1日 14:00-16:00")))
    assert (dry["accepted"], dry["minutes"], dry["dry_run"]) == (1, 120, True)
    assert desk.answer("verify") == before


def test_the_problems_come_back_in_the_clerks_own_workbook(desk):
    said = desk.run("import", "hours", "签到表.xlsx")
    assert "已写入 0 条服务记录，共 0分；2 行以前已登记，没有重复写入" in said.stdout
    assert "✗ 第 6 行 李*国：没有签退时间" in said.stdout
    assert "其中 1 行的人尚未登记" in said.stdout
    assert "签到表-问题.xlsx" in said.stdout
    page = openpyxl.load_workbook(desk.folder / "签到表-问题.xlsx").active
    [column] = [cell.column for cell in page[4] if cell.value == "问题"]
    assert [bool(page.cell(row, column).value) for row in range(5, 9)] == [False, True, False, True]
    said = desk.answer("import", "hours", "签到表.xlsx", "--problems", "改.xlsx")
    assert (said["problems_file"], (desk.folder / "改.xlsx").exists()) == ("改.xlsx", True)


def test_one_bad_file_of_several_does_not_stop_the_others(desk):
    desk.file("坏.pdf", b"%PDF-1.7")
    said = desk.ask("import", "hours", "--dry-run", "签到表.xlsx", "坏.pdf", "没有.csv", "old.csv", "--problems", "问题", code=2)
    assert [one["file"] for one in said] == ["签到表.xlsx", "坏.pdf", "没有.csv", "old.csv"]
    assert list(said[1]) == ["file", "error"]
    assert "这是 PDF 文件，不是表格" in said[1]["error"]
    assert said[2]["error"] == "没有这个文件"
    assert (said[3]["already"], said[0]["problems_file"]) == (2, "问题/签到表-问题.xlsx")


def test_a_cell_in_square_brackets_is_printed_and_not_obeyed(desk):
    rows = sheet(signed(CHEN, "[/red]"), title="“[/bold]”签到表", when="2025年7月1日 14:00-16:00")
    rows[0] = ["“邻里守望”[/bold]签到表"]
    assert "时间「[/red]」看不懂" in desk.run("import", "hours", "--dry-run", desk.file("括[a].csv", rows)).stdout
    rows[1][1] = "站点编码：[/red]"
    assert "括[a].csv：站点「[/red]」还没有登记" in desk.run("import", "hours", desk.file("括[a].csv", rows), code=2).stderr


def test_a_volunteers_credit_is_one_total_and_its_list(desk):
    said = desk.answer("credit", "--id-number", ZHANG.id_number)
    keys = {"volunteer", "minutes", "by_series", "by_grade", "by_year", "star", "minutes_to_next_star", "records", "not_counted"}
    assert set(said) == keys | {"star_name", "next_star", "missing", "stars"}
    assert (said["minutes"], said["by_series"], said["star"], said["not_counted"]) == (120, {"邻里守望": 120}, 0, [])
    [record] = said["records"]
    expected = {
        "served_on": "2025-05-06",
        "start": "2025-05-06T14:00",
        "minutes": 120,
        "grade": "B",
        "status": "counted",
        "series": "neighbour-care",
    }
    assert {key: record[key] for key in expected} == expected
    shown = desk.run("credit", "--volunteer", said["volunteer"].lower()).stdout
    assert f"张*（{said['volunteer']}）累计服务 2小时，尚未评星" in shown
    assert ZHANG.name not in shown


def test_the_rates_of_a_year_with_what_they_are_made_of(desk):
    said = desk.answer("rates", "--year", 2025, "--on", "2026-03-05")
    assert {key: said[key] for key in said if key != "stations"} == {
        "year": 2025,
        "tree_size": desk.signed["size"],
        "period_to": "2025-12-31",
        "counted_on": "2026-03-05",
    }
    east = said["stations"][1]
    assert east.pop("counted_on") == "2026-03-05"  # asked then: what became effective since the year's end counts
    assert east == {
        "code": EAST,
        "name": "东社区社会服务站",
        "level": "station",
        "parent": "340104001000",
        "population": 1000,
        "population_on": "2025-12-31",
        "population_source": "示例数据",
        "registered": 5,
        "confirmed": 0,
        "confirmed_at_desk": 0,
        "participants": 4,
        "backbone": 5,
        "minutes": 1610,
        "registration_rate": "0.0050",
        "participation_rate": "0.8000",
        "backbone_rate": "1.0000",
    }
    assert desk.answer("rates", "--year", 2025, "--as-known", 1, "--on", "2026-03-05") == {
        "year": 2025,
        "tree_size": 1,
        "period_to": "2025-12-31",
        "counted_on": "2026-03-05",
        "stations": [],
    }
    shown = desk.run("rates", "--year", 2025).stdout
    assert "0.50% ✗" in shown
    assert "80.00% ✓" in shown


def test_the_yearly_list_by_the_example_rules(desk):
    said = desk.answer("select", "--year", 2025, "--rules", RULES, "--out", "名单.xlsx")
    assert set(said) == {"year", "tree_size", "counted_on", "rules", "considered", "chosen", "excluded"}
    assert (said["considered"], said["rules"]["name"], said["excluded"]) == (2, "优秀志愿者", [])
    people = [(one["rank"], one["name"], one["minutes"], one["services"]) for one in said["chosen"]]
    assert sorted(people) == [(1, people[0][1], 720, 1), (2, people[1][1], 720, 1)]
    assert {name for _, name, *_ in people} == {"李*国", "陈*"}
    page = openpyxl.load_workbook(desk.folder / "名单.xlsx").active
    assert (page["A1"].value, page["B3"].value) == ("2025 年度优秀志愿者", said["chosen"][0]["volunteer"])
    assert "参评 2 人，入选 2 人" in desk.run("select", "--year", 2025, "--rules", RULES, "--out", "名单.pdf").stdout
    assert (desk.folder / "名单.pdf").read_bytes().startswith(b"%PDF-")
    assert (
        "请把文件名写成以 .xlsx、.pdf 或 .csv 结尾"
        in desk.run("select", "--year", 2025, "--rules", RULES, "--out", "名单.doc", code=2).stderr
    )


def test_a_checkpoint_is_signed_once_for_a_size(desk):
    assert set(desk.signed) == {"new", "size", "checkpoint", "vkey"}
    assert desk.signed["new"] is True
    assert desk.signed["checkpoint"].startswith(f"shouwang.local/ledger\n{desk.signed['size']}\n")
    assert desk.run("checkpoint").stdout == desk.signed["checkpoint"]


def test_the_exported_log_and_its_proofs_satisfy_the_outside_judge(desk, judge):
    said = desk.answer("export-log", "账本")
    assert said == {"folder": "账本", "size": desk.signed["size"], "vkey": desk.signed["vkey"]}
    folder = desk.folder / "账本"
    assert (folder / "vkey").read_text().strip() == said["vkey"]
    assert (folder / "checkpoint").read_text() == desk.signed["checkpoint"]
    verdict = judge("tiles", said["vkey"], folder)
    assert verdict.ok, verdict.text
    for index in (0, said["size"] - 1):
        desk.run("proof", index, "--out", "一条.tlog-proof", "--entry", "一条.json")
        verdict = judge("proof", said["vkey"], desk.folder / "一条.tlog-proof", desk.folder / "一条.json")
        assert verdict.ok, verdict.text
        assert json.loads((desk.folder / "一条.json").read_bytes())["index"] == index
    (desk.folder / "一条.json").write_bytes((desk.folder / "一条.json").read_bytes().replace(b"2", b"3", 1))
    assert not judge("proof", said["vkey"], desk.folder / "一条.tlog-proof", desk.folder / "一条.json").ok
    assert desk.run("proof", 0).stdout.startswith("c2sp.org/tlog-proof@v1\n")


def test_an_untouched_ledger_passes_and_extends_its_older_checkpoint(desk):
    (desk.folder / "从前").write_text(desk.signed["checkpoint"])
    said = desk.answer("verify", "--against", "从前")
    assert set(said) == {"ok", "size", "root", "faults"}
    assert (said["ok"], said["size"], said["faults"]) == (True, desk.signed["size"], [])
    assert said["root"] == desk.signed["checkpoint"].splitlines()[2]
    assert f"通过：{said['size']} 条" in desk.run("verify").stdout


def tampered(desk, folder, sql, *values):
    """A copy of the ledger in which somebody changed the database file."""
    copy = Desk(folder)
    subprocess.run(["cp", "-r", desk.folder / "var", folder / "var"], check=True)
    with sqlite3.connect(folder / "var" / "ledger.db") as connection:
        for (name,) in connection.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            connection.execute(f"drop trigger {name}")
        assert connection.execute(sql, values).rowcount == 1
    connection.close()
    return copy


def test_one_altered_byte_is_found_at_its_entry(desk, tmp_path):
    with sqlite3.connect(desk.folder / "var" / "ledger.db") as connection:
        found = connection.execute('select "index", body from entry order by "index"').fetchall()
    connection.close()
    index, body = next((index, body) for index, body in found if b'"minutes":120' in body)
    copy = tampered(desk, tmp_path, 'update entry set body = ? where "index" = ?', body.replace(b'"minutes":120', b'"minutes":121'), index)
    said = copy.answer("verify", code=1)
    assert (said["ok"], said["faults"][0]["index"]) == (False, index)
    assert set(said["faults"][0]) == {"index", "what", "expected", "found"}
    assert "entry.leaf" in {fault["what"] for fault in said["faults"]}


def test_a_ledger_whose_end_is_altered_can_still_be_verified(desk, tmp_path):
    """Nothing may be written to it, but the command that the message names must work."""
    last = desk.signed["size"] - 1
    copy = tampered(desk, tmp_path, 'update entry set leaf = ? where "index" = ?', b"x" * 32, last)
    assert "shouwang verify" in copy.run("checkpoint", code=2).stderr
    shown = copy.run("verify", code=1).stdout
    assert "处不符" in shown
    assert f"第 {last} 条 entry.leaf：应为" in shown


ASKED_WRONGLY = [
    (["credit"], "请用 --id-number 或 --volunteer 之一说明查谁"),
    (["credit", "--id-number", "340104195001030002"], "身份证号末位校验不符"),
    (["credit", "--volunteer", "ABC"], "编号不对：应为 10 位字母和数字"),
    (["rates", "--year", "2025", "--as-known", "99999"], "没有 99999 条时的样子"),
    (["select", "--year", "2025", "--rules", "stations.csv"], "规则文件不是 JSON"),
    (["proof", "99999"], "99999"),
    (["void", "0", "--reason", "误登"], "第 0 条不是服务记录"),
    (["import", "volunteers", "stations.csv"], "表头"),
    (["import", "hours", "."], "这是文件夹，不是文件"),
    (["export-log", "."], "请换一个空文件夹"),
]


@pytest.mark.parametrize(("arguments", "says"), ASKED_WRONGLY, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_what_is_asked_wrongly_is_told_in_a_sentence(desk, arguments, says):
    said = desk.run(*arguments, code=2)
    assert said.stdout == ""
    assert "出错了：" in said.stderr
    assert says in said.stderr
    assert STRANGER.id_number not in said.stderr


def test_without_a_store_the_way_to_make_one_is_told(tmp_path):
    assert "请先运行 shouwang init" in Desk(tmp_path).run("verify", code=2).stderr
    assert "SHOUWANG_DATABASE_URL" in Desk(tmp_path).run("verify", code=2, SHOUWANG_DATABASE_URL="mysql://x").stderr
    assert not (tmp_path / "var").exists()


def test_hours_are_mended_parked_and_remade_by_command(desk, tmp_path):
    """On a copy: what the other tests read stays."""
    subprocess.run(["cp", "-r", desk.folder / "var", tmp_path / "var"], check=True)
    copy = Desk(tmp_path)
    [record] = copy.answer("credit", "--id-number", ZHANG.id_number)["records"]
    said = copy.answer("correct", record["index"], "--start", "2025-05-06 14:00", "--end", "2025-05-06 15:00", "--reason", "早退")
    assert set(said) == {"index", "id", "leaf", "recorded_at"}
    assert "已作废，见第" in copy.run("void", record["index"], "--reason", "误登").stdout
    assert copy.answer("credit", "--id-number", ZHANG.id_number)["minutes"] == 0
    copy.run("import", "volunteers", copy.file("new.csv", roster(STRANGER)))
    assert copy.answer("parked", "--record")["recorded"] == 1
    assert copy.answer("credit", "--id-number", STRANGER.id_number)["minutes"] == 120
    replayed = copy.answer("rebuild")["replayed"]
    said = copy.answer("verify")
    assert (said["ok"], said["size"]) == (True, replayed)
