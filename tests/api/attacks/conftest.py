"""A street on which everything that an address can name exists at one station, and people of the next station who try to reach it."""

from datetime import date, datetime
from types import SimpleNamespace

import filings
import pytest
from town import person as somebody

from ledger import evidence, imports, organisations, parked, spot_checks, webhooks
from ledger.activities import Activity, find_or_publish
from ledger.certificates.documents import Wish
from ledger.certificates.issuing import certify
from ledger.duties import papers, tasks
from ledger.filing import asking
from ledger.filing import drafts as filing_drafts
from ledger.handing_over import asking as handing_over
from ledger.ids import new_entry_id
from ledger.log import Fact
from ledger.organisations import Filing
from ledger.people import changes, erasures, volunteers, withdrawals
from ledger.people.actors import OPERATOR, Actor
from ledger.people.tokens import Tokens
from ledger.people.volunteers import Registration
from ledger.selections import drafts, freezing, publishing
from ledger.service import omissions
from ledger.service.drafts import Draft
from ledger.service.omissions import Claim
from ledger.service.recording import record_many

CENTRE, STATION, NEXT_STATION = "340104001000", "340104001004", "340104001001"
PASSWORD = "correct horse battery"
DISOWNER, NEIGHBOUR = "340102195001010024", "340102195001010032"
UNKNOWN = somebody("钱多", date(1961, 7, 8), 5).id_number
EVENT = {"station": STATION, "title": "看望独居老人", "series": "neighbour-care", "place": "竹荫里 12 号", "responsible": "recorder"}
EVENT |= {"start": "2025-11-03T10:00", "end": "2025-11-03T12:00", "group_elderly": "20", "services": ["companionship"]}
EVENT |= {"declared": "1", "do": "publish"}
NEXT = {"next-recorder": "recorder", "next-approver": "approver", "next-official": "official"}


@pytest.fixture
def objects(world, person, recorded, upload, sheet):
    """Everything that can be named, at STATION; the clerks of NEXT_STATION and a volunteer there are signed up as well."""
    ledger, today = world.ledger, world.clock.now.date()
    clerk = Actor(account_of(world, "recorder"), "recorder", STATION)
    page = upload(world.visitor("recorder"), sheet, "again.xlsx")
    people = [
        Registration("郑重", DISOWNER, STATION, today, "clerk"),
        Registration("孙立", NEIGHBOUR, NEXT_STATION, today, "clerk"),
    ]
    disowner, neighbour = ledger.write(lambda tx: volunteers.register_many(tx, people), OPERATOR)
    ledger.write(lambda tx: withdrawals.withdraw(tx, disowner, "not_me"), Actor("own", "volunteer", None, disowner))
    matter = ledger.write(lambda tx: changes.propose(tx, person.number, {"name": "张三丰"}, "抄错了", None), clerk)
    asked = ledger.write(lambda tx: erasures.ask(tx, person.number, "own_wish"), clerk)
    missing = Claim(STATION, date(2025, 10, 20), "none")
    omission = ledger.write(lambda tx: omissions.claim(tx, person.number, missing), clerk).index
    hook = ledger.write(lambda tx: webhooks.register(tx, "https://example.org/hooks", private=False, station=STATION), OPERATOR).id
    unit = ledger.write(
        lambda tx: organisations.record_many(tx, [Filing("备9", "竹荫里巧手社", "charity", True, STATION, True, today)])[0], OPERATOR
    )
    filing, filing_draft = filed(ledger, clerk)
    rows = "姓名,身份证号,站点编码,活动名称,活动系列,开始时间,结束时间,服务时长（小时）,来源\n"
    rows += f"钱多,{UNKNOWN},{STATION},巡逻,平安建设,2025-10-01 09:00,2025-10-01 10:00,1,原平台\n"
    assert imports.run(ledger, "hours", rows.encode(), "旧平台.csv", clerk).parked
    certificate = certified(world, person.number)
    with ledger.read() as tx:
        row = parked.waiting(tx, [STATION])[0].id
        activity = tx.connection.exec_driver_sql(f"SELECT activity FROM service WHERE entry_index = {recorded[0][0]}").scalar()
    for login, role in NEXT.items():
        world.accounts.create(OPERATOR, login, role, station=NEXT_STATION, password=PASSWORD)
    code = world.accounts.issue_code(OPERATOR, neighbour)
    account = world.accounts.sign_in(neighbour, code).actor.account
    world.accounts.change_password(account, code, "pingan-jiankang")
    clerk_account = account_of(world, "recorder")
    at_desk = world.visitor("recorder")
    draft = at_desk.post("/logging/", {"station": STATION, "activity": activity}).location.rsplit("/", 1)[1]
    event = at_desk.post("/activities/new", EVENT).location.rsplit("/", 1)[1]
    assert at_desk.post(f"/activities/{event}/desk/open").status_code == 302
    plan = at_desk.post("/activities/new", {**EVENT, "start": "2025-11-20T10:00", "end": "2025-11-20T12:00", "do": "save"}).location
    evidence.attach(ledger, clerk, draft, b"\xff\xd8\xff\xe0 a photo of the sheet")
    with ledger.read() as tx:
        photo = tx.connection.exec_driver_sql("SELECT id FROM evidence").scalar()
    rules = b'{"name": "x", "quota": 1, "tie_break": ["minutes_ab"]}'
    selection = ledger.write(lambda tx: drafts.save(tx, None, STATION, 2024, rules), OPERATOR)
    freezing.freeze(ledger, OPERATOR, selection)
    ledger.write(lambda tx: publishing.publish(tx, selection), OPERATOR)
    written = {"news": "两个队伍换届", "results": "探望 30 人次"}
    paper = ledger.write(lambda tx: papers.hand_in(tx, "station-report", STATION, f"{today:%Y-%m}", written), clerk).index
    task = ledger.write(lambda tx: tasks.assign(tx, STATION, "建孵化基地", "2025-12-31", "工作方案"), OPERATOR)
    handover = ledger.write(lambda tx: handing_over.ask(tx, STATION, f"{today:%Y-%m}-01", today.isoformat(), "每月报送"), OPERATOR)
    ledger.sign_now()
    spot_check, announced = ledger.write(lambda tx: spot_checked(ledger, tx), OPERATOR)
    Tokens(ledger).issue(OPERATOR, "recorder", ["log:read"], today)
    return SimpleNamespace(
        index=recorded[0][0],
        draft=draft,
        evidence=photo,
        event=event,
        filing=filing,
        handover=handover,
        task=task,
        spot_check=spot_check,
        announced=announced,
        filing_draft=filing_draft,
        plan=plan.partition("plan=")[2],
        account=clerk_account,
        batch=recorded[0][3],
        upload=page.rsplit("/", 1)[1],
        number=person.number,
        disowner=disowner,
        neighbour=neighbour,
        matter=matter,
        selection=selection,
        paper=paper,
        asked=asked,
        omission=omission,
        hook=hook,
        organisation=unit,
        activity=activity,
        row=row,
        token=next(one.id for one in Tokens(ledger).everyone(OPERATOR) if one.login == "recorder"),
        certificate=certificate,
        session_id=world.accounts.sessions_of(clerk_account)[0].id,
    )


def filed(ledger, clerk):
    """An application that was handed in, and one being filled in."""
    said = filings.form(name="竹荫里社区夕阳红志愿服务队", charter_on="2025-10-01", declared_on="2025-11-02")
    filing, _ = ledger.write(lambda tx: asking.ask(tx, "file", STATION, said), clerk)
    return filing, filing_drafts.begin(ledger, clerk, "file", STATION)


def spot_checked(ledger, tx):
    """One record of the street drawn and found true, as the log holds it when its number is out; and an announcement that waits for one."""
    plan = spot_checks.Plan(CENTRE, 1, "双色球下一期开奖号码", 14, tx.today + date.resolution)
    followed = spot_checks.announce(tx, ledger.signing, plan).index
    body = {"announced": followed, "station": CENTRE, "checked_on": tx.today.isoformat(), "nonce": "03071219253308"}
    drawn = tx.connection.exec_driver_sql("SELECT min(entry_index) FROM service").scalar()
    check = tx.append([Fact("spot_check.recorded", body | {"held": [drawn], "wrong": [], "unclear": []})])[0].index
    return check, spot_checks.announce(tx, ledger.signing, plan).index


def certified(world, number):
    """A certificate of the person's, over one old service."""
    old = Activity(STATION, "旧平台服务", "other", migrated_year=2024)
    start = datetime(2024, 5, 1, 9)

    def serve(tx):
        shared = find_or_publish(tx, [old])[0]
        return record_many(tx, [Draft(number, shared, STATION, start, start.replace(hour=11), "D", new_entry_id(), settled=True)])

    world.ledger.write(serve, OPERATOR)
    return certify(world.ledger, OPERATOR, Wish(number)).number


def account_of(world, login):
    return next(one.id for one in world.accounts.everyone(OPERATOR) if one.login == login)
