"""
Policies: numbers that a district sets and may change, each adopted by an entry from a day on. Old facts keep the rules of their day.

The first adoption at `init` holds the defaults below; nothing else in the code states such a number.
"""

from dataclasses import dataclass
from functools import lru_cache

import orjson
from sqlalchemy import Connection

from ledger.bulk import rows_where_in
from ledger.errors import NotFound
from ledger.log import Fact
from ledger.tables import PolicyRow, table
from ledger.transactions import WriteTransaction

SERVICE_POLICY = "service"
DEFAULTS: dict[str, object] = {
    "daily_minutes_max": 480,
    "publicity_working_days": 5,
    "entry_due_working_days": 10,
    "filing_valid_years": 2,
    "registration_target_permille": 100,
    "participation_target_permille": 300,
    "backbone_target_permille": 10,
    "star_hours": [100, 300, 600, 1000, 1500],
    "objection_working_days": 5,
    "night_from_hour": 22,
    "night_until_hour": 6,
    "same_interval_people": 30,
    "long_day_minutes": 360,
    "certificate_publicity_days": 30,
}
"""Daily cap in minutes (over it a second person is needed); publicity 公示 and the due date of 民政部令第67号 article 11 in working days; filings
lapse after two years; the three targets per thousand; star thresholds in hours of the national ladder of 2012. Then what an approver is shown first:
service at night, the same times for very many people, a person's day that is long though below the cap; and in how many working days an objection is
decided; and how many days a unit's list of certificates shows one. Rules adopted before these were there have these."""

_POLICY = table(PolicyRow)


@dataclass(frozen=True)
class ServicePolicy:
    """The service rules in force on a day. Minutes, working days, per mille, hours as their names say."""

    daily_minutes_max: int
    publicity_working_days: int
    entry_due_working_days: int
    filing_valid_years: int
    registration_target_permille: int
    participation_target_permille: int
    backbone_target_permille: int
    star_hours: tuple[int, ...]
    entry_index: int
    objection_working_days: int = 5
    night_from_hour: int = 22
    night_until_hour: int = 6
    same_interval_people: int = 30
    long_day_minutes: int = 360
    certificate_publicity_days: int = 30


def adopt(tx: WriteTransaction, *, effective_on: str, rules: dict[str, object], document: str | None = None) -> None:
    """Adopt service rules from a day on; *document* names the decision they come from."""
    body: dict[str, object] = {"policy": SERVICE_POLICY, "effective_on": effective_on, "rules": rules}
    if document:
        body["document"] = document
    tx.append([Fact("policy.adopted", body)])


def service_policies(connection: Connection) -> list[tuple[str, ServicePolicy]]:
    """Read all service rules with the day each is in force from, newest first."""
    rows = rows_where_in(connection, _POLICY.c, _POLICY.c.policy, [SERVICE_POLICY])
    return [(row.effective_on, _read(row.rules, row.entry_index)) for row in sorted(rows, key=lambda row: row.effective_on, reverse=True)]


@lru_cache(maxsize=64)  # few rules, asked for with every record
def _read(said: str, entry_index: int) -> ServicePolicy:
    rules = orjson.loads(said)
    return ServicePolicy(entry_index=entry_index, star_hours=tuple(rules.pop("star_hours")), **rules)


def service_policy(connection: Connection, on: str) -> ServicePolicy:
    """Read the service rules in force on a day. Raises NotFound before the first adoption."""
    return in_force(service_policies(connection), on)


def in_force(policies: list[tuple[str, ServicePolicy]], on: str) -> ServicePolicy:
    """Pick from `service_policies` the rules in force on a day. Raises NotFound before the first adoption."""
    for since, policy in policies:
        if since <= on:
            return policy
    raise NotFound("账本还没有采用任何服务规则，请先运行 shouwang init")
