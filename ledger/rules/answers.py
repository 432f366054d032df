"""What rules say of one person: the star that is shown everywhere, and the whole explanation of any rule set, now or as it was known."""

from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path

from sqlalchemy import Connection

from ledger import history
from ledger.people import ages
from ledger.rules import adopted, adopting, gathering
from ledger.rules.counting import Chain, in_force
from ledger.rules.explaining import Explanation, explain
from ledger.rules.shape import Condition, Hours, RuleSet
from ledger.rules.standing import ScaleReport, level_reports, plain_measures, reached
from ledger.transactions import ReadTransaction

_NO_SCALE = ScaleReport("", "", 0, "", ())


def star(tx: ReadTransaction, volunteer: str, minutes: int) -> ScaleReport:
    """Say where somebody stands on the first scale of the star's rules. *minutes*: the sum of the records that count.

    Where these rules ask for nothing but hours, and count them all, they need no other facts; the answer is that of `explained`.
    """
    on = tx.today.isoformat()
    chain = adopting.chain(tx.connection, adopting.STAR, on)
    rules = in_force(chain, on)
    if not rules.scales:
        return _NO_SCALE
    if not _asks_hours_alone(rules):
        return _explain(tx, tx.connection, volunteer, chain, tx.today).star or _NO_SCALE
    scale = rules.scales[0]
    reports = level_reports(rules, scale.id, plain_measures(minutes))
    at = reached(reports)
    return ScaleReport(scale.id, scale.name, at, reports[at - 1].name if at else "", reports)


def _asks_hours_alone(rules: RuleSet) -> bool:
    """Tell whether levels follow from the sum of all hours."""
    conditions = [condition for level in rules.levels for condition in level.when]
    plain = all(condition.measures.keys() == {"hours"} and not condition.demands for condition in conditions)
    return plain and not rules.items and not rules.counters and rules.hours == Hours() and rules.eligibility == Condition()


def explained(tx: ReadTransaction, volunteer: str, name: str = adopting.STAR, *, on: date | None = None) -> Explanation:
    """Explain somebody's credit by the rule set of a name. Raises NotFound (no such rules in force, no such person)."""
    day = on or tx.today
    return _explain(tx, tx.connection, volunteer, adopting.chain(tx.connection, name, day.isoformat()), day)


def explained_as_known(tx: ReadTransaction, volunteer: str, name: str, *, size: int, on: date) -> Explanation:
    """Explain it as the log's first entries tell it on a day. Raises NotFound, InvalidRequest (it never had that size)."""
    return _elsewhere(history.as_known(tx.connection, size), volunteer, name, on, _adult(tx, volunteer))


def explained_from_export(folder: Path, volunteer: str, name: str, *, on: date, adult: str = "unknown") -> Explanation:
    """Explain it from an exported log alone. The log has no ages: *adult* is what whoever asks knows. Raises NotFound, InvalidRequest."""
    return _elsewhere(history.of_export(folder), volunteer, name, on, adult)


def _explain(tx: ReadTransaction, connection: Connection, volunteer: str, chain: Chain, day: date) -> Explanation:
    rules = in_force(chain, day.isoformat())
    adult = _adult(tx, volunteer) if _wants_age(rules) else "unknown"
    facts = gathering.facts(connection, volunteer, day, policy=adopted.PREFIX + rules.name, adult=adult)
    return explain(chain, facts, day.isoformat())


def _elsewhere(opened: AbstractContextManager[Connection], volunteer: str, name: str, day: date, adult: str) -> Explanation:
    with opened as connection:
        chain = adopting.chain(connection, name, day.isoformat())
        rules = in_force(chain, day.isoformat())
        known = adult if _wants_age(rules) else "unknown"
        facts = gathering.facts(connection, volunteer, day, policy=adopted.PREFIX + rules.name, adult=known)
        return explain(chain, facts, day.isoformat())


def _wants_age(rules: RuleSet) -> bool:
    """Tell whether anything is asked of the person's age: only then is the sealed ID number looked into."""
    conditions = (rules.eligibility, *(condition for level in rules.levels for condition in level.when))
    return any("adult" in condition.demands for condition in conditions)


def _adult(tx: ReadTransaction, volunteer: str) -> str:
    """Tell whether somebody is of full age today, by their sealed ID number and the age policy: yes, no or unknown."""
    person = tx.vault.open(tx.connection, ["person/" + volunteer]).get("person/" + volunteer)
    id_number = person.identity.get("id_number") if person is not None else None
    if not id_number:
        return "unknown"
    return "yes" if ages.in_force(tx.connection, tx.today.isoformat()).band(id_number, tx.today) == "adult" else "no"
