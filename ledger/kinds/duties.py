"""What units hand in when it falls due: ledgers, reports, inspections, meetings, the close of a project."""

import re
from typing import Any

from ledger.kinds.checks import INTEGER_MAX, day, holds_personal_number, index, number, slug, station
from ledger.kinds.kind import Kind

ANSWER_MAX = 1000
_FIELDS_MAX = 60
_FIELD = re.compile(r"[a-z][a-z0-9-]{0,39}")

period = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?|-Q[1-4])?").fullmatch
"""A year, a quarter (2026-Q1), a month or a day."""


def answer(value: Any) -> bool:
    """Accept what stands in a field: a text of a few lines, or a whole number."""
    if type(value) is int:
        return 0 <= value <= INTEGER_MAX
    return (
        isinstance(value, str)
        and 0 < len(value) <= ANSWER_MAX
        and value.replace("\n", "").isprintable()
        and not holds_personal_number(value)
    )


def answers(value: Any) -> bool:
    """Accept the filled-in fields of a form."""
    return (
        isinstance(value, dict) and 0 < len(value) <= _FIELDS_MAX and all(map(_FIELD.fullmatch, value)) and all(map(answer, value.values()))
    )


KINDS = (
    Kind(
        "duty.handed_in",
        1,
        {"station": station, "duty": slug, "period": period, "handed_on": day, "said": answers},
        {"organisation": number, "instead_of": index},
    ),
)
