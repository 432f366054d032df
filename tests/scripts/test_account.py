"""shouwang account: roles given and ended at the machine, second factors required and reset, all of it in the log."""

import json

import commands
import pytest


@pytest.fixture
def shouwang(tmp_path, initialised):
    def run(*words, code=0):
        said = commands.shouwang(*words, SHOUWANG_HOME=tmp_path)
        assert said.returncode == code, said.stderr
        return said.stdout + said.stderr

    initialised(tmp_path)
    return run


def grants(shouwang, login):
    accounts = json.loads(shouwang("account", "list", "--json"))["accounts"]
    return next([(held["role"], held["station"]) for held in one["grants"]] for one in accounts if one["login"] == login)


def test_the_first_administrator_is_made_once(shouwang):
    assert grants(shouwang, "admin") == [("administrator", None)]
    assert json.loads(shouwang("init", "--json"))["administrator_code"] is None


def test_roles_are_given_and_ended_and_the_log_verifies(shouwang):
    assert "72 小时" in shouwang("account", "add", "li", "--role", "official")
    assert "已入账" in shouwang("account", "ungrant", "li", "--role", "official", "--reason", "退休")
    assert grants(shouwang, "li") == []
    assert "区级管理员（全区）" in shouwang("account", "grant", "li", "--role", "official")
    assert "区级管理员（全区）" in shouwang("account", "list")
    assert "已经有这个角色" in shouwang("account", "grant", "li", "--role", "official", code=2)
    assert "兼任" in shouwang("account", "grant", "li", "--role", "auditor", code=2)
    assert json.loads(shouwang("verify", "--json"))["ok"]


def test_an_account_is_shut_opened_and_given_a_new_code(shouwang):
    shouwang("account", "add", "li", "--role", "official")
    shouwang("account", "disable", "li")
    assert "是" in shouwang("account", "list").split("li", 1)[1]
    shouwang("account", "enable", "li")
    assert "一次性密码" in shouwang("account", "reset", "li")
    assert "没有登录名为" in shouwang("account", "reset", "nobody", code=2)
    shouwang("account", "disable", "admin")  # the operator may: whoever has the machine can make another


def test_nobody_waits_whom_the_operator_made(shouwang):
    shouwang("account", "add", "li", "--role", "official")
    assert "当面核实" not in shouwang("account", "list")
    assert "不用核实" in shouwang("account", "vouch", "li", code=2)
    assert "没有登录名为" in shouwang("account", "vouch", "nobody", code=2)


def test_second_factors_are_required_by_role_and_reset_by_account(shouwang):
    assert shouwang("account", "second-factor").strip().endswith("没有")
    assert "审计员、系统管理员" in shouwang("account", "second-factor", "--require", "administrator", "--require", "auditor")
    assert "已重置" in shouwang("account", "second-factor", "--reset", "admin")
    assert shouwang("account", "second-factor", "--require-none").strip().endswith("没有")
