"""A selection run over the API by two programs' accounts, from its rules to the signed list; what takes two takes two accounts."""

from base64 import b64encode

import pytest
from world import CENTRE, HOME, OTHER

from ledger.ids import new_entry_id
from ledger.people.actors import OPERATOR

RULES = {"name": "优秀志愿者", "quota": 1, "tie_break": ["minutes_ab", "random"], "publicity_days": 1}


class Program:
    """What an account's token does about one selection after another."""

    def __init__(self, desk, login, role, station):
        desk.accounts.create(OPERATOR, login, role, station=station, password="correct horse battery")
        self.desk, self.token = desk, desk.issue(login, "selections:write")

    def get(self, path="", status=200):
        answer = self.desk.get(f"/selections{path}", token=self.token)
        assert answer.status_code == status, answer.text
        return answer.json

    def post(self, path, said=None, status=201, key=None):
        headers = self.desk.headers(self.token, Idempotency_Key=key or new_entry_id())
        answer = self.desk.client.post(f"/api/v1/selections{path}", json=said, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json


@pytest.fixture
def li(desk):
    return Program(desk, "li", "official", None)


@pytest.fixture
def qian(desk):
    return Program(desk, "qian", "approver", CENTRE)


@pytest.fixture
def people(world):
    """Two with equal hours, all settled, the second of them with one more record at night."""
    first, second = next(iter(world.people)), world.volunteer(name="王芳")
    world.serve(first, "2025-01-06 09:00", "11:00", settled=True)
    world.serve(first, "2025-01-07 09:00", "11:00", settled=True)
    world.serve(second, "2025-01-06 13:00", "15:00", settled=True)
    night = world.serve(second, "2025-01-07 23:00", "23:59", settled=True).index
    world.advance(days=1)
    return first, second, night


def test_two_accounts_take_a_selection_through_its_steps(world, li, qian, people):  # noqa: PLR0915 one story
    first, second, night = people
    wrong = li.post("", {"station": CENTRE, "year": 2025, "rules": RULES | {"quota": 0}}, 422)
    assert wrong["errors"][0]["pointer"] == "#/rules"
    assert "「quota」不对" in wrong["errors"][0]["detail"]
    said = {"station": CENTRE, "year": 2025, "rules": RULES, "random_source": "冻结后第一期双色球"}
    here = "/" + li.post("", said)["id"]
    li.post(f"{here}/versions", {"year": 2025, "rules": RULES | {"quota": 2}, "random_source": "冻结后第一期双色球"})
    assert qian.get(here)["version"] == 2
    assert qian.get(f"{here}/ranking", 409)["detail"].startswith("这次评选还没有冻结")
    key = new_entry_id()
    frozen = li.post(f"{here}/freezes", key=key)
    assert li.post(f"{here}/freezes", status=200, key=key) == frozen, "the answer of the first time"
    assert li.post(f"{here}/versions", said | {"station": None}, 422)
    assert "已经冻结" in li.post(f"{here}/versions", {"year": 2025, "rules": RULES, "random_source": "x"}, 409)["detail"]
    shown = qian.get(here)
    assert (shown["index"], shown["rules"]["quota"], shown["stage"]) == (frozen["index"], 2, "已冻结")

    assert qian.get(f"{here}/checks?light=green")["counts"] == {"green": 2, "amber": 0, "red": 0}
    [doubt] = [one for one in li.get(f"{here}/doubts")["items"] if one["service"] == night]
    assert (doubt["reasons"], doubt["subject"], doubt["name"]) == (["夜间"], second, "王*")
    judged = f"{here}/doubts/{night}"
    assert li.post(f"{judged}/proposals", {"finding": "drop", "reason": "签到表上没有"}) == {"service": night}
    assert "要由另一个人来确认" in li.post(f"{judged}/confirmations", status=403)["detail"]
    assert qian.get(f"{here}/doubts")["items"][0]["proposal"] == {"finding": "drop", "reason": "签到表上没有", "own": False}
    li.post(f"{judged}/withdrawals")
    li.post(f"{judged}/proposals", {"finding": "drop", "reason": "签到表上没有"})
    qian.post(f"{judged}/confirmations")

    assert li.get(f"{here}/ranking")["undrawn"]
    assert "公开随机数" in li.post(f"{here}/publications", status=422)["detail"]
    world.advance(days=1)
    li.post(f"{here}/draws", {"value": "8", "drawn_on": world.today.isoformat()})
    ranked = li.get(f"{here}/ranking")
    assert [(one["volunteer"], one["minutes"]) for one in ranked["chosen"]] == [(first, 240), (second, 120)]
    li.get(f"{here}/publications", 404)
    li.post(f"{here}/publications")
    public = qian.get(f"{here}/publications")
    assert (public["list"], [one["row"] for one in public["items"]]) == (ranked["list"], [1, 2])

    index = li.post(f"{here}/objections", {"ground": "unfit", "row": 2, "words": "他那天不在"})["index"]
    [objection] = qian.get(f"{here}/objections")["items"]
    assert (objection["index"], objection["row"], "words" in objection) == (index, 2, False)
    deed = {"finding": "upheld", "reason": "那天确实不在", "bar": [second]}
    assert "要由另一个人来决定" in li.post(f"{here}/objections/{index}/decisions", deed, 403)["detail"]
    other = "/" + li.post("", said)["id"]
    li.post(f"{other}/freezes")
    assert "没有这条异议" in qian.post(f"{other}/objections/{index}/decisions", deed, 404)["detail"]
    qian.post(f"{here}/objections/{index}/decisions", deed)
    assert qian.get(f"{here}/objections")["items"][0]["effect"] == {"bar": [second]}

    assert "公示期满以后" in li.post(f"{here}/signatures", {}, 422)["detail"]
    world.advance(days=10)  # across the Spring Festival
    paper = b64encode(b"m" * 32).decode()
    assert "名单刚刚变了" in li.post(f"{here}/signatures", {"list": ranked["list"]}, 409)["detail"], "somebody was taken off since"
    mine = {"board_minutes": paper, "list": li.get(f"{here}/ranking")["list"]}
    assert li.post(f"{here}/signatures", mine) == {"sealed": False}
    assert "已经签过了" in li.post(f"{here}/signatures", {}, 403)["detail"]
    assert qian.post(f"{here}/signatures", {})["sealed"]
    done = li.get(here)
    assert (done["stage"], done["chosen"], done["list"]) == ("已定稿", 1, li.get(f"{here}/ranking")["list"])
    stages = {one["id"]: one["stage"] for one in qian.get()["items"]}
    assert stages == {here[1:]: "已定稿", other[1:]: "已冻结"}


def test_a_selection_of_another_unit_is_not_there(desk, li, people):
    away = Program(desk, "away", "approver", OTHER)
    here = "/" + li.post("", {"station": HOME, "year": 2025, "rules": RULES, "random_source": "双色球"})["id"]
    assert away.get()["items"] == []
    li.post(f"{here}/freezes")
    for path in ("", "/ranking", "/doubts", "/checks", "/objections", "/publications"):
        away.get(here + path, 404)
    away.post(f"{here}/freezes", status=404)
    away.post(f"{here}/publications", status=404)
    assert away.post("", {"station": HOME, "year": 2025, "rules": RULES, "random_source": "双色球"}, 403)
