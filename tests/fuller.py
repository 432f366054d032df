"""What the later rooms of the ledger write: figures and marks, papers handed in, a spot check, a selection, a filing. So that no projection is empty."""

import filings
from selecting import Selecting
from sqlalchemy import select
from world import HOME

from ledger import spot_checks, tables
from ledger.duties import papers, tasks
from ledger.handing_over import asking as handing_over
from ledger.indicators import adoption
from ledger.indicators.adoption import Figure
from ledger.people.actors import OPERATOR, Actor
from ledger.tables import table


def write_the_rest(world):
    """Let a town that has served hand in, be checked, choose its best, and file an organisation."""
    unit = world.organisation(number="备0002", name="梅山路巡逻队")
    world.write(lambda tx: adoption.declare(tx, [Figure(HOME, "households", 400, "2025-01-01", "台账")]))
    world.write(lambda tx: adoption.mark(tx, unit, "hub", since="2025-01-01", basis="评定"))
    world.write(lambda tx: adoption.unmark(tx, unit, "hub", ended_on="2025-01-02", reason="复评未过"))
    world.write(lambda tx: adoption.mark(tx, unit, "hub", since="2025-01-02", basis="重新评定"))
    world.spot_check()
    dropped = world.announce_check()
    world.write(lambda tx: spot_checks.withdraw(tx, dropped, "这一期没有开奖"))
    written = {"news": "两个队伍换届", "results": "探望 30 人次"}
    world.write(lambda tx: papers.hand_in(tx, "station-report", HOME, f"{tx.today:%Y-%m}", written))
    give_tasks(world)
    hand_over(world)
    choose(world)
    world.clock.now = world.clock.now.replace(year=2028, month=2, day=26)
    filings.Street(world).file()


def give_tasks(world):
    """Give a unit two things to do, of which one is done and the other dropped."""
    due = world.today.isoformat()
    first, second = (world.write(lambda tx: tasks.assign(tx, HOME, "建孵化基地", due, "工作方案", "不少于 100 平方米")) for _ in range(2))
    world.write(lambda tx: tasks.finish(tx, first, due, "已建成"))
    world.write(lambda tx: tasks.drop(tx, second, "方案改了"))


def hand_over(world):
    """Hand the year's records over to the designated system."""
    request = world.write(lambda tx: handing_over.ask(tx, HOME, "2025-01-01", tx.today.isoformat(), "按规定报送"))
    world.write(lambda tx: handing_over.agree(tx, request), Actor("li", "official"))
    handing_over.take(world.ledger, OPERATOR, request)


def choose(world):
    """Choose from those who served, with a doubt settled and an objection."""
    choosing = Selecting(world)
    world.advance(days=30)
    selection = choosing.opened(year=2025, tie_break=["minutes_ab"])
    with world.read() as tx:
        [record, *_] = tx.connection.execute(select(table(tables.SelectionRecordRow).c.service)).scalars()
    choosing.settle_doubt(selection, record, "keep")
    world.advance(days=1)
    choosing.publish(selection)
    choosing.contest(selection, "other", "名单贴错了地方")
