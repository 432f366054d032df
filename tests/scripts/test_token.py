"""shouwang token: a key for another system, from its issue to its end."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).parent / "shouwang"


@pytest.fixture
def shouwang(tmp_path, initialised):
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("SHOUWANG_")}

    def run(*words):
        return subprocess.run(
            [PROGRAM, *words], env=surroundings | {"SHOUWANG_HOME": str(tmp_path)}, capture_output=True, text=True, timeout=120, check=False
        )

    initialised(tmp_path)
    assert run("account", "add", "inspector", "--role", "auditor").returncode == 0
    return run


def test_a_token_is_issued_listed_and_revoked(shouwang):
    said = shouwang("token", "issue", "inspector", "--scope", "entries:read", "--scope", "log:read", "--days", "7", "--json")
    issued = json.loads(said.stdout)
    assert issued["token"].startswith("sw_")
    assert issued["scopes"] == ["entries:read", "log:read"]
    [listed] = json.loads(shouwang("token", "list", "--json").stdout)["tokens"]
    assert (listed["login"], listed["state"], listed["last_used_at"]) == ("inspector", "good", None)
    assert issued["token"] not in shouwang("token", "list", "--json").stdout
    assert shouwang("token", "revoke", listed["id"]).returncode == 0
    assert "已撤销" in shouwang("token", "list").stdout


def test_what_the_role_may_not_do_is_said_and_nothing_issued(shouwang):
    refused = shouwang("token", "issue", "inspector", "--scope", "service-records:write")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "审计员" in refused.stderr
    assert json.loads(shouwang("token", "list", "--json").stdout)["tokens"] == []
