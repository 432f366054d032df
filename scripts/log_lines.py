"""What `serve` and `jobs` log: one JSON document a line on stderr, so that other programs can read it; personal numbers starred out as everywhere."""

import logging
import sys
from datetime import datetime
from typing import Any

import orjson
import structlog

from ledger.entries import SHANGHAI
from ledger.people.leaks import redact, redact_event


class JsonLines(logging.Formatter):
    """Writes a record of Python's own logging as a JSON document: at, level, logger, event, the fields of *said*, and a trace."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, SHANGHAI).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **getattr(record, "said", {}),
        }
        if record.exc_info or record.exc_text:
            line["trace"] = record.exc_text or redact(self.formatException(record.exc_info))  # type: ignore[arg-type]
        return orjson.dumps(line, default=str).decode()


def begin() -> None:
    """Log JSON lines from now on. A terminal is somebody's screen: only what is wrong is said there."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING if sys.stderr.isatty() else logging.INFO, force=True)
    for noisy in ("apscheduler", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # that requests wait for a moment is no news
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper("iso", utc=False, key="at"),
            redact_event,
            structlog.processors.JSONRenderer(serializer=lambda said, **_: orjson.dumps(said, default=str).decode()),
        ]
    )
