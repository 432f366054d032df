"""What auditors ask of the command line: bundles, samples, and a verification by several processes that goes on from the last."""

import json
from datetime import datetime, timedelta

import pytest
from commands import shouwang
from world import CENTRE, World

from ledger.checking import bundles
from ledger.checking.trusting import Trust
from ledger.entries import SHANGHAI


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    home = tmp_path_factory.mktemp("town")
    made = World(home, f"sqlite:///{home}/ledger.db")
    made.folk = made.town()
    made.note = made.sign()
    yield made
    made.check()
    made.close()


@pytest.fixture
def run(town, tmp_path):
    """Run the command in an empty folder; with --json give what it printed."""

    def ask(*arguments, code=0, origin=""):
        said = shouwang(*arguments, cwd=tmp_path, SHOUWANG_HOME=town.settings.home, SHOUWANG_ORIGIN=origin)
        assert said.returncode == code, said.stdout + said.stderr
        return json.loads(said.stdout) if "--json" in arguments else said.stdout + said.stderr

    return ask


def test_a_volunteer_takes_the_whole_chain_away(town, run, tmp_path):
    spoken = f"{town.folk[0][:4]}-{town.folk[0][4:7]}-{town.folk[0][7:]}".lower()
    said = run("bundle", "--volunteer", spoken, "--out", "mine.json", "--json")
    made = bundles.decode_bundle((tmp_path / "mine.json").read_bytes())
    assert said == {"file": "mine.json", "records": len(made.records), "subject": f"person/{town.folk[0]}"}
    assert bundles.verify_bundle(made, Trust([town.ledger.signing.verifier()])).ok
    assert "已把 2 条记录和证明写到 two.json" in run("bundle", 2, 5, "--out", "two.json")


@pytest.mark.parametrize("arguments", [[], [1, "--volunteer", "K7M2Q9XP4R"], ["--station", "1", "--organisation", "K7M2Q9XP4R"]])
def test_a_bundle_of_nothing_or_of_two_things_is_asked_wrongly(run, arguments):
    assert "出错了" in run("bundle", *arguments, "--out", "x", code=2)


@pytest.mark.parametrize("arguments", [["bundle", 2, "--out"], ["proof", 2, "--out"], ["policy", "--out"]])
def test_a_file_that_cannot_be_written_is_named(run, arguments):
    said = run(*arguments, "no/where", code=2)
    assert "no/where 不能读写" in said
    assert "Traceback" not in said


def test_a_sample_is_drawn_from_a_signed_checkpoint_only(town, run, tmp_path):
    (tmp_path / "kept").write_text(town.note)
    said = run("sample", "--checkpoint", "kept", "--nonce", "0317", "--count", 5, "--json")
    assert len(said["sample"]) == 5 == len(set(said["sample"]))
    assert run("sample", "--checkpoint", "kept", "--nonce", "hex:30333137", "--count", 5).split() == [
        str(index) for index in said["sample"]
    ]
    kinds = {entry["index"]: entry["kind"] for entry in town.entries()}
    drawn = run("sample", "--checkpoint", "kept", "--nonce", "0317", "--count", 3, "--kind", "service.recorded", "--json")["sample"]
    assert {kinds[index] for index in drawn} == {"service.recorded"}
    (tmp_path / "forged").write_text(town.note.replace("\n", "\n1", 1))
    assert "出错了" in run("sample", "--checkpoint", "forged", "--nonce", "0317", "--count", 5, code=2)


def test_a_spot_check_that_was_announced_is_drawn_and_what_was_found_is_recorded(town, run):
    announced = town.announce_check(CENTRE, 3)
    asked = ("spot-check", announced, "--nonce", "03 07 12 19 25 33 + 08")
    drawn = run(*asked, "--json")["sample"]
    assert run("spot-check", announced, "--nonce", "03071219253308").split() == [str(index) for index in drawn]
    size, on = town.size, town.today + timedelta(days=2)
    said = run(*asked, "--record", "--wrong", drawn[0], "--on", on, "--remark", "签到表找不到")
    assert f"抽查结果已记入账本第 {size} 条：3 条，不属实 1，无法核实 0" in said
    assert town.entries()[-1]["body"]["checked_on"] == on.isoformat()
    assert "结果已记入账本" in run(*asked, "--record", code=2)
    assert run(*asked).split() == [str(index) for index in drawn], "anybody draws it again"
    assert "请加 --record" in run(*asked, "--wrong", drawn[0], code=2)
    assert "不是抽查预告" in run("spot-check", 1, *asked[2:], code=2)


def test_a_spot_check_is_announced_by_a_number_of_another_day(town, run):
    today = datetime.now(SHANGHAI).date()
    plan = ("announce-spot-check", CENTRE, "--count", 3, "--source", "双色球下一期", "--digits", 14)
    assert "从明天起" in run(*plan, "--number-on", today, code=2)
    size = town.size
    said = run(*plan, "--number-on", today + timedelta(days=2))
    assert f"预告已记入账本第 {size} 条" in said
    assert "已有一次抽查预告" in run(*plan, "--number-on", today + timedelta(days=2), code=2)
    assert "才公布" in run("spot-check", size, "--nonce", "03071219253308", code=2)


def test_a_verification_goes_on_from_the_last(town, run):
    whole = run("verify", "--jobs", 2, "--json")
    assert whole["ok"]
    assert town.settings.verified.exists()
    assert run("verify", "--since-last", "--jobs", 1, "--json") == whole
    town.settings.verified.write_bytes(b"x")
    assert "verified" in run("verify", "--since-last", code=1)


# --- asked wrongly


@pytest.mark.parametrize("content", [b"", b"checkpoint\n", b"\xff\xfe\x00", b"shouwang.local/ledger\n5\n\n", b"[]"])
def test_a_file_that_is_no_checkpoint_is_asked_wrongly_and_no_fault_of_the_ledger(run, tmp_path, content):
    (tmp_path / "kept").write_bytes(content)
    assert "kept 不是检查点" in run("verify", "--against", "kept", code=2)


def test_a_checkpoint_of_another_ledger_is_asked_wrongly(town, run, tmp_path):
    (tmp_path / "kept").write_text(town.note.replace("shouwang.local/ledger\n", "elsewhere.example/ledger\n", 1))
    assert "是另一个账本（elsewhere.example/ledger）的检查点" in run("verify", "--against", "kept", code=2)


def test_a_checkpoint_of_ours_with_another_root_is_a_fault(town, run, tmp_path):
    (tmp_path / "kept").write_text(town.note.replace("\n" + town.note.split("\n")[2], "\n" + "A" * 43 + "=", 1))
    assert [fault["what"] for fault in run("verify", "--against", "kept", "--json", code=1)["faults"]] == ["against"]


def test_under_another_name_the_ledger_is_not_opened(town, run):
    for verb in (["verify"], ["checkpoint"], ["credit", "--volunteer", town.folk[0]]):
        said = run(*verb, code=2, origin="elsewhere.example/ledger")
        assert "这个账本的名称是 shouwang.local/ledger，而 SHOUWANG_ORIGIN 现在是 elsewhere.example/ledger" in said.replace("\n", "")
