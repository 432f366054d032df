"""
What was counted for a board, the indicators, a year's report or a file for everybody, kept until the log grows or the day changes.

Every such count follows from the log and the day alone (projections are folds of it), so an answer for the same size of the log on the same day is
the same answer: nothing old is ever shown, and between two writes a district's boards cost no counting.
"""

from collections.abc import Callable
from datetime import date
from threading import Lock
from typing import Any, TypeVar, cast

from flask import current_app

from ledger.log import tree_head
from ledger.transactions import ReadTransaction

Answer = TypeVar("Answer")
ANSWERS_MAX = 500


class Kept:
    """Answers for one size of the log and one day. Whoever asks for one that is being counted waits for it instead of counting it too."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._as_of: tuple[int, date] | None = None
        self._answers: dict[Any, Any] = {}

    def get(self, tx: ReadTransaction, question: Any, count: Callable[[], Answer]) -> Answer:
        """Give the answer to a question (hashable), counted by *count* unless it is known as of this transaction."""
        as_of = (tree_head(tx.connection).size, tx.today)
        with self._lock:
            if as_of != self._as_of or len(self._answers) >= ANSWERS_MAX:
                self._as_of, self._answers = as_of, {}
            if question not in self._answers:
                self._answers[question] = count()
            return cast("Answer", self._answers[question])


def kept() -> Kept:
    """Give what this application keeps."""
    found: Kept = current_app.extensions["kept"]
    return found
