"""The operator's commands: another key, the policy that tells of it, a backup and the way back. On SQLite, as they are typed."""

import json
import shutil
from pathlib import Path

import pytest
from commands import shouwang

from ledger.signing import Verifier
from ledger.trust_policy import parse_policy


class Desk:
    """A folder with a ledger and the command."""

    def __init__(self, folder):
        self.folder = folder
        self.run("checkpoint")

    def run(self, *arguments, code=0, home="var", **surroundings):
        said = shouwang(*arguments, cwd=self.folder, SHOUWANG_HOME=self.folder / home, **surroundings)
        assert said.returncode == code, said.stdout + said.stderr
        assert "Traceback" not in said.stderr
        return said

    def answer(self, *arguments, **options):
        return json.loads(self.run(*arguments, "--json", **options).stdout)


@pytest.fixture
def desk(tmp_path, initialised):
    initialised(tmp_path / "var")
    return Desk(tmp_path)


def test_the_key_is_changed_and_outsiders_follow(desk, judge):
    vkey = desk.answer("checkpoint")["vkey"]
    said = desk.answer("rotate-key")
    assert (said["index"], len(said["vkeys"]), said["vkeys"][1]) == (3, 2, vkey), (
        "after the policy, the administrator and whose that account is"
    )
    logs = [one.verifier.vkey for one in parse_policy(desk.run("policy").stdout.encode()).logs]
    assert logs == said["vkeys"] == (desk.folder / "var/keys/log.vkey").read_text().split()
    assert "--finish" in desk.run("rotate-key", code=2).stderr
    desk.run("export-log", "out")
    for key in said["vkeys"]:
        verdict = judge("tiles", key, desk.folder / "out")
        assert verdict.ok, verdict.text
    assert "旧密钥已停用" in desk.run("rotate-key", "--finish").stdout
    desk.run("policy", "--out", "trust")
    assert [one.verifier for one in parse_policy((desk.folder / "trust").read_bytes()).logs] == [Verifier.from_vkey(said["vkeys"][0])]
    assert (desk.folder / "var/keys/retired/log-signing.pem").exists()
    assert desk.answer("verify")["ok"]
    desk.run("export-log", "out")
    assert judge("tiles", said["vkeys"][0], desk.folder / "out").ok


def test_destroying_the_old_key_goes_with_the_end_of_a_change(desk):
    assert "--finish" in desk.run("rotate-key", "--destroy", code=2).stderr
    desk.run("rotate-key")
    assert "已删除" in desk.run("rotate-key", "--finish", "--destroy").stdout
    assert not (desk.folder / "var/keys/retired/log-signing.pem").exists()


def test_a_backup_comes_back_and_an_older_one_signs_nothing(desk):
    size = desk.answer("backup", "one.backup", "--with-key-store")["size"]
    assert (desk.folder / "one.backup.key-store").exists()
    assert "不会覆盖" in desk.run("backup", "one.backup", code=2).stderr
    assert "--force" in desk.run("restore", "one.backup", code=2).stderr
    restored = desk.answer("restore", "one.backup", "--force")
    assert (restored["size"], restored["behind"]) == (size, None)
    assert Path(restored["kept"]).name.endswith(".before-restore")
    desk.run("rotate-key")
    said = desk.run("restore", "one.backup", "--force")
    assert "只能查阅" in said.stderr
    assert "SHOUWANG_ORIGIN" in desk.run("checkpoint", code=2).stderr
    newest = max((desk.folder / "var").glob("*.before-restore"), key=lambda path: path.stat().st_size)
    assert newest.exists()


def test_a_lost_machine_is_set_up_again_from_its_parts(desk):
    """Keys, key store and guard from where they are kept apart, the rest from the backup."""
    desk.run("backup", "one.backup")
    shutil.copytree(desk.folder / "var/keys", desk.folder / "new/keys")
    for name in ("key-store.db", "last-signed.db"):
        shutil.copy(desk.folder / "var" / name, desk.folder / "new")
    desk.run("restore", "one.backup", home="new")
    assert desk.answer("verify", home="new")["ok"]
    desk.run("rotate-key", home="new")


def test_a_file_that_is_no_backup_is_refused_in_words(desk):
    (desk.folder / "letter").write_text("亲启")
    assert "不是守望账本的备份" in desk.run("restore", "letter", "--force", code=2).stderr
    assert desk.answer("verify")["ok"]


def test_a_restricted_role_is_for_postgresql(desk):
    assert "SQLite" in desk.run("database-role", "clerk", code=2).stderr
