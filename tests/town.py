"""A small town whose clerks hand in files: a centre, two stations, seven people, one organisation, and a clock set by hand.

`town` is fresh for every test, once on each engine. `standing_town` is shared by a module's tests, which only rehearse and read.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from files import csv
from postgres import scratch_database
from sqlalchemy import make_url, select
from sqlmodel import SQLModel

from ledger.entries import SHANGHAI
from ledger.imports import run
from ledger.log import tree_head
from ledger.people import volunteers
from ledger.people.actors import OPERATOR, Actor
from ledger.settings import Settings
from ledger.store import create_ledger
from ledger.tables import ServiceRow, table

CENTRE, EAST, WEST = "340104001000", "340104001001", "340104001002"
ZHAO = Actor("zhao", "recorder", EAST)
QIAN = Actor("qian", "approver", CENTRE)
SUN = Actor("sun", "recorder", WEST)
OFFICIAL = Actor("li", "official")
AUDITOR = Actor("wu", "auditor")


class Person(NamedTuple):
    name: str
    id_number: str


def person(name: str, born: date, order: int = 1) -> Person:
    """Somebody of Hefei; the check character by ISO 7064 MOD 11-2."""
    body = f"340104{born:%Y%m%d}{order:03d}"
    total = 0
    for digit in body:
        total = (total + int(digit)) * 2 % 11
    return Person(name, body + "0123456789X"[(12 - total) % 11])


PEOPLE = [
    person(name, date(1950 + n, 1 + n, 3 + n), n) for n, name in enumerate(("张敏", "李建国", "王芳", "陈静", "刘洋", "欧阳文海", "周杰"))
]
ZHANG, LI, WANG, CHEN, LIU, OUYANG, ZHOU = PEOPLE
STRANGER = person("吴昊", date(1990, 5, 6))
TEAM = "东社区爱心维修队"

STATION_HEADER = ["站点编码", "站点名称", "级别", "上级编码", "城乡", "常住人口", "人口统计日期", "人口数据来源"]
STATIONS = [
    STATION_HEADER,
    [CENTRE, "某街道社会服务中心", "中心"],
    [EAST, "东社区社会服务站", "站", CENTRE, "城市", 1000, "2025-12-31", "示例数据"],
    [WEST, "西社区社会服务站", "站", CENTRE, "城市", 2000, "2025-12-31", "示例数据"],
]
ROSTER_HEADER = ["姓名", "性别", "身份证号", "联系电话", "所属站点编码", "注册日期", "是否骨干"]
ORGANISATION_HEADER = [
    "备案编号",
    "组织名称",
    "组织类别",
    "是否志愿服务组织",
    "所属站点编码",
    "登记/备案",
    "备案日期",
    "主要负责人",
    "联系电话",
]
ORGANISATIONS = [ORGANISATION_HEADER, ["皖001", TEAM, "公益慈善类", "是", EAST, "备案", "2024-06-01", "郑伟", "13855101234"]]
SIGN_IN_HEADER = ["序号", "姓名", "身份证号", "联系电话", "签到时间", "签退时间", "服务时长", "备注"]
PLATFORM_HEADER = ["姓名", "身份证号", "站点编码", "活动名称", "活动系列", "开始时间", "结束时间", "服务时长（小时）", "来源"]


def roster(*people: Person, station: str = EAST, on: str = "2025-01-06", backbone: str = "否") -> list[list]:
    return [ROSTER_HEADER, *([one.name, None, one.id_number, None, station, on, backbone] for one in people)]


def signed(one: Person, start: object = "14:00", end: object = "16:00", stated: object = None) -> list:
    """A row of a sign-in sheet."""
    return [1, one.name, one.id_number, "13855101234", start, end, stated]


def sheet(
    *rows: list, station: str = EAST, when: str = "2026年2月26日 14:00-16:00", unit: str = "", title: str = "“邻里守望”活动签到表"
) -> list:
    """A sign-in sheet: the title in row 1, the facts in 2 and 3, the header in 4, people from row 5 on."""
    place = ["活动地点：党群服务中心", *([f"组织单位：{unit}"] if unit else [])]
    return [[title], [f"活动时间：{when}", f"站点编码：{station}"], place, SIGN_IN_HEADER, *rows]


def export(*rows: list) -> list:
    """An older platform's export, rows from 2 on."""
    return [PLATFORM_HEADER, *rows]


def exported(one: Person, start: str, end: str, title: str = "巡逻", station: str = EAST, hours: object = None) -> list:
    return [one.name, one.id_number, station, title, "平安建设", start, end, hours, "原平台"]


class Town:
    """A ledger with a clock set by hand, and what its people do all day."""

    def __init__(self, home, url) -> None:
        self.now = datetime(2026, 3, 2, 9, tzinfo=SHANGHAI)  # a Monday
        self.ledger = create_ledger(Settings(home, url), lambda: self.now)

    def settle(self) -> "Town":
        """Let stations, people and the organisation be there."""
        for kind, rows in (("stations", STATIONS), ("organisations", ORGANISATIONS), ("volunteers", roster(*PEOPLE[:5]))):
            assert self.hand_in(rows, kind).rejected == []
        assert self.hand_in(roster(*PEOPLE[5:], station=WEST, backbone="是"), "volunteers").rejected == []
        return self

    def hand_in(self, rows, kind="hours", *, by=OPERATOR, settled=False, rehearse=False, name="签到表.csv"):
        content = rows if isinstance(rows, bytes) else csv(rows)
        return run(self.ledger, kind, content, name, by, settled=settled, rehearse=rehearse)

    def serve(self, one: Person, day: str, start: str, end: str, *, by=OPERATOR, settled=False, station=EAST, **facts) -> int:
        """One person's service by a sheet of its own; gives its number in the log."""
        rows = sheet(signed(one, start, end), station=station, when=f"{day} {start}-{end}", **facts)
        outcome = self.hand_in(rows, by=by, settled=settled)
        assert outcome.rejected == []
        return outcome.receipts[0].index

    def advance(self, **span) -> None:
        self.now += timedelta(**span)

    def read(self, question):
        with self.ledger.read() as tx:
            return question(tx)

    def write(self, work, by=OPERATOR):
        return self.ledger.write(work, by)

    def number(self, one: Person) -> str:
        return self.read(lambda tx: volunteers.find_by_id_numbers(tx, [one.id_number])[one.id_number].row.number)

    def service(self, index: int):
        target = table(ServiceRow)
        return self.read(lambda tx: tx.connection.execute(select(target).where(target.c.entry_index == index)).one())

    @property
    def size(self) -> int:
        return self.read(lambda tx: tree_head(tx.connection).size)

    def everything(self) -> dict[str, list[str]]:
        """Every row of every table."""
        with self.ledger.engine.connect() as connection:
            return {name: sorted(map(repr, connection.exec_driver_sql(f'SELECT * FROM "{name}"'))) for name in SQLModel.metadata.tables}


class Settled(NamedTuple):
    """A settled town as it stands on the disk, to be copied."""

    home: Path
    url: str


def settled(home: Path, url: str) -> Settled:
    Town(home, url).settle().ledger.engine.dispose()
    return Settled(home, url)


@pytest.fixture(scope="session")
def settled_sqlite(tmp_path_factory) -> Settled:
    home = tmp_path_factory.mktemp("settled")
    return settled(home, f"sqlite:///{home}/ledger.db")


@pytest.fixture(scope="session")
def settled_postgres(tmp_path_factory, postgres_server) -> Iterator[Settled]:
    with scratch_database(postgres_server) as url:
        yield settled(tmp_path_factory.mktemp("settled"), url)


@contextmanager
def copied(original: Settled, home: Path, server: str | None) -> Iterator[Town]:
    shutil.copytree(original.home, home, dirs_exist_ok=True)
    if server is None:
        made = Town(home, f"sqlite:///{home}/ledger.db")
        yield made
        made.ledger.engine.dispose()
        return
    with scratch_database(server, make_url(original.url).database) as url:
        made = Town(home, url)
        yield made
        made.ledger.engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def town(request, tmp_path) -> Iterator[Town]:
    if request.param == "sqlite":
        original, server = request.getfixturevalue("settled_sqlite"), None
    else:
        original, server = request.getfixturevalue("settled_postgres"), request.getfixturevalue("postgres_server")
    with copied(original, tmp_path / "home", server) as made:
        yield made


@pytest.fixture(scope="module")
def standing_town(tmp_path_factory, settled_sqlite) -> Iterator[Town]:
    with copied(settled_sqlite, tmp_path_factory.mktemp("town"), None) as made:
        yield made
