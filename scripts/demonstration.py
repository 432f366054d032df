"""The demonstration: a street with one year of sheets, or a whole district's year; real unit names, invented people, an account for each role."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import orjson
from rich.table import Table
from sqlalchemy import func, make_url, select

from ledger.activities import Activity
from ledger.errors import SettingsError
from ledger.imports import run
from ledger.people import actors, volunteers
from ledger.people.accounts import Accounts
from ledger.people.actors import OPERATOR, SCHEDULER
from ledger.planning import plans
from ledger.settings import Settings
from ledger.signing_keys import some_key_file
from ledger.store import Ledger, create_ledger, holds_entries, utc_now
from ledger.tables import ServiceRow, table
from ledger.transactions import WriteTransaction
from scripts import district_year
from scripts.console import ERR, progress

STREET = Path(__file__).parent.parent / "tests" / "data" / "sanlian-street"
ROSTERS = (("stations", "stations.csv"), ("organisations", "organizations.xlsx"), ("volunteers", "volunteers.xlsx"))
_STAFF = (
    ("zhuyinli", "recorder", "340104001004", "竹荫里站登记员：上传签到表"),
    ("sanlian", "approver", "340104001000", "街道中心审核员：审核、看各站"),
    ("shushan", "official", None, "区级管理员：各类名册、看板"),
    ("shushan2", "official", None, "另一位区级管理员：确认第一位提出的规则、评选、指标"),
    ("auditor", "auditor", None, "审计员：下载原始记录"),
    ("guanli", "administrator", None, "系统管理员：账号、工作日历"),
    ("guanli2", "administrator", None, "另一位系统管理员：确认第一位提出的事"),
)
_COMING: tuple[tuple[int, str, str, str, list[str], int | None, str], ...] = (
    (2, "09:00", "11:00", "看望独居老人", ["companionship", "daily-care"], 12, "社区服务站集合"),
    (5, "14:00", "16:30", "楼道清洁", ["environment"], None, "社区服务站集合"),
    (9, "08:30", "11:30", "街道义诊", ["medical"], 30, "街道文化广场"),
)
"""Days ahead, times, title, what is done, places, place."""
_ABOVE_FROM = 7


def prepare(settings: Settings, *, district: bool = False) -> None:
    """
    Load the street, or the district, and make the accounts, once, and only where there was never a ledger: no keys in the home, no log in the database.

    Raises SettingsError when a load was broken off: half a street without logins is not to be served.
    """
    loading = settings.home / "demonstration-loading"
    if loading.exists():
        _refuse_half(settings)
    if some_key_file(settings).exists() or holds_entries(settings.database_url):
        if district:
            ERR.print(f"{settings.home} 里已经有账本，直接打开，不再装入演示区。要另装一个，请用 SHOUWANG_HOME 指定新的文件夹")
        return
    what = "演示区（蜀山区 85 个社区的一年，约一分钟；" if district else "演示街道（三里庵街道，"
    ERR.print(f"第一次运行：装入{what}人物和时长都是虚构的）……")
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    loading.touch(mode=0o600)
    if district:
        load_district(settings)
    ledger = create_ledger(settings)
    if not district:
        load_street(ledger)
    accounts = Accounts(ledger)
    logins = []
    for login, role, station, what in _STAFF:
        code = accounts.create(OPERATOR, login, role, station=station)
        logins.append({"login": login, "code": code, "what": what})
    volunteer = _busiest(ledger)
    _plan_ahead(ledger, volunteer)
    logins.append({"login": volunteer, "code": accounts.issue_code(OPERATOR, volunteer), "what": "志愿者：看自己的时长"})
    loading.write_bytes(orjson.dumps(logins))
    loading.rename(_logins_file(settings))


def _refuse_half(settings: Settings) -> NoReturn:
    """Say that a load was broken off and what to remove to begin again; nothing is removed by itself."""
    url = make_url(settings.database_url)
    elsewhere = ""
    if url.get_backend_name() != "sqlite":
        elsewhere = f"、清空数据库 {url.database}"
    elif url.database and settings.home not in Path(url.database).absolute().parents:
        elsewhere = f"、删去数据库文件 {url.database}"
    raise SettingsError(
        f"演示数据没有装完就中断了（或者另一个窗口正在装），现在只有一半的数据，也没有登录账号。"
        f"里面全是虚构的演示数据：请删去文件夹 {settings.home}{elsewhere}，再重新运行"
    )


def load_street(ledger: Ledger) -> None:
    """Import the street's files in the order in which a station would, and sign a checkpoint over them."""
    sheets = sorted(STREET.glob("signin-*.xlsx"))
    files = [*ROSTERS, *(("hours", sheet.name) for sheet in sheets), ("hours", "legacy-hours.csv")]
    with progress("演示街道") as tell:
        for done, (kind, name) in enumerate(files):
            run(ledger, kind, (STREET / name).read_bytes(), name, OPERATOR, settled=kind == "hours")
            tell(done + 1, len(files))
    ledger.write(lambda tx: ledger.signing.sign(tx.connection), SCHEDULER)


def load_district(settings: Settings) -> None:
    """Let the district live through its year up to now, and close its ledger: it is opened again by the clock on the wall."""
    with progress("演示区的一年") as tell:
        district_year.load(settings, utc_now(), tell).close()


def show_logins(settings: Settings) -> None:
    """Print the demonstration's logins and their first passwords."""
    if not _logins_file(settings).exists():
        return
    shown = Table("账号", "首次密码", "是谁")
    for one in orjson.loads(_logins_file(settings).read_bytes()):
        shown.add_row(one["login"], one["code"], one["what"])
    ERR.print(shown)
    ERR.print("首次登录后要换成自己的密码，以后用新密码登录。")


def _logins_file(settings: Settings) -> Path:
    return settings.home / "demonstration-logins.json"


def _plan_ahead(ledger: Ledger, number: str) -> None:
    """Publish some activities to come at a volunteer's station and the centre above it, so that there is something to sign up for."""

    def publish(tx: WriteTransaction) -> None:
        home = volunteers.get(tx, number).row.station
        for days, start, end, title, services, places, place in _COMING:
            day = (tx.today + timedelta(days=days)).isoformat()
            station = home if days < _ABOVE_FROM else actors.ancestry(tx.connection, home)[1]
            coming = Activity(station, title, "neighbour-care", start=f"{day}T{start}", end=f"{day}T{end}", place=place)
            plans.publish(tx, replace(coming, services=services, places=places, responsible_volunteer=number))

    ledger.write(publish, OPERATOR)


def _busiest(ledger: Ledger) -> str:
    service = table(ServiceRow)
    with ledger.read() as tx:
        found: str = tx.connection.execute(
            select(service.c.volunteer).group_by(service.c.volunteer).order_by(func.count().desc(), service.c.volunteer).limit(1)
        ).scalar_one()
    return found
