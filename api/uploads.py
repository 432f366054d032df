"""
Files in hand: from the upload over the rehearsal to the commit.

    checking -> checked -> committing -> committed        (failed: the file as a whole cannot be used)

What was uploaded is sealed in table `upload` under a key of its own, seen only by the account that brought it, and gone a day later
at the latest. After the commit it is kept only if rows were refused, for the workbook that names them. Large files are worked on in
one thread of their own; how far it has come is kept in memory, because the work itself holds the writer's place. Work that a restart
cut short has written nothing and begins anew.
"""

import logging
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, select

from ledger import imports
from ledger.bulk import insert_rows
from ledger.entries import format_time
from ledger.errors import InvalidRequest, LedgerError, NotFound
from ledger.ids import new_entry_id
from ledger.imports import Outcome
from ledger.people import leaks
from ledger.people.actors import Actor
from ledger.people.identity import mask_name
from ledger.service import second_signatures
from ledger.sheets.problems import problem_workbook
from ledger.sheets.reading import read_sheet
from ledger.store import Ledger
from ledger.tables import UploadRow, table

ACTION = {"hours": "record", "volunteers": "register", "organisations": "register", "stations": "set_up", "units": "set_up"}
"""What an actor must be allowed to do to bring a kind of file; where, the ledger checks row by row."""
AT_ONCE_BYTES = 300_000
KEPT = timedelta(days=1)
NAMES_SHOWN = 2_000

_UPLOAD = table(UploadRow)
_log = logging.getLogger("shouwang.web")


@dataclass(frozen=True)
class Upload:
    """One file in hand. *outcome*: what the rehearsal or the commit answered, as `_pack` wrote it; {"error": sentence} when it failed."""

    id: str
    kind: str
    state: str
    file: str
    uploaded_at: str
    outcome: dict[str, Any]
    done: int = 0
    total: int = 0


class Uploads:
    """The files in hand of one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="upload")
        self._lock = threading.Lock()
        self._running: dict[str, tuple[int, int]] = {}

    def add(self, actor: Actor, kind: str, content: bytes, filename: str) -> str:
        """Take a file and rehearse it. Returns its id. Raises InvalidRequest, NotAllowed."""
        if not content:
            raise InvalidRequest(f"「{filename[:60]}」是空文件，请检查是否选错了")
        upload = new_entry_id()
        name = filename.replace("\\", "/").rsplit("/", 1)[-1][:120] or "未命名"
        sealed, key = self._ledger.vault.seal_new(f"upload/{upload}", orjson.dumps(name) + b"\n" + content)
        row = {"id": upload, "account": actor.account, "kind": kind, "state": "checking", "content": sealed}

        def insert(connection: Connection, now: Any) -> None:
            self._ledger.vault.store_keys(key)
            connection.execute(_UPLOAD.delete().where(_UPLOAD.c.uploaded_at < format_time(now - KEPT)))
            insert_rows(connection, _UPLOAD, [row | {"done": 0, "total": 0, "outcome": None, "uploaded_at": format_time(now)}])

        self._ledger.operate(insert)
        self._start(upload, actor, len(content))
        return upload

    def get(self, actor: Actor, upload: str) -> Upload:
        """Give a file in hand; work that a restart cut short begins anew. Raises NotFound when it is another's, or gone."""
        row = self._row(actor, upload)
        if row.state in ("checking", "committing"):
            with self._lock:
                running = self._running.get(upload)
            if running is not None:
                return self._opened(row, *running)
            row = self._row(actor, upload)
            if row.state in ("checking", "committing"):
                self._start(upload, actor, AT_ONCE_BYTES)
                return self._opened(row)
        return self._opened(row)

    def mine(self, actor: Actor) -> list[Upload]:
        """List the files that an account has in hand, newest first."""
        query = select(_UPLOAD).where(_UPLOAD.c.account == actor.account).order_by(_UPLOAD.c.uploaded_at.desc(), _UPLOAD.c.id.desc())
        with self._ledger.read() as tx:
            rows = tx.connection.execute(query).all()
        kept = set(self._ledger.vault.with_keys([f"upload/{row.id}" for row in rows]))
        return [self._opened(row) for row in rows if f"upload/{row.id}" in kept]

    def commit(self, actor: Actor, upload: str, reasons: Mapping[int, str]) -> None:
        """Record what the rehearsal found right. *reasons*: why rows over the daily cap were so long; a second person is asked to sign for them.

        Raises InvalidRequest when it is not there to be committed (any more), or a reason cannot be taken.
        """
        for reason in reasons.values():
            second_signatures.check_reason(reason)
        row = self._row(actor, upload)

        def claim(connection: Connection, _now: Any) -> int:
            claimed = _UPLOAD.update().where(_UPLOAD.c.id == upload, _UPLOAD.c.state == "checked").values(state="committing")
            return int(connection.execute(claimed).rowcount)

        if row.state == "committed" or not self._ledger.operate(claim):
            raise InvalidRequest("这个文件已经提交过，或正在提交。请回到「登记活动」查看结果")
        self._start(upload, actor, len(row.content), reasons)

    def discard(self, actor: Actor, upload: str) -> None:
        """Drop a file in hand; what was committed from it stays."""
        row = self._row(actor, upload)
        if row.state == "committing":
            raise InvalidRequest("正在提交，不能丢弃，请稍候")
        self._ledger.operate(lambda connection, _now: connection.execute(_UPLOAD.delete().where(_UPLOAD.c.id == upload)))

    def workbook(self, actor: Actor, upload: str) -> tuple[str, bytes]:
        """Make the user's own workbook with the problems written in: its name and bytes. Raises NotFound."""
        row = self._row(actor, upload)
        found = self._opened(row)
        if not found.outcome.get("rejected") or not row.content:
            raise NotFound("这个文件没有问题表：没有被退回的行，或文件已按规定删除")
        name, content = self._content(row)
        problems = {problem["row"]: problem["message"] for problem in found.outcome["rejected"]}
        marked = problem_workbook(content, read_sheet(content, name), found.outcome["header_row"], problems)
        return f"问题表-{name.rsplit('.', 1)[0]}.xlsx", marked

    def _start(self, upload: str, actor: Actor, size: int, reasons: Mapping[int, str] | None = None) -> None:
        """Work on a file, at once or in the thread: rehearse it, or commit it with what was said of rows over the daily cap."""
        with self._lock:
            if upload in self._running:
                return
            self._running[upload] = (0, 0)
        if size < AT_ONCE_BYTES:
            self._work(upload, actor, reasons)
        else:
            self._pool.submit(self._work, upload, actor, reasons)

    def _work(self, upload: str, actor: Actor, reasons: Mapping[int, str] | None) -> None:
        def progress(done: int, total: int) -> None:
            with self._lock:
                self._running[upload] = (done, total)

        try:
            self._finish(upload, actor, progress, reasons)
        finally:
            with self._lock:
                del self._running[upload]

    def _finish(self, upload: str, actor: Actor, progress: imports.Progress, reasons: Mapping[int, str] | None) -> None:
        """Rehearse or commit, and keep what came of it. Raises NotFound when the file was dropped meanwhile."""
        row = self._row(actor, upload)
        rehearse = reasons is None
        state, kept = "failed", row.content
        try:
            name, content = self._content(row)
            outcome = imports.run(self._ledger, row.kind, content, name, actor, rehearse=rehearse, progress=progress, reasons=reasons)
            answer = _pack(outcome)
            state = "checked" if rehearse else "committed"
            if not rehearse and not outcome.rejected:
                kept = b""
        except LedgerError as error:
            answer = {"error": str(error)}
        except Exception as error:  # noqa: BLE001 a thread of its own: the page has to say that it failed
            _log.error("upload %s failed\n%s", upload, leaks.trace(error))
            answer = {"error": "处理这个文件时出了意外，没有登记任何内容。请再试一次；还是不行，请把文件交给管理员"}
        sealed = self._ledger.vault.seal_more(f"upload/{upload}", orjson.dumps(answer), "outcome")
        change = _UPLOAD.update().where(_UPLOAD.c.id == upload).values(state=state, outcome=sealed, content=kept)
        self._ledger.operate(lambda connection, _now: connection.execute(change))

    def _row(self, actor: Actor, upload: str) -> Any:
        query = select(_UPLOAD).where(_UPLOAD.c.id == upload, _UPLOAD.c.account == actor.account)
        with self._ledger.read() as tx:
            row = tx.connection.execute(query).one_or_none()
        if row is None:
            raise NotFound("没有这个文件：它可能已经过了一天，按规定删除了。请重新上传")
        return row

    def _content(self, row: Any) -> tuple[str, bytes]:
        name, _, content = self._ledger.vault.open_more(f"upload/{row.id}", row.content, f"upload/{row.id}").partition(b"\n")
        return orjson.loads(name), content

    def _opened(self, row: Any, done: int = 0, total: int = 0) -> Upload:
        outcome = orjson.loads(self._ledger.vault.open_more(f"upload/{row.id}", row.outcome, "outcome")) if row.outcome else {}
        name = outcome.get("file") or (self._content(row)[0] if row.content else "")
        return Upload(row.id, row.kind, row.state, name, row.uploaded_at, outcome, done, total)


def _pack(outcome: Outcome) -> dict[str, Any]:
    """Keep what the pages show of an outcome."""
    rejected = {problem.row for problem in (*outcome.rejected, *outcome.signing)}
    return {
        "file": outcome.file,
        "activity": outcome.activity,
        "facts": outcome.facts,
        "accepted": outcome.accepted,
        "already": outcome.already,
        "minutes": outcome.minutes,
        "batch": outcome.batch,
        "header_row": outcome.header_row,
        "parked": len(outcome.parked),
        "rejected": _problems(outcome.rejected),
        "signable": outcome.signable,
        "signing": _problems(outcome.signing),
        "remarks": _problems(outcome.remarks),
        "fine": _names(outcome, rejected),
        "receipts": [[receipt.index, receipt.short_hash] for receipt in outcome.receipts],
    }


def _problems(problems: Iterable[imports.Problem]) -> list[dict[str, Any]]:
    return [{"row": p.row, "code": p.code, "message": p.message, "column": p.column, "name": p.name} for p in problems]


def _names(outcome: Outcome, rejected: set[int]) -> list[list[Any]]:
    """List the rows without a problem: number and masked name, where the sheet has a column of names."""
    header = outcome.sheet.rows[outcome.header_row - 1] if outcome.header_row else []
    column = next((at for at, cell in enumerate(header) if isinstance(cell, str) and "姓名" in "".join(cell.split())), None)
    if column is None:
        return []
    rows = enumerate(outcome.sheet.rows[outcome.header_row :], outcome.header_row + 1)
    named = ((number, row[column]) for number, row in rows if column < len(row) and number not in rejected)
    return [[number, mask_name("".join(cell.split()))] for number, cell in named if isinstance(cell, str) and cell.strip()][:NAMES_SHOWN]
