"""Projections are folds of the log: remade at any time they are the same, and at any size what was known then."""

import tempfile
from datetime import datetime, time, timedelta
from pathlib import Path

import asking
import credited
import fuller
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import HOME, OTHER, World

from ledger import history, projections, tables
from ledger.errors import Corrupt, InvalidRequest, LedgerError
from ledger.kinds import CURRENT
from ledger.log import Fact
from ledger.people import confirmations, merging, moving, withdrawals
from ledger.people.actors import OPERATOR
from ledger.tables import table

NAMES = [table(model).name for model in tables.PROJECTIONS]
UNMET = ("key_rotation", "past_home", "role_grant", "account_change", "account_binding", "erasure", "objection", "omission")
"""What no row comes into: the town never changes its key, nobody moves, objects, misses a record, is given a role or has their data erased."""


def rows(world):
    return {name: sorted(world.sql(f"SELECT * FROM {name}"), key=repr) for name in NAMES}


def test_projections_remade_in_place_are_the_same(world):
    people = world.town()
    credited.write_everything(world, people)
    world.revoke(world.certify(people[0]).number)
    fuller.write_the_rest(world)
    live = rows(world)
    assert all(live[name] for name in NAMES if name not in UNMET), "the town has a row in every projection"
    assert history.rebuild(world.ledger, OPERATOR) == world.size
    assert rows(world) == live


def test_projections_that_were_lost_or_falsified_come_back(world):
    world.town()
    live = rows(world)
    for name in NAMES:
        world.sql(f"DELETE FROM {name}")
    world.sql("INSERT INTO chain (subject, length, leaf) VALUES ('person/nobody', 1, 'x')")
    history.rebuild(world.ledger, OPERATOR)
    assert rows(world) == live


def test_a_remake_that_meets_a_bad_entry_leaves_the_live_projections(world):
    world.town()
    live = rows(world)
    with world.damaged("entry"):
        world.sql('UPDATE entry SET body = ? WHERE "index" = 4', b"{}")
        with pytest.raises(Corrupt):
            history.rebuild(world.ledger, OPERATOR)
    assert rows(world) == live


def test_the_ledger_goes_on_after_a_remake(world):
    people = world.town()
    history.rebuild(world.ledger, OPERATOR)
    world.serve(people[3], "2025-01-08 09:00", "10:00")


def test_one_key_said_twice_in_a_row_keeps_the_later_word_live_and_remade(world):
    """A population declared again for the same day, a policy adopted again from the same day: neighbours in the log."""
    world.station()
    facts = [
        Fact("station.population_declared", {"station": HOME, "population": number, "counted_on": "2025-01-01", "source": "普查"})
        for number in (100, 200)
    ]
    facts += [Fact("policy.adopted", {"policy": "other", "effective_on": "2025-01-01", "rules": {"n": n}}) for n in (1, 2)]
    for fact in facts:
        world.write(lambda tx, fact=fact: tx.append([fact]))
    live = rows(world)
    assert [row[2] for row in live["population"]] == [200]
    history.rebuild(world.ledger, OPERATOR)
    assert rows(world) == live
    world.write(lambda tx: tx.append(facts))
    assert len(rows(world)["population"]) == 1


def test_as_known_at_every_size_is_what_was_answered_live_at_that_size(world):
    recorded = {}

    def recording(work, actor=OPERATOR, **options):
        answer = plain(work, actor, **options)
        with world.read() as tx:
            recorded[world.size] = world.answers(tx, 2025)
        return answer

    plain, world.write = world.write, recording
    world.town()
    world.write = plain
    assert len(recorded) > 15
    for size in range(1, world.size + 1):
        known = world.as_known(size, 2025)
        if size in recorded:
            assert _without_today(known) == _without_today(recorded[size]), size


def _without_today(answers):
    """Rows alone: what counts depends on the day of asking too, and days passed while the town was founded."""
    credit, rates = answers
    told = {
        person: sorted((i.index, i.minutes, i.start, i.counts_from, i.reason) for i in [*c.records, *c.others])
        for person, c in credit.items()
    }
    stable = ("population", "registered", "confirmed", "backbone")
    return told, {code: {name: counts[name] for name in stable} for code, counts in rates.items()}


def test_the_last_size_known_is_the_present(world):
    world.town()
    with world.read() as tx:
        assert world.as_known(world.size, 2025) == world.answers(tx, 2025)


def test_a_size_that_the_log_never_had_is_refused(world):
    with world.read() as tx:
        for size in (-1, 2):
            with pytest.raises(InvalidRequest, match="0 到 1"), history.as_known(tx.connection, size):
                pass
        with history.as_known(tx.connection, 0) as then:
            assert then.exec_driver_sql("SELECT count(*) FROM policy").scalar() == 0


def test_every_kind_of_entry_is_projected():
    assert set(projections._HANDLERS) == set(CURRENT)


# --- anything that people may do, in any order

OPERATIONS = st.one_of(
    st.tuples(st.just("volunteer"), st.sampled_from([HOME, OTHER]), st.booleans(), st.sampled_from(["self", "roster"])),
    st.tuples(st.just("serve"), st.integers(0, 9), st.integers(0, 40), st.integers(0, 20), st.integers(1, 300), st.booleans()),
    st.tuples(st.just("approve"), st.integers(0, 9)),
    st.tuples(st.just("correct"), st.integers(0, 9), st.integers(0, 23), st.integers(1, 300)),
    st.tuples(st.just("void"), st.integers(0, 9)),
    st.tuples(st.just("population"), st.sampled_from([HOME, OTHER]), st.integers(1, 9999), st.integers(0, 3)),
    st.tuples(st.just("organisation"), st.integers(0, 3), st.booleans()),
    st.tuples(st.just("advance"), st.integers(1, 20)),
    st.tuples(st.just("confirm"), st.integers(0, 9)),
    st.tuples(st.just("leave"), st.integers(0, 9), st.sampled_from(["own_wish", "moved_away", "not_me"])),
    st.tuples(st.just("come_back"), st.integers(0, 9), st.sampled_from([HOME, OTHER])),
    st.tuples(st.just("move"), st.integers(0, 9), st.sampled_from([HOME, OTHER])),
    st.tuples(st.just("merge"), st.integers(0, 9), st.integers(0, 9)),
    st.tuples(st.just("rates")),
    st.tuples(st.just("sign")),
)


class Crowd:
    """People doing at random what people do; what is refused is no fault."""

    def __init__(self, world):
        self.world, self.services = world, []
        world.station(HOME, population=100)
        world.station(OTHER)
        self.start = world.today
        world.volunteer()

    def pick(self, found, number):
        return list(found)[number % len(found)]

    def volunteer(self, station, backbone, basis):
        self.world.volunteer(station, backbone=backbone, basis=basis)

    def own(self, number, work):
        volunteer = self.pick(self.world.people, number)
        return volunteer, self.world.write(lambda tx: work(tx, volunteer), asking.person(volunteer))

    def confirm(self, number):
        asking.hand(self.world, self.pick(self.world.people, number), asking.SECOND)
        self.own(number, lambda tx, _: confirmations.by_person(tx))

    def leave(self, number, reason):
        volunteer, _ = self.own(number, lambda tx, volunteer: withdrawals.withdraw(tx, volunteer, reason))
        if reason == "not_me":
            self.world.write(lambda tx: withdrawals.decide(tx, volunteer, "mistaken", "核对过"), asking.OFFICIAL)

    def come_back(self, number, station):
        name, id_number, _ = self.world.names[self.pick(self.world.people, number)]
        asking.register(self.world, id_number, name, station=station, by=OPERATOR)

    def move(self, number, station):
        _, asked = self.own(number, lambda tx, _: moving.ask(tx, station))
        asking.accept(self.world, asked, asking.OFFICIAL)

    def merge(self, one, other):
        gone, kept = (self.pick(self.world.people, number) for number in (one, other))
        asked = self.world.write(lambda tx: merging.propose(tx, gone, kept, "同一人"))
        asking.accept(self.world, asked, asking.OFFICIAL)

    def serve(self, person, day, hour, minutes, settled):
        begin = datetime.combine(self.start - timedelta(days=day), time(hour))
        times = (f"{moment:%Y-%m-%d %H:%M}" for moment in (begin, begin + timedelta(minutes=minutes)))
        answer = self.world.serve(self.pick(self.world.people, person), *times, settled=settled)
        if hasattr(answer, "leaf"):
            self.services.append(answer.index)

    def approve(self, number):
        self.world.approve(self.pick(self.services or [0], number))

    def correct(self, number, hour, minutes):
        self.world.correct(self.pick(self.services or [0], number), f"2025-01-02 {hour:02d}:00", f"{hour:02d}:{minutes % 60:02d}")

    def void(self, number):
        self.world.void(self.pick(self.services or [0], number))

    def population(self, station, number, day):
        self.world.station(station, population=number, counted_on=f"2025-01-0{day + 1}")

    def organisation(self, number, filed):
        self.world.organisation(number=f"备{number}", name=f"第{number}社", filed=filed)

    def advance(self, days):
        self.world.advance(days=days)

    def rates(self):
        self.world.publish_rates(self.world.today.year)

    def sign(self):
        self.world.sign()


@pytest.mark.parametrize(("engine", "examples"), [("sqlite", 20), ("postgresql", 6)])
def test_whatever_people_do_the_replay_is_the_present(postgres_url, engine, examples):
    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(st.lists(OPERATIONS, max_size=25))
    def check(operations):
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{folder}/ledger.db" if engine == "sqlite" else postgres_url()
            world = World(Path(folder), url)
            crowd = Crowd(world)
            for verb, *details in operations:
                try:
                    getattr(crowd, verb)(*details)
                except LedgerError:
                    continue
            world.check()
            live = rows(world)
            history.rebuild(world.ledger, OPERATOR)
            assert rows(world) == live
            world.close()

    check()
