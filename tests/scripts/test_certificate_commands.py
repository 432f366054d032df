"""Certificates on the command line, and judged on a machine that has nothing but Python and `cryptography`."""

import json
import os
import subprocess
import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path

import cryptography
import pytest
from certified import ADDRESS, certificate_of, codes_on, pages_of, pdf_of, serve_long
from commands import shouwang
from credentialed import credential_of, list_at, status_of
from world import CENTRE, HOME, World

from ledger import exporting
from ledger.checking.certificates import encode_certificate
from ledger.checking.credentials import read_credential

PROGRAM = Path(__file__).parent.parent.parent / "scripts" / "verify_bundle"


@pytest.fixture
def town(tmp_path):
    home = tmp_path / "home"
    made = World(home, f"sqlite:///{home}/ledger.db")
    made.station(CENTRE, level="centre")
    made.station(HOME, "三联社区社会服务站", parent=CENTRE)
    made.person = made.volunteer(name="张敏")
    made.served = serve_long(made, made.person, 5)
    yield made
    made.check()
    made.close()


@pytest.fixture
def run(town, tmp_path):
    """Run the command; with --json give what it printed."""

    def ask(*arguments, code=0, address=ADDRESS):
        place = {"SHOUWANG_HOME": town.settings.home, "SHOUWANG_ADDRESS": address}
        said = shouwang("certificate", *arguments, cwd=tmp_path, **place)
        assert said.returncode == code, said.stdout + said.stderr
        return json.loads(said.stdout) if "--json" in arguments else said.stdout + said.stderr

    return ask


@pytest.fixture
def outside(town, tmp_path):
    """Run the outsider's program in a folder with the log's public key."""
    packages = tmp_path / "packages"
    packages.mkdir()
    for part in ("cryptography", "_cffi_backend*", "cffi"):
        for found in Path(cryptography.__file__).parent.parent.glob(part):
            (packages / found.name).symlink_to(found)
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -B "$@"\n')
    bare.chmod(0o755)
    (tmp_path / "vkey").write_text(town.ledger.signing.vkey + "\n")
    surroundings = {"PATH": os.environ["PATH"], "PYTHON": str(bare), "PYTHONPATH": str(packages), "LC_ALL": "C.UTF-8"}

    def ask(*arguments, code=0):
        command = [PROGRAM, "certificate", *map(str, arguments), "--vkey", "vkey"]
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path, env=surroundings)
        assert said.returncode == code, said.stdout + said.stderr
        assert "Traceback" not in said.stderr
        return json.loads(said.stdout) if "--json" in arguments else said.stdout + said.stderr

    return ask


def test_one_is_made_shown_printed_again_and_revoked(town, run, tmp_path):
    made = run("issue", town.person, "--from", "2020-01-03", "--out", "paper.pdf", "--json")
    assert "张敏" in pages_of((tmp_path / "paper.pdf").read_bytes())[0]
    shown = run("show", made["code"], "--json")
    assert (shown["state"], shown["number"], shown["minutes"], shown["minutes_today"]) == ("valid", made["number"], 360, 360)
    assert "有效" in run("show", made["number"])
    assert "PDF 已存到 again.pdf" in run("print", made["number"], "again.pdf")
    assert f"证明 {made['number']} 已撤销" in run("revoke", made["number"], "--reason", "时长抄错了")
    assert "时长抄错了" in run("show", made["number"], code=1)
    assert run("show", "340104-2020-000009", "--json", code=1) == {"state": "unknown"}
    assert "有一位抄错了" in run("show", made["code"][:-1] + ("3" if made["code"][-1] == "2" else "2"), code=2)
    assert "请设置 SHOUWANG_ADDRESS" in run("issue", town.person, "--out", "x.pdf", code=2, address="")


def test_a_character_without_a_glyph_stops_it_until_that_is_accepted(town, run):
    rare = town.volunteer(name="王𠮷")
    serve_long(town, rare, 1)
    assert "「𠮷」（U+20BB7）" in run("issue", rare, code=2)
    assert "证明 " in run("issue", rare, "--gaps")


def test_a_pdf_a_file_and_a_code_are_judged_without_us(town, outside, tmp_path):
    issued = town.certify(town.person)
    pdf = pdf_of(town, issued.number)
    (tmp_path / "paper.pdf").write_bytes(pdf)
    (tmp_path / "paper.json").write_bytes(encode_certificate(certificate_of(town, issued.number)))
    [code] = codes_on(pdf)
    for asked in (["paper.pdf"], ["paper.json"], ["--qr", code]):
        said = outside(*asked)
        assert said.startswith(f"通过：证明 {issued.number} 是真的")
        assert "张敏，志愿者编号" in said
        assert "7 小时 30 分" in said
        assert "有没有更正、撤销，要联网核验" in said
        assert outside(*asked, "--json")["certificate"]["minutes"] == 450
    (tmp_path / "wrong.json").write_bytes((tmp_path / "paper.json").read_bytes().replace("张敏".encode(), "李敏".encode()))
    assert "document" in outside("wrong.json", code=1)
    assert "二者选一" in outside("paper.pdf", "--qr", code, code=2)
    assert "二者选一" in outside(code=2)
    assert "不是证明上的二维码" in outside("--qr", "https://example.org/", code=2)
    front, _, slip = code.partition("#")
    forged = urlsafe_b64decode(slip + "=" * (-len(slip) % 4)).replace(b"minutes 450", b"minutes 950")
    assert "slip" in outside("--qr", f"{front}#{urlsafe_b64encode(forged).decode().rstrip('=')}", code=1)


def test_an_exported_log_tells_what_became_of_it(town, outside, tmp_path):
    issued = town.certify(town.person)
    pdf = pdf_of(town, issued.number)
    (tmp_path / "paper.pdf").write_bytes(pdf)
    asked = (["paper.pdf"], ["--qr", codes_on(pdf)[0]])

    def export(name):
        exporting.export_log(town.ledger, tmp_path / name)
        return name

    early = export("early")
    for one in asked:
        assert "没有撤销，也没有更正" in outside(*one, "--log", early)
    town.void(town.served[1])
    town.sign()
    for one in asked:
        assert f"签发后动过第 {town.served[1]} 条" in outside(*one, "--log", export("later"))
    town.revoke(issued.number, "时长抄错了")
    town.sign()
    for one in asked:
        assert "已撤销" in outside(*one, "--log", export("last"), code=1)
    young = town.certify(town.person)
    (tmp_path / "young.json").write_bytes(encode_certificate(certificate_of(town, young.number)))
    assert "查无此证，或这份账本比证明旧" in outside("young.json", "--log", early, code=1)
    bundle = tmp_path / "last" / "tile" / "entries"
    path = next(path for path in bundle.rglob("*") if path.is_file())
    path.write_bytes(path.read_bytes().replace("时长抄错了".encode(), "时长没抄错".encode()))
    assert "发现" in outside("paper.pdf", "--log", "last", code=1)


def test_a_credential_is_judged_without_us_and_its_status_list_tells_a_revocation(town, outside, run, tmp_path):
    number = town.certify(town.person).number
    for way in ("json", "jwt"):
        (tmp_path / f"mine.vc.{way}").write_bytes(credential_of(town, number, way))
        said = outside(f"mine.vc.{way}")
        assert said.startswith(f"通过：证明 {number} 是真的，由账本的钥匙签名：张敏")
        assert "有没有更正、撤销，要联网核验" in said
        assert outside(f"mine.vc.{way}", "--json")["certificate"]["minutes"] == 450
        (tmp_path / "status").write_bytes(status_of(town, number, way))
        assert "状态列表里没有撤销" in outside(f"mine.vc.{way}", "--status", "status")
    (tmp_path / "wrong.vc.json").write_bytes(credential_of(town, number).replace("张敏".encode(), "李敏".encode()))
    assert "签名不对" in outside("wrong.vc.json", code=2)
    (tmp_path / "paper.pdf").write_bytes(pdf_of(town, number))
    assert "--status 只用于可验证凭证" in outside("paper.pdf", "--status", "status", code=2)
    assert "要和可验证凭证的文件一起给" in outside("--qr", "x", "--status", "status", code=2)
    assert "状态列表读不出来" in outside("mine.vc.json", "--status", "mine.vc.json", code=2)
    assert "由新密钥签名：did:key:z6Mk" in rotate(town, "--credentials")
    assert "没有 --finish" in rotate(town, "--credentials", "--finish", code=2)
    (tmp_path / "new.vc.json").write_bytes(credential_of(town, number))
    assert (tmp_path / "new.vc.json").read_bytes() != (tmp_path / "mine.vc.json").read_bytes()
    town.revoke(number)
    town.sign()
    for name in ("mine.vc.json", "mine.vc.jwt", "new.vc.json"):
        listed = read_credential((tmp_path / name).read_bytes()).status_list
        (tmp_path / "status").write_bytes(list_at(town, listed))
        assert "certificate：应为 有效，实为 已撤销" in outside(name, "--status", "status", code=1)
    folder = tmp_path / "log"
    exporting.export_log(town.ledger, folder)
    assert "已撤销" in outside("mine.vc.jwt", "--log", folder, code=1)


def rotate(town, *arguments, code=0):
    said = shouwang("rotate-key", *arguments, SHOUWANG_HOME=town.settings.home)
    assert said.returncode == code, said.stdout + said.stderr
    return said.stdout + said.stderr


def test_a_credential_from_before_the_log_changed_its_key_is_judged_with_the_log(town, outside, tmp_path):
    number = town.certify(town.person).number
    (tmp_path / "old.vc.json").write_bytes(credential_of(town, number))
    town.rotate()
    town.sign()
    town.finish_rotation()
    (tmp_path / "vkey").write_text(town.ledger.signing.vkey + "\n")
    assert "账本的钥匙签名担保的凭证公钥" in outside("old.vc.json", code=1)
    exporting.export_log(town.ledger, tmp_path / "log")
    assert "没有撤销，也没有更正" in outside("old.vc.json", "--log", tmp_path / "log")
