"""「指标表」: anybody reads which set is in force; one official proposes another, a second one confirms it."""

import io
import json
import re

from ledger.people.actors import OPERATOR

PASSWORD = "correct horse battery"
OWN = {"name": "本区指标", "indicators": [{"id": "teams", "name": "组织", "numerator": {"count": "organisations"}}]}


def link(page, verdict):
    found = re.search(rf'action="(/indicator-sets/\w+/{verdict})"', page)
    return found[1] if found else None


def test_one_official_proposes_and_another_confirms(world):
    world.accounts.create(OPERATOR, "second", "official", password=PASSWORD)
    first, second = world.visitor("official"), world.visitor("second")
    public = world.visitor()
    assert "合肥市蜀山区五社联动实施意见（2019）" in public.get("/indicator-sets/").text
    assert "<h2>换一张</h2>" not in public.get("/indicator-sets/").text
    assert first.post("/indicator-sets/", {"shipped": "guangzhou-2021", "effective_on": "2025-11-10"}).status_code == 302
    assert link(first.get("/indicator-sets/").text, "confirm") is None
    page = second.get("/indicator-sets/").text
    assert "等第二个人确认：社区社会组织行动目标" in page
    assert second.post(link(page, "confirm")).status_code == 302
    assert "将从 2025年11月10日起用" in public.get("/indicator-sets/").text
    world.clock.move(days=10)
    assert "两人办理" in public.get("/indicator-sets/").text
    file = public.get("/indicator-sets/in-force.json").json
    assert file == public.get("/indicator-sets/guangzhou-2021.json").json
    assert "品牌社区社会组织" in public.get("/indicators/?year=2025").text


def test_a_file_of_ones_own_is_read_and_what_is_wrong_with_it_is_said(world):
    official = world.visitor("official")
    own = lambda said: {"file": (io.BytesIO(said), "own.json"), "effective_on": "2025-11-10"}  # noqa: E731

    def hand_in(said):
        return official.client.post("/indicator-sets/", data=said | {"csrf_token": official.token()}, content_type="multipart/form-data")

    wrong = hand_in(own(b"{"))
    assert (wrong.status_code, "不是 JSON：第 1 行" in wrong.text, 'value="2025-11-10"' in wrong.text) == (400, True, True)
    assert "两样里选一样" in official.post("/indicator-sets/", {"effective_on": "2025-11-10"}).text
    both = hand_in(own(json.dumps(OWN).encode()) | {"shipped": "leshan-2022"})
    assert "两样里选一样" in both.text
    assert hand_in(own(json.dumps(OWN).encode())).status_code == 302
    page = official.get("/indicator-sets/").text
    assert "等另一位区级管理员确认" in page
    assert official.post(link(page, "decline")).status_code == 302
    assert link(official.get("/indicator-sets/").text, "decline") is None
    assert world.visitor().get("/indicator-sets/nothing.json").status_code == 404
