"""shouwang token: a key for another system, from its issue to its end."""

import json

import commands
import pytest


@pytest.fixture
def shouwang(tmp_path, initialised):
    def run(*words):
        return commands.shouwang(*words, SHOUWANG_HOME=tmp_path)

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
