"""The command line of witnesses: one deployment stands for another, is asked, and is seen to fail when it is gone."""

import json
import subprocess
import urllib.request
from hashlib import sha256
from pathlib import Path

import commands
import pytest
from requests_by_hand import reserved_port, until_it_listens

ROOT = Path(__file__).parent.parent.parent
ORIGIN = "street.example/ledger"


@pytest.fixture
def run(tmp_path):
    def shouwang(*arguments, home="log", code=0):
        said = commands.shouwang(*arguments, SHOUWANG_HOME=tmp_path / home, SHOUWANG_ORIGIN=ORIGIN)
        assert said.returncode == code, said.stdout + said.stderr
        assert "Traceback" not in said.stderr
        return said

    return shouwang


@pytest.fixture
def log_vkey(run):
    run("init")
    return json.loads(run("checkpoint", "--json").stdout)["vkey"]


@pytest.fixture
def district(run, log_vkey, tmp_path):
    """Another deployment, that runs as a witness of the log; gives its vkey, address and process."""
    vkey = run("witness", "init", "witness.example/district", home="district").stdout.strip()
    (tmp_path / "logs.policy").write_text(f"log {log_vkey}\nquorum none\n")
    place = commands.surroundings(SHOUWANG_HOME=tmp_path / "district", SHOUWANG_ORIGIN=ORIGIN)
    with reserved_port() as port:
        command = [commands.PROGRAM, "witness", "--port", str(port), "--policy", tmp_path / "logs.policy"]
        with subprocess.Popen(command, env=place, stderr=subprocess.PIPE, text=True) as process:
            assert vkey in process.stderr.readline()
            until_it_listens(port, process)
            yield vkey, f"http://127.0.0.1:{port}", process
            process.terminate()


def test_a_district_cosigns_a_streets_log_and_is_missed_when_it_is_gone(run, log_vkey, district, tmp_path):
    vkey, url, process = district
    assert "witnesses.policy" in run("witnesses", code=2).stderr
    (tmp_path / "log" / "witnesses.policy").write_text(f"log {log_vkey}\nwitness district {vkey} {url}\nquorum district\n")
    before = json.loads(run("witnesses", "--json", code=1).stdout)
    assert (before["satisfied"], before["witnesses"][0]["size"]) == (False, 0)

    after = json.loads(run("witnesses", "--ask", "--json").stdout)
    assert (after["quorum"], after["satisfied"]) == ("district", True)
    note = run("checkpoint").stdout
    assert f"\n— {vkey.partition('+')[0]} " in note
    place = sha256(ORIGIN.encode()).hexdigest()
    with urllib.request.urlopen(f"{url}/{place}/checkpoint", timeout=30) as answer:  # noqa: S310
        assert answer.read().decode() == note
    assert "够了" in run("witnesses").stdout
    assert json.loads(run("witness", "evidence", "--json", home="district").stdout) == {"evidence": []}

    process.terminate()
    process.wait(60)
    run("import", "stations", ROOT / "tests" / "data" / "sanlian-street" / "stations.csv")
    run("checkpoint")
    gone = json.loads(run("witnesses", "--ask", "--json", code=1).stdout)
    assert (gone["satisfied"], gone["witnesses"][0]["size"]) == (False, 3)
    assert "连不上" in gone["witnesses"][0]["error"]


def test_a_witness_is_made_once_and_must_know_whom_it_stands_for(run, tmp_path):
    assert run("witness", "init", "witness.example/w1", "--json", home="district").stdout.startswith('{"vkey":"witness.example/w1+')
    assert "已经有了" in run("witness", "init", "witness.example/w1", home="district", code=2).stderr
    assert "不能含空格" in run("witness", "init", "a name", home="other", code=2).stderr
    assert "--policy" in run("witness", home="district", code=2).stderr
    (tmp_path / "policy").write_text("quorum all\n")
    assert "第 1 行" in run("witness", "--policy", tmp_path / "policy", home="district", code=2).stderr
    (tmp_path / "policy").write_text("quorum none\n")
    assert "还不是见证人" in run("witness", "--policy", tmp_path / "policy", home="other", code=2).stderr
