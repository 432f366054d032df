"""Every example on the page of the API is a command that works as it stands there, and its answer is what the description says."""

import html
import json
import re
import shlex
from datetime import datetime
from types import SimpleNamespace

import pytest
import schemathesis
from world import CENTRE, CLERK, HOME

from api.v1 import examples
from ledger import parked
from ledger.activities import Activity
from ledger.certificates import credential_keys
from ledger.ids import new_entry_id
from ledger.parked import Parked
from ledger.people import confirmations
from ledger.people.actors import OPERATOR, Actor
from ledger.people.tokens import ACTIONS
from ledger.selections import doubts, drafts, freezing, objecting, publishing
from ledger.service import objections


@pytest.fixture(params=["sqlite"])
def founded_url(request, tmp_path):
    """No question here is the database's."""
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
def lived_in(desk):
    """The town, with one of everything that an example names; gives real values for what stands in the examples."""
    town = desk.town
    for role in ("approver", "official", "administrator"):
        desk.accounts.create(OPERATOR, role, role, station=CENTRE if role == "approver" else None, password="correct horse battery")
    person = next(iter(town.people))
    served = [town.serve(person, f"2025-01-{day:02} 09:00", "11:00").index for day in (6, 7, 8)]
    unit = town.organisation(name="梅山路巧手社", number="备0002")
    activity = town.activity(title="义诊", organisation=unit)
    what = Activity(HOME, "邻里守望", "neighbour-care", start="2025-01-09T09:00", end="2025-01-09T10:00")
    start, end = datetime(2025, 1, 9, 9), datetime(2025, 1, 9, 10)
    rows = [Parked("王五", "11010519491231002X", what, start, end, "B", False, "ab" * 32, row) for row in (5, 6)]
    town.write(lambda tx: parked.park(tx, rows))
    with town.read() as tx:
        waiting = [row.id for row in parked.waiting(tx, [HOME])]
    objected = town.serve(person, "2025-01-10 09:00", "11:00").index
    said = Actor("own", "volunteer", None, person)
    objection = town.write(lambda tx: objections.contest(tx, objected, "absent"), said).index
    others = [town.volunteer(name=name) for name in ("李秀英", "王海燕", "陈桂兰")]
    paper = "A" * 43 + "="
    matters = [town.write(lambda tx, one=one: confirmations.on_paper(tx, one, paper), CLERK) for one in others[:2]]
    town.serve(person, "2024-12-30 09:00", "11:00", settled=True)
    town.serve(person, "2025-01-02 15:00", "16:00", activity=activity)
    certificate = town.certify(person).number
    town.publish_rates(2025)
    selections, doubts_ = selecting(town, person)
    town.sign()
    everywhere = desk.issue("official", *[scope for scope, action in ACTIONS.items() if action in _OFFICIAL])
    hooks = [
        desk.client.post("/api/v1/webhooks", json={"url": f"https://example.org/{n}"}, headers=desk.headers(everywhere)).json["id"]
        for n in range(2)
    ]
    return SimpleNamespace(
        person=person,
        served=served,
        unit=unit,
        activity=activity,
        waiting=waiting,
        hooks=hooks,
        town=town,
        objection=objection,
        other=others[2],
        matters=matters,
        certificate=certificate,
        selections=selections,
        doubts=doubts_,
        today=town.today.isoformat(),
        status_key=credential_keys.keys(town.ledger.settings)[0].multikey,
    )


def selecting(town, person):
    """Selections as far as the examples name them, and the records and the objection that wait in them."""
    served = [town.serve(person, f"2025-01-{day} 09:00", "11:00", settled=True).index for day in (13, 14, 15)]

    def draft(**said):
        rules = json.dumps({"name": "优秀志愿者", "quota": 3, "tie_break": ["minutes_ab"], "publicity_days": 1} | said).encode()
        return town.write(lambda tx: drafts.save(tx, None, HOME, 2025, rules, "双色球" if "random" in said.get("tie_break", ()) else ""))

    def public(selection):
        town.write(lambda tx: publishing.publish(tx, selection), OPERATOR)

    made = {examples.DRAFT: draft(), examples.READY: draft(), examples.FROZEN: draft(tie_break=["random"])}
    made |= {name: draft() for name in (examples.RANKED, examples.PUBLIC, examples.ENDED)}
    for name in (examples.FROZEN, examples.RANKED, examples.PUBLIC, examples.ENDED):
        freezing.freeze(town.ledger, OPERATOR, made[name])
    for service in served[1:]:
        town.write(lambda tx, one=service: doubts.propose(tx, made[examples.FROZEN], one, "keep", "对照签到表查过"), OPERATOR)
    public(made[examples.ENDED])
    town.advance(days=5)
    public(made[examples.PUBLIC])
    objection = town.write(lambda tx: objecting.contest(tx, made[examples.PUBLIC], "hours"), OPERATOR).index
    named = (examples.DOUBTED, examples.PROPOSED, examples.WITHDRAWN, examples.LIST_OBJECTION)
    return made, dict(zip(map(str, named), map(str, (*served, objection)), strict=True))


NEW = "340104001009"
_OFFICIAL = ("see_station", "approve", "amend", "register", "set_up", "select", "manage_webhooks", "run_selection")


def real(label, one, text):
    """Put real values in the place of those that stand in an example."""
    found = {
        examples.STATION: NEW if label == "POST /stations" else HOME,
        examples.VOLUNTEER: one.person,
        examples.ACTIVITY: one.activity,
        examples.ORGANISATION: one.unit,
        examples.CERTIFICATE: one.certificate,
        examples.WEBHOOK: one.hooks[0] if label.startswith("DELETE") else one.hooks[1],
        examples.ROW: one.waiting[0] if label.startswith("DELETE") else one.waiting[1],
        examples.KEY: new_entry_id(),
        examples.OTHER: one.other,
        examples.ACCEPTED: one.matters[0],
        examples.REFUSED: one.matters[1],
        str(examples.OBJECTION): str(one.objection),
        examples.DRAWN_ON: one.today,
        examples.STATUS_KEY: one.status_key,
        **one.selections,
        **one.doubts,
        **dict(zip(map(str, (examples.APPROVED, examples.CORRECTED, examples.VOIDED)), map(str, one.served), strict=True)),
    }
    longest_first = sorted(found, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), lambda stands: found[stands[0]], text)


def as_a_shell_reads(command):
    """Method, address, headers and body of a curl command."""
    words = iter(shlex.split(command.replace("\\\n", " ").replace('"Authorization: Bearer $TOKEN"', "'Authorization: Bearer $TOKEN'")))
    assert next(words) == "curl"
    said = {"headers": {}, "data": None}
    for word in words:
        if word == "-X":
            said["method"] = next(words)
        elif word == "-H":
            name, value = next(words).split(": ", 1)
            said["headers"][name] = value
        elif word == "-d":
            said["data"] = next(words)
        else:
            said["path"] = word.removeprefix("http://localhost")
    return said


def test_every_operation_has_an_example_that_works_and_is_answered_as_described(desk, lived_in):
    page = desk.client.get("/api/").text
    shown = re.findall(
        r'<b>(\w+)</b> (/api/v1[^<]*)</code>.*?(?:有 <code>([^<]+)</code>|对任何人开放).*?<pre class="example"[^>]*><code>(.*?)</code>',
        page,
        re.DOTALL,
    )
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", desk.app)
    operations = {operation.ok().label: operation.ok() for operation in schema.get_all_operations()}
    assert {f"{method} {path}" for method, path, _, _ in shown} == set(operations)
    assert len(shown) == len(examples.EXAMPLES)
    answered = set()
    for method, path, scope, command in shown:
        label = f"{method} {path.removeprefix('/api/v1')}"
        said = as_a_shell_reads(real(label, lived_in, html.unescape(command)))
        if scope:
            action = ACTIONS.get(scope)
            login = {"read_log": "inspector", "manage_accounts": "administrator", "record": "desk", "approve": "approver"}.get(
                action, "official"
            )
            said["headers"]["Authorization"] = f"Bearer {desk.issue(login, scope)}"
        assert said["method"] == method
        answer = desk.client.open(said["path"], method=method, headers=said["headers"], data=said["data"])
        assert answer.status_code in (200, 201, 204), (label, answer.status_code, answer.text)
        operations[f"{method} {path}"].validate_response(answer)
        answered.add(label)
    assert answered == set(examples.EXAMPLES)
