"""What a volunteer's own page takes on the server: session, credit, notices and the page itself, without a network."""

import re
from datetime import datetime, timedelta

from ledger.ids import new_entry_id
from ledger.people import volunteers
from ledger.people.accounts import Accounts
from ledger.people.actors import OPERATOR
from ledger.people.volunteers import Registration
from ledger.service import recording
from ledger.service.drafts import Draft
from ledger.store import Ledger
from scripts import limits
from scripts.finding_benchmark import id_numbers

RECORDS = 100
_PASSWORD = "pingan-jiankang"  # noqa: S105 made and thrown away
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def seconds(ledger: Ledger, station: str, activity: str, times: int = 200) -> list[float]:
    """Register somebody, give them RECORDS services that count, sign them in, and ask for 「我的服务」 again and again."""
    from api.app import create_app  # here: the processes that a verification is measured in must not carry the web application

    number = _served(ledger, station, activity)
    accounts = Accounts(ledger)
    code = accounts.issue_code(OPERATOR, number)
    accounts.change_password(accounts.sign_in(number, code).actor.account, code, _PASSWORD)
    client = create_app(ledger, accounts=accounts).test_client()
    [token] = _TOKEN.findall(client.get("/sign-in").text)[:1]
    client.post("/sign-in", data={"csrf_token": token, "name": number, "password": _PASSWORD})
    shown = client.get("/credit/")
    assert shown.status_code == 200, shown.status
    assert shown.text.count('class="record"') == RECORDS
    return [limits.timed(lambda: client.get("/credit/").get_data()) for _ in range(times)]


def _served(ledger: Ledger, station: str, activity: str) -> str:
    """Give the number of somebody with RECORDS services, one a day, approved and publicised on paper before; of a kept town, the one who is there."""
    [id_number] = id_numbers(1)
    with ledger.read() as tx:
        if there := volunteers.find_by_id_numbers(tx, [id_number]):
            return str(there[id_number].row.number)
    person = Registration("测试", id_number, station, ledger.now().date(), "clerk")
    ledger.write(lambda tx: volunteers.register_many(tx, [person]), OPERATOR)
    with ledger.read() as tx:
        number = str(volunteers.find_by_id_numbers(tx, [id_number])[id_number].row.number)
    first, batch = datetime(2024, 3, 1, 9), new_entry_id()  # noqa: DTZ001 local times are naive
    starts = [first + timedelta(days=day) for day in range(RECORDS)]
    drafts = [
        Draft(number, activity, station, at, at + timedelta(minutes=90), "B", batch, id=new_entry_id(), settled=True) for at in starts
    ]
    ledger.write(lambda tx: recording.record_each(tx, [(OPERATOR, draft) for draft in drafts]), OPERATOR)
    return number
