"""What every command shares: opening the ledger, printing for people or programs, progress, and errors in the user's words."""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson
import structlog
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.exc import DatabaseError, OperationalError

from ledger.errors import InvalidRequest, LedgerError
from ledger.people.leaks import check_file, guard_logging, redact_event
from ledger.settings import Settings
from ledger.store import Ledger, open_ledger

if TYPE_CHECKING:
    from ledger.reports import Report

OUT = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 200)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)

# Diagnostics go where no program reads its answer; stderr is looked up when something is said, for tests put another in its place.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper("iso"),
        redact_event,
        structlog.dev.ConsoleRenderer(colors=False),
    ],
    logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
)
guard_logging()

as_json = click.option("--json", "json_", is_flag=True, help="以 JSON 输出，供程序读取")


class Commands(click.Group):
    """A command group whose expected errors become one sentence and exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a LedgerError ends it with its message."""
        os.umask(0o077)  # what a command writes may hold names: it is its owner's alone
        try:
            return super().invoke(ctx)
        except LedgerError as error:
            complain(str(error))
        except OperationalError as error:
            complain(f"数据库连不上或打不开（{str(error.orig).splitlines()[0][:160]}）。请检查 SHOUWANG_DATABASE_URL 和数据库是否在运行")
        except DatabaseError as error:
            complain(
                f"数据库文件坏了，读不出来（{str(error.orig).splitlines()[0][:160]}）。请先停掉 serve 和 jobs，把数据库文件另存一份，"
                "用 shouwang verify 看坏在哪里，再从备份恢复（shouwang restore）"
            )
        except OSError as error:
            if error.errno == errno.EPIPE or not error.filename:
                raise
            complain(f"{error.filename} 不能读写（{error.strerror}）。请检查文件夹是否存在、权限和剩余空间")
        except OverflowError:
            complain("数字太大，没有这样的编号或时间，请核对")
        sys.exit(2)


def ledger(*, damaged: bool = False) -> Ledger:
    """Open the ledger that the environment names; *damaged*: even one that nothing may be written to."""
    return open_ledger(Settings.from_env(), damaged=damaged)


def complain(message: str) -> None:
    """Say on stderr what is wrong."""
    ERR.print(f"[bold red]出错了：[/]{escape(message)}", markup=True)


def print_json(said: Any, public: str = "") -> None:
    """Print one JSON document on a line of its own. *public*: what it is, where others are to see it; then it holds no personal number, or NotAllowed."""
    raw = orjson.dumps(said)
    if public:
        check_file(raw, "application/json", public)
    sys.stdout.write(raw.decode() + "\n")


def write_report(report: "Report", path: Path) -> None:
    """Write a report as the kind of file that the name of *path* ends with. Raises InvalidRequest for another, and as `file_of` does."""
    from ledger.reports import FORMATS, file_of

    kind = path.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise InvalidRequest(f"不会写「{path.name}」这种文件，请把文件名写成以 .xlsx、.pdf 或 .csv 结尾")
    path.write_bytes(file_of(report, kind).content)


@contextmanager
def progress(label: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Show how far long work has come, on stderr and only to a person."""
    if quiet or not ERR.is_terminal:
        yield lambda done, total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=ERR, transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
