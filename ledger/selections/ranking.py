"""
The one way of ranking: minutes that count, most first; equal minutes by the tie-breaks in turn; then as many as there are seats.

The database adds up whoever needs no more than a sum, and streams the sums in order: a million people take little memory, and whoever comes after the
last seat is counted there, not fetched. People with a record that is left out, or minutes above a cap, are few: theirs are gone through one by one
(`fold`), earliest first, and what exceeds a cap does not count. So are those that the rules name as excluded, who are shown wherever they would stand.
"""

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, groupby
from typing import Any, NamedTuple

from sqlalchemy import Select, case, func, literal, select

from ledger.database import sorting_on_disk
from ledger.selections.facts import NONE, Facts
from ledger.selections.rules import TIE_BREAKS, Rules
from ledger.selections.sources import WHY_OUT, Source, whose
from ledger.service.drafts import duration
from ledger.shares import hundredths, percent
from ledger.tables import ServiceRow, table

_SERVICE = table(ServiceRow)


class Sums(NamedTuple):
    """What somebody has: minutes that count, of which grades A and B, of which back-filled (C), services, months with one."""

    subject: str
    station: str
    registered_on: str
    confirmed_on: str | None
    left_on: str | None
    minutes: int
    minutes_ab: int
    minutes_c: int
    services: int
    months: int


class Item(NamedTuple):
    """One record as it counted: how many of its minutes, and why not all."""

    row: Any
    minutes: int
    why: str


@dataclass(frozen=True)
class Standing:
    """A place on the list: rank from 1 (0: not on it), what decided it where others had the same minutes."""

    rank: int
    sums: Sums
    note: str = ""


@dataclass(frozen=True)
class Ranking:
    """Who is chosen, in order; who is named by the rules as excluded; who comes next; how many were considered."""

    chosen: list[Standing]
    excluded: list[Standing]
    reserve: list[Standing]
    considered: int
    undrawn: bool = False


class Everyone(NamedTuple):
    """All who have enough minutes: how many, a stream of them with most minutes first, and those of them whose records were gone through."""

    considered: int
    sums: Iterator[Sums]
    folded: list[Sums]


def fold(rows: Iterable[Any], rules: Rules, out: Mapping[int, str]) -> list[Item]:
    """Count one person's records, earliest first, under the caps."""
    left: Counter[tuple[str, str]] = Counter()
    caps = rules.caps
    items = []
    for row in rows:
        if row.service in out:
            items.append(Item(row, 0, WHY_OUT[out[row.service]]))
            continue
        bounds = [
            (("day", row.served_on), caps.get("day"), "超过每日上限"),
            (("activity", row.activity), caps.get("activity"), "超过单项活动上限"),
        ]
        bounds.append((("series", row.series or ""), caps.get("series", {}).get(row.series), "超过这一系列的上限"))
        counted, cut = row.minutes, ""
        for key, most, said in bounds:
            if most is not None and most - left[key] < counted:
                counted, cut = max(most - left[key], 0), said
        for key, most, _ in bounds:
            if most is not None:
                left[key] += counted
        items.append(Item(row, counted, f"{cut}，少计 {duration(row.minutes - counted)}" if cut else ""))
    return items


def sums_of(person: Any, items: Sequence[Item]) -> Sums:
    """Add up what was counted."""
    counted = [item for item in items if item.minutes]
    by_grade: Counter[str] = Counter()
    for item in counted:
        by_grade[item.row.grade] += item.minutes
    months = {item.row.served_on[:7] for item in counted}
    who = (person.subject, person.station, person.registered_on, person.confirmed_on, person.left_on)
    return Sums(*who, by_grade.total(), by_grade["A"] + by_grade["B"], by_grade["C"], len(counted), len(months))


@contextmanager
def everyone(source: Source, rules: Rules, minimum: int = 1) -> Iterator[Everyone]:
    """Find everybody with at least *minimum* minutes that count. The stream may be left before its end."""
    connection, minimum = source.connection, max(minimum, 1)
    with sorting_on_disk(connection):
        apart = _apart(source, rules)
    people = {row.subject: row for row in _people_of(source, apart)}
    folded, hidden = [], 0
    for subject, found in groupby(source.records_of(people), key=lambda row: row.subject):
        rows = list(found)
        hidden += sum(row.minutes for row in rows) >= minimum  # the database adds them up too, and counts them
        folded.append(sums_of(people[subject], fold(rows, rules, source.out)))
    folded = sorted((one for one in folded if one.minutes >= minimum), key=lambda one: (-one.minutes, one.subject))
    summing = _summed(source, rules, minimum)
    with sorting_on_disk(connection), connection.execute(summing, execution_options={"yield_per": 1_000}) as rows_summed:
        first = rows_summed.fetchone()
        considered = (first.everybody if first else 0) - hidden + len(folded)
        rest = chain((first,) if first else (), rows_summed)
        summed = (Sums(*row[:-1]) for row in rest if row.subject not in apart)
        yield Everyone(considered, heapq.merge(summed, folded, key=lambda one: -one.minutes), folded)


def _apart(source: Source, rules: Rules) -> set[str]:
    """Find whose records have to be gone through one by one."""
    seen = source.records.c
    found = set(rules.exclude)
    numbers = sorted(source.out)
    for at in range(0, len(numbers), 500):
        asked = select(whose(rules.subject)).where(_SERVICE.c.entry_index.in_(numbers[at : at + 500]))
        found |= set(source.connection.execute(asked).scalars())
    total = func.sum(seen.minutes)
    for name, key in (("day", seen.served_on), ("activity", seen.activity)):
        if (most := rules.caps.get(name)) is not None:
            asked = select(source.subject).group_by(source.subject, key).having(total > most)
            found |= set(source.connection.execute(asked).scalars())
    for series, most in rules.caps.get("series", {}).items():
        asked = select(source.subject).where(seen.series == series).group_by(source.subject).having(total > most)
        found |= set(source.connection.execute(asked).scalars())
    return found


def _people_of(source: Source, subjects: Iterable[str]) -> Iterator[Any]:
    wanted, seen = sorted(subjects), source.people.c
    columns = (seen.subject, seen.station, seen.registered_on, seen.confirmed_on, seen.left_on)
    for at in range(0, len(wanted), 500):
        yield from source.connection.execute(select(*columns).where(seen.subject.in_(wanted[at : at + 500])))


def _summed(source: Source, rules: Rules, minimum: int) -> Select[Any]:
    """Have the database add up; what the rules do not ask for it does not count. Each row says how many there are."""
    seen, who = source.records.c, source.people.c
    strong = func.sum(case((seen.grade.in_(("A", "B")), seen.minutes), else_=0))
    weak = func.sum(case((seen.grade == "C", seen.minutes), else_=0)) if rules.back_filled_percent is not None else literal(0)
    by_month = rules.minimum_months or "months" in rules.tie_break
    months = func.count(func.substr(seen.served_on, 1, 7).distinct()) if by_month else literal(0)
    total = func.sum(seen.minutes)
    sums = (total.label("minutes"), strong.label("ab"), weak.label("c"), func.count().label("services"), months.label("months"))
    subject = source.subject
    grouped = select(subject.label("subject"), *sums).group_by(subject).having(total >= minimum).subquery()
    known = (who.subject, who.station, who.registered_on, who.confirmed_on, who.left_on)
    got = grouped.c
    asked = select(*known, got.minutes, got.ab, got.c, got.services, got.months, func.count().over().label("everybody"))
    return asked.join_from(grouped, source.people, who.subject == got.subject).order_by(got.minutes.desc())


def judge(rules: Rules, one: Sums, known: Facts, barred: str | None, last: str) -> tuple[list[str], list[str]]:
    """Say why somebody stays out, and what they lack: both empty for whoever qualifies. *last*: the period's last day."""
    if barred == "":  # an objection let them in, whatever stood against it
        known = replace(known, honoured="", conduct="")
    out = [said for said in (barred, known.honoured, known.conduct) if said]
    if one.left_on is not None and one.left_on <= last:
        out.append(f"{one.left_on} 起已退出或备案到期")
    if "poor" in rules.evaluation and known.poor > rules.evaluation["poor"]:
        out.append(f"评价不合格 {known.poor} 次")
    if one.subject in rules.exclude and barred != "":
        out.append(rules.exclude[one.subject])
    lacks = [f"差 {duration(rules.minimum_minutes - one.minutes)}"] if one.minutes < rules.minimum_minutes else []
    for has, wanted, unit in (
        (one.services, rules.minimum_services, "次服务"),
        (one.months, rules.minimum_months, "个月有服务"),
        (known.good, rules.evaluation.get("good", 0), "次优良评价"),
    ):
        if has < wanted:
            lacks.append(f"差 {wanted - has} {unit}")
    if known.training < rules.training_minutes:
        lacks.append(f"培训差 {duration(rules.training_minutes - known.training)}")
    if rules.confirmed_only and (one.confirmed_on is None or one.confirmed_on > last):
        lacks.append("本人还没有确认登记")
    if rules.back_filled_percent is not None and one.minutes_c * 100 > rules.back_filled_percent * one.minutes:
        share = hundredths(one.minutes_c, one.minutes, at_most=rules.back_filled_percent * 100) or 0
        lacks.append(f"时长 {percent(share)} 为补录")
    return out, lacks


def rank(source: Source, rules: Rules, last: str, *, draw: str | None = None, reserve: int = 5) -> Ranking:
    """Rank everybody and fill the seats. *last*: the period's last day; *draw*: what the public random value and the selection say together."""

    def qualifies(one: Sums) -> bool:
        return judge(rules, one, source.facts.get(one.subject, NONE), source.barred.get(one.subject), last) == ([], [])

    with everyone(source, rules, rules.minimum_minutes) as found:
        alike = groupby(filter(qualifies, found.sums), key=lambda one: one.minutes)
        chosen, following = _seated((_in_order(list(group), rules, draw) for _, group in alike), source.seats, rules, reserve)
    named = (one for one in found.folded if one.subject in rules.exclude and source.barred.get(one.subject) != "")
    excluded = [Standing(0, one, rules.exclude[one.subject]) for one in named]
    return Ranking(chosen, excluded, following, found.considered, undrawn=draw is None and "random" in rules.tie_break)


def _in_order(group: list[Sums], rules: Rules, draw: str | None) -> list[tuple[Sums, str]]:
    """Order people with equal minutes, and say of each what decided it."""
    ties = [(name, [_key(name, one, draw) for one in group]) for name in rules.tie_break]
    order = sorted(range(len(group)), key=lambda at: [keys[at] for _, keys in ties])
    made = []
    for place, at in enumerate(order):
        near = order[place + 1] if place + 1 < len(order) else order[place - 1]
        decided = next((TIE_BREAKS[name] for name, keys in ties if keys[at] != keys[near]), "") if len(order) > 1 else ""
        made.append((group[at], decided))
    return made


def _key(name: str, one: Sums, draw: str | None) -> Any:
    if name == "random":
        return hashlib.sha256(f"{draw}\n{one.subject}".encode()).digest() if draw is not None else b""
    if name in ("minutes_ab", "services", "months"):
        return -getattr(one, name)
    return one.registered_on if name == "registered_on" else one.subject


def _seated(
    groups: Iterator[list[tuple[Sums, str]]], seats: Mapping[str, tuple[int, int | None]], rules: Rules, reserve: int
) -> tuple[list[Standing], list[Standing]]:
    """Fill the seats: first those that a station is to have at least, as far as it has people who qualify; the others in order, up to its most."""
    total = rules.quota.total
    held, groups = _floors(groups, seats) if total is not None else ({}, groups)
    kept_free = sum(held.values())
    taken: Counter[str] = Counter()
    chosen: list[Standing] = []
    following: list[Standing] = []
    for group in groups:
        first, missed = len(chosen), False
        for one, decided in group:
            most = seats.get(one.station, (0, None))[1]
            owed = taken[one.station] < held.get(one.station, 0)
            room = total is None or len(chosen) < total - kept_free
            if owed or ((most is None or taken[one.station] < most) and room):
                kept_free -= owed
                taken[one.station] += 1
                note = f"按并列规则（{decided}）" if decided else ""
                chosen.append(Standing(len(chosen) + 1, one, note))
            else:
                missed = True
                if len(following) < reserve:
                    following.append(Standing(0, one))
        for at in range(first, len(chosen)):
            if chosen[at].note:
                note = f"与其他 {len(group) - 1} 人时长相同，{chosen[at].note}{'入围' if missed else '排序'}"
                chosen[at] = Standing(chosen[at].rank, chosen[at].sums, note)
        if len(chosen) == total and len(following) >= reserve:
            break
    return chosen, following


def _floors(
    groups: Iterator[list[tuple[Sums, str]]], seats: Mapping[str, tuple[int, int | None]]
) -> tuple[dict[str, int], Iterator[list[tuple[Sums, str]]]]:
    """Work out how many seats are held for each station: its least, if so many qualify. Looks ahead no further than it has to."""
    least = {code: low for code, (low, _) in seats.items() if low}
    there: Counter[str] = Counter()
    seen = []
    while any(there[code] < low for code, low in least.items()) and (group := next(groups, None)) is not None:
        seen.append(group)
        there.update(one.station for one, _ in group)
    return {code: min(low, there[code]) for code, low in least.items()}, chain(seen, groups)
