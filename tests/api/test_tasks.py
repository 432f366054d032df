"""「任务清单」: an approver gives a task, the station writes what came of it."""

import re

STATION = "340104001004"
TASK = {"unit": STATION, "title": "建立一个孵化基地", "due_on": "2025-11-30", "basis": "工作方案附件五"}


def test_a_task_is_given_and_done_on_the_page(world):
    centre, clerk = world.visitor("approver"), world.visitor("recorder")
    assert "交一项任务" not in clerk.get("/tasks/").text
    assert clerk.post("/tasks/", TASK).status_code == 403
    refused = centre.post("/tasks/", TASK | {"due_on": "2025-11-01"})
    assert (refused.status_code, "今天或以后" in refused.text, 'value="工作方案附件五"' in refused.text) == (400, True, True)
    assert centre.post("/tasks/", TASK).status_code == 302
    page = clerk.get("/tasks/").text
    assert "建立一个孵化基地" in page
    assert "交来一项任务" in clerk.get("/notices/").text
    link = re.search(r'action="(/tasks/\w+/done)"', page)[1]
    wrong = clerk.post(link, {"done_on": "2025-11-03", "result": ""})
    assert (wrong.status_code, "请写明办理结果" in wrong.text) == (400, True)
    assert clerk.post(link, {"done_on": "2025-11-03", "result": "已建成"}).status_code == 302
    assert "按时办了 1" in centre.get("/tasks/").text


def test_another_stations_task_is_not_shown_and_not_done(world):
    centre, clerk = world.visitor("approver"), world.visitor("recorder")
    centre.post("/tasks/", TASK | {"unit": "340104001001"})
    link = re.search(r'action="(/tasks/\w+/done)"', centre.get("/tasks/").text)[1]
    assert "孵化基地" not in clerk.get("/tasks/").text
    assert clerk.post(link, {"done_on": "2025-11-03", "result": "已建成"}).status_code == 403
