"""What conduct takes from people by the rule sets in force, for whoever asks that alone: a gate, a freeze. It follows from the log's tables."""

from collections.abc import Collection
from datetime import date

from sqlalchemy import Connection, select

from ledger.rules import adopted, gathering
from ledger.rules.shape import RuleSet
from ledger.rules.standing import Effect, Standing
from ledger.tables import ConductRow, table

_CONDUCT = table(ConductRow)


def effects(connection: Connection, rules: RuleSet, volunteer: str, day: date) -> tuple[Effect, ...]:
    """List what binds on somebody on a day by the rule set in force then. Raises NotFound (no such person)."""
    on = day.isoformat()
    chain = [(one.effective_on, one.rules) for one in adopted.history(connection, rules.name) if one.effective_on <= on]
    return Standing(chain, gathering.facts(connection, volunteer, day), on).effects()


def bound(connection: Connection, day: date, targets: Collection[str]) -> dict[str, str]:
    """Find whom rule sets in force on a day bar from something: volunteers, and in words by which rules and why."""
    barring = [one.rules for one in adopted.in_force_on(connection, day.isoformat()) if not one.rules.effects.isdisjoint(targets)]
    if not barring:
        return {}
    asked = select(_CONDUCT.c.volunteer).where(_CONDUCT.c.sense == "bad", _CONDUCT.c.volunteer.is_not(None)).distinct()
    found: dict[str, str] = {}
    for volunteer in connection.execute(asked.order_by(_CONDUCT.c.volunteer)).scalars().all():
        for rules in barring:
            said = [f"{one.words}：{one.why}" for one in effects(connection, rules, volunteer, day) if one.target in targets]
            if said:
                found.setdefault(volunteer, f"按「{rules.title}」{said[0]}")
    return found
