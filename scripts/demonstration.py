"""The demonstration street: real unit names, invented people, one year of sheets, and an account for each role."""

from pathlib import Path

import orjson
from rich.table import Table
from sqlalchemy import func, select

from ledger.accounts import Accounts
from ledger.actors import OPERATOR, SCHEDULER
from ledger.imports import run
from ledger.settings import Settings
from ledger.store import Ledger, create_ledger
from ledger.tables import ServiceRow, table
from scripts.console import ERR, progress

STREET = Path(__file__).parent.parent / "tests" / "data" / "sanlian-street"
ROSTERS = (("stations", "stations.csv"), ("organisations", "organizations.xlsx"), ("volunteers", "volunteers.xlsx"))
_STAFF = (
    ("zhuyinli", "recorder", "340104001004", "竹荫里站登记员：上传签到表"),
    ("sanlian", "approver", "340104001000", "街道中心审核员：审核、看各站"),
    ("shushan", "official", None, "区级管理员：各类名册、看板"),
    ("auditor", "auditor", None, "审计员：下载原始记录"),
)


def prepare(settings: Settings) -> None:
    """Load the street and make the accounts, once; a store that is there already is left alone."""
    marker = _logins_file(settings)
    if marker.exists() or (settings.home / "ledger.db").exists():
        return
    ERR.print("第一次运行：装入演示街道（三里庵街道，人物和时长都是虚构的）……")
    ledger = create_ledger(settings)
    load_street(ledger)
    accounts = Accounts(ledger)
    logins = []
    for login, role, station, what in _STAFF:
        code = accounts.create(OPERATOR, login, role, station=station)
        logins.append({"login": login, "code": code, "what": what})
    volunteer = _busiest(ledger)
    logins.append({"login": volunteer, "code": accounts.issue_code(OPERATOR, volunteer), "what": "志愿者：看自己的时长"})
    marker.touch(mode=0o600)
    marker.write_bytes(orjson.dumps(logins))


def load_street(ledger: Ledger) -> None:
    """Import the street's files in the order in which a station would, and sign a checkpoint over them."""
    sheets = sorted(STREET.glob("signin-*.xlsx"))
    files = [*ROSTERS, *(("hours", sheet.name) for sheet in sheets), ("hours", "legacy-hours.csv")]
    with progress("演示街道") as tell:
        for done, (kind, name) in enumerate(files):
            run(ledger, kind, (STREET / name).read_bytes(), name, OPERATOR, settled=kind == "hours")
            tell(done + 1, len(files))
    ledger.write(lambda tx: ledger.signing.sign(tx.connection), SCHEDULER)


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


def _busiest(ledger: Ledger) -> str:
    service = table(ServiceRow)
    with ledger.read() as tx:
        found: str = tx.connection.execute(
            select(service.c.volunteer).group_by(service.c.volunteer).order_by(func.count().desc(), service.c.volunteer).limit(1)
        ).scalar_one()
    return found
