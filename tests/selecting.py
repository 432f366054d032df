"""A selection in a world: its rules, its steps one after the other, and who takes them."""

import json
from base64 import b64encode
from datetime import date

from world import CENTRE, HOME, OTHER

from ledger.people.actors import Actor
from ledger.selections import doubts, drafts, freezing, objecting, publishing, reading, sealing
from ledger.selections.objecting import Effect

LI, QIAN = Actor("li", "official", CENTRE), Actor("qian", "approver", CENTRE)
SOURCE = "冻结后第一期双色球的开奖号码"
RULES = {"name": "优秀志愿者", "quota": 2, "tie_break": ["minutes_ab", "random"]}


class Selecting:
    """One selection after another in a world whose people have served."""

    def __init__(self, world):
        self.world = world

    def draft(self, station=CENTRE, year=2025, actor=LI, draft=None, source=SOURCE, replaces=None, **said):
        content = json.dumps(RULES | said).encode()
        return self.world.write(lambda tx: drafts.save(tx, draft, station, year, content, source, replaces), actor)

    def freeze(self, draft, actor=LI):
        return freezing.freeze(self.world.ledger, actor, draft).index

    def opened(self, **said):
        draft = self.draft(**said)
        self.freeze(draft)
        return draft

    def row(self, selection):
        with self.world.read() as tx:
            return reading.get(tx.connection, selection)

    def ranking(self, selection, before=None):
        with self.world.read() as tx:
            return reading.ranking_of(tx.connection, reading.get(tx.connection, selection), before)

    def listed(self, selection, before=None):
        """Who is on the list, and with how many minutes."""
        return [(one.sums.subject, one.sums.minutes) for one in self.ranking(selection, before).chosen]

    def settle_doubt(self, selection, service, finding, by=LI, second=QIAN):
        self.world.write(lambda tx: doubts.propose(tx, selection, service, finding, "对照签到表查过"), by)
        return self.world.write(lambda tx: doubts.confirm(tx, selection, service), second)

    def draw(self, selection, value="03 08 16 22 27 31 + 09", on=None, actor=LI):
        return self.world.write(lambda tx: publishing.draw(tx, selection, value, on or tx.today), actor)

    def publish(self, selection, actor=LI):
        return self.world.write(lambda tx: publishing.publish(tx, selection), actor)

    def published(self, **said):
        selection = self.opened(**said)
        self.world.advance(days=1)
        if "random" in said.get("tie_break", RULES["tie_break"]):
            self.draw(selection)
        self.publish(selection)
        return selection

    def contest(self, selection, ground="missing", words="", row=None, actor=None):
        return self.world.write(lambda tx: objecting.contest(tx, selection, ground, words, row), actor or LI).index

    def decide(self, objection, finding="upheld", reason="对照签到表查过", actor=QIAN, **effect):
        said = Effect(**effect) if effect else None
        return self.world.write(lambda tx: objecting.decide(tx, objection, finding, reason, said), actor)

    def changes(self, selection):
        with self.world.read() as tx:
            found = objecting.changes(tx, reading.get(tx.connection, selection))
        return [one.sums.subject for one in found.entered], [one.sums.subject for one in found.left], found.moved

    def seal(self, selection, first=LI, second=QIAN):
        """Have two people sign once the publicity is over."""
        self.world.clock.now = self.world.clock.now.replace(hour=9)
        while self.world.today.isoformat() <= self.row(selection).published_until:
            self.world.advance(days=1)
        paper = b64encode(b"m" * 32).decode()
        assert self.world.write(lambda tx: sealing.sign(tx, selection, paper), first) is None
        return self.world.write(lambda tx: sealing.sign(tx, selection), second)


def town(world):
    """Found a centre with two stations and four people; hours that count, two of them tied, one record in publicity. Gives people and records."""
    world.station(CENTRE, level="centre")
    world.station(HOME, parent=CENTRE, population=1500)
    world.station(OTHER, parent=CENTRE, population=600)
    people = [world.volunteer(name=name) for name in ("张敏", "王芳", "陈静")] + [world.volunteer(OTHER, name="丁一")]
    a, b, c, d = people
    records = [
        world.serve(a, "2025-01-02 09:00", "12:00").index,
        world.serve(a, "2025-01-03 09:00", "12:00").index,
        world.serve(b, "2025-01-02 13:00", "17:00").index,
        world.serve(c, "2025-01-02 18:00", "21:00").index,
        world.serve(d, "2025-01-03 14:00", "17:00").index,
    ]
    world.approve(*records)
    world.advance(days=20)
    late = world.serve(c, "2025-01-20 09:00", "11:00").index
    world.approve(late, actor=Actor("above", "official"))
    return people, [*records, late]


def day(said):
    return date.fromisoformat(said)
