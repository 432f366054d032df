"""
Cosignatures: asking witnesses to stand for the newest checkpoint, and keeping what they sign (C2SP tlog-witness, tlog-cosignature).

    POST <url>/add-checkpoint    `old <size> LF`, base64 hashes of the consistency proof from there, a line each, LF, the checkpoint
    200                          signature lines; only the witness's own counts, and only if it holds
    409 text/x.tlog.size         the size that the witness has; asked once more from there

Whom to ask and how many are enough is in the policy file `Settings.witness_policy`. All witnesses are asked at once, each in a thread that touches
nothing of ours; each line is checked and stored as it comes. So one that is slow, dead or lying costs the others nothing, and asking as a whole
ends in PATIENCE_SECONDS.
"""

import queue
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from ledger import log, merkle, notes
from ledger.bulk import insert_rows, upsert_rows
from ledger.checkpoints import checkpoint_size, newest_checkpoint
from ledger.entries import format_time
from ledger.errors import LedgerError, Unavailable
from ledger.remote import post
from ledger.settings import Settings
from ledger.signing import Verifier, encode64
from ledger.store import Ledger
from ledger.tables import CheckpointRow, CosignatureRow, WitnessContactRow, table
from ledger.tiles import tile_reader
from ledger.trust_policy import Policy, Witness, read_policy

PATIENCE_SECONDS = 5.0
ANSWER_BYTES_MAX = 64 * 1024

_CHECKPOINT, _COSIGNATURE, _CONTACT = table(CheckpointRow), table(CosignatureRow), table(WitnessContactRow)
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n")
_TIME_MAX = (1 << 63) - 1
_REFUSALS = {
    400: "它认为请求有误",
    403: "它不认得本账本的公钥",
    404: "它的名单里没有本账本",
    422: "它认为本账本改写过历史：请立即运行 shouwang verify，并与它的管理者核对",
}


@dataclass(frozen=True)
class Standing:
    """How one witness stands: what it cosigned last and when, by its own clock (age in seconds), and why it last did not."""

    name: str
    vkey: str
    url: str | None
    size: int
    age_seconds: int | None
    succeeded_at: str | None
    failed_at: str | None
    error: str | None


def configured_policy(settings: Settings) -> Policy | None:
    """Read the policy of this log's witnesses; None when nobody wrote one. Raises SettingsError."""
    return read_policy(settings.witness_policy) if settings.witness_policy.exists() else None


# --- asking


def gather(ledger: Ledger, patience: float = PATIENCE_SECONDS) -> int:
    """
    Ask every configured witness that has not cosigned the newest checkpoint, all at once. Returns how many did.

    Who did not, and why, is kept for `standings`. Raises SettingsError when the policy file cannot be read.
    """
    policy = configured_policy(ledger.settings)
    with ledger.read() as tx:
        note = newest_checkpoint(tx.connection)
        held = _newest_sizes(tx.connection)
    if policy is None or note is None:
        return 0
    asking = _Asking(ledger, note, time.monotonic() + patience)
    for witness in policy.witnesses:
        if witness.url and held.get(witness.verifier.vkey, 0) < asking.size:
            asking.ask(witness, held.get(witness.verifier.vkey, 0))
    return asking.finish()


class _Asking:
    """One round of asking. Threads talk to the witnesses; everything of ours is read and written by the thread that waits for them."""

    def __init__(self, ledger: Ledger, note: str, deadline: float) -> None:
        self._ledger = ledger
        self._note = note
        self._deadline = deadline
        self._said: queue.SimpleQueue[tuple[Witness, str | int | LedgerError]] = queue.SimpleQueue()
        self._waiting: dict[Witness, int] = {}  # -> how often it was asked
        self.size = checkpoint_size(note)

    def ask(self, witness: Witness, old: int) -> None:
        """Have a thread ask a witness that has *old* entries."""
        self._waiting[witness] = self._waiting.get(witness, 0) + 1
        body = f"old {old}\n{self._proof(old)}\n{self._note}".encode()
        threading.Thread(target=self._talk, args=(witness, body), daemon=True, name=f"ask {witness.name}").start()

    def _proof(self, old: int) -> str:
        with self._ledger.read() as tx:
            read = tile_reader(self.size, lambda level, index, width: log.read_tile(tx.connection, level, index, width))
            return "".join(f"{encode64(each)}\n" for each in merkle.consistency_proof(old, self.size, read))

    def _talk(self, witness: Witness, body: bytes) -> None:
        try:
            self._said.put((witness, _add_checkpoint(witness, body, self._note, self._deadline)))
        except LedgerError as error:
            self._said.put((witness, error))

    def finish(self) -> int:
        """Take the answers as they come, until all are there or time is over."""
        count = 0
        while self._waiting:
            try:
                witness, said = self._said.get(timeout=max(self._deadline - time.monotonic(), 0))
            except queue.Empty:
                break
            if isinstance(said, int):
                if said <= self.size and self._waiting[witness] == 1:
                    self.ask(witness, said)
                    continue
                said = Unavailable(_ahead(said, self.size))
            del self._waiting[witness]
            count += self._keep(witness, said)
        for witness in self._waiting:
            self._keep(witness, Unavailable("没有在时限内回答"))
        return count

    def _keep(self, witness: Witness, said: str | LedgerError) -> bool:
        if isinstance(said, str):
            self._ledger.operate(lambda connection, now: store(connection, self.size, {witness.verifier.vkey: said}, now))
        else:
            self._ledger.operate(lambda connection, now: _store_failure(connection, witness.verifier.vkey, str(said), now))
        return isinstance(said, str)


def _add_checkpoint(witness: Witness, body: bytes, note: str, deadline: float) -> str | int:
    """Ask a witness. Returns its line, or the size that it has instead. Raises LedgerError."""
    answer = post(f"{(witness.url or '').rstrip('/')}/add-checkpoint", body, deadline=deadline, limit=ANSWER_BYTES_MAX)
    if answer.status == 409 and answer.content_type == "text/x.tlog.size" and (said := _SIZE.fullmatch(answer.body)):
        return int(said[1])
    if answer.status != 200:
        raise Unavailable(f"没有联署：{_REFUSALS.get(answer.status, '它没有按约定回答')}（HTTP {answer.status}）")
    return check_line(note, answer.body, witness.verifier)


def _ahead(theirs: int, ours: int) -> str:
    if theirs > ours:
        return f"它已联署到 {theirs} 条，本账本的检查点只有 {ours} 条：这里可能是一份旧备份，请先查明"
    return f"它两次报的条数不一致（{theirs} 条）"


def check_line(note: str, lines: bytes, witness: Verifier) -> str:
    """
    Find a witness's own line for a checkpoint among signature lines, and check it.

    Raises:
        NoteError: there is none, it is false, or it states no time.
    """
    text, _ = notes.note_parts(note.encode())
    (line,) = notes.signed_lines(text, lines, [witness])
    if not 0 < notes.cosignature_time(line) <= _TIME_MAX:
        raise notes.NoteError(f"{witness.name} 的联署没有写明时间。")
    return line


# --- keeping


def store(connection: Connection, size: int, lines: dict[str, str], now: datetime) -> None:
    """Store checked lines (by the witness's vkey) under the checkpoint of that size; the first that came stays."""
    there = set(connection.execute(select(_COSIGNATURE.c.witness).where(_COSIGNATURE.c.size == size)).scalars())
    new = [{"size": size, "witness": vkey, "line": line} for vkey, line in lines.items() if vkey not in there]
    insert_rows(connection, _COSIGNATURE, new)
    upsert_rows(connection, _CONTACT, [{"witness": vkey, "succeeded_at": format_time(now)} for vkey in lines])


def _store_failure(connection: Connection, vkey: str, error: str, now: datetime) -> None:
    upsert_rows(connection, _CONTACT, [{"witness": vkey, "failed_at": format_time(now), "error": error}])


def _newest_sizes(connection: Connection) -> dict[str, int]:
    rows = connection.execute(select(_COSIGNATURE.c.witness, func.max(_COSIGNATURE.c.size)).group_by(_COSIGNATURE.c.witness))
    return {row[0]: row[1] for row in rows}


def cosigners(connection: Connection, size: int) -> list[Verifier]:
    """Name the keys whose lines are kept under the checkpoint of that size."""
    found = connection.execute(select(_COSIGNATURE.c.witness).where(_COSIGNATURE.c.size == size).order_by(_COSIGNATURE.c.witness))
    return [Verifier.from_vkey(vkey) for vkey in found.scalars()]


def standings(connection: Connection, policy: Policy, now: datetime) -> list[Standing]:
    """Tell how each witness of the policy stands."""
    sizes = _newest_sizes(connection)
    contacts = {row.witness: row for row in connection.execute(select(_CONTACT))}
    return [_standing(connection, witness, sizes, contacts.get(witness.verifier.vkey), now) for witness in policy.witnesses]


def _standing(connection: Connection, witness: Witness, sizes: dict[str, int], contact: object, now: datetime) -> Standing:
    vkey = witness.verifier.vkey
    size = sizes.get(vkey, 0)
    line = connection.execute(select(_COSIGNATURE.c.line).where(_COSIGNATURE.c.size == size, _COSIGNATURE.c.witness == vkey)).scalar()
    age = max(int(now.timestamp()) - notes.cosignature_time(line), 0) if line else None
    said = (getattr(contact, name, None) for name in ("succeeded_at", "failed_at", "error"))
    return Standing(witness.name, vkey, witness.url, size, age, *said)


# --- verifying


def faults(connection: Connection) -> Iterator[tuple[str, str, str]]:
    """Check every line that is kept against its checkpoint: (what, expected, found) for each that does not hold."""
    rows = select(_COSIGNATURE, _CHECKPOINT.c.note).outerjoin(_CHECKPOINT, _CHECKPOINT.c.size == _COSIGNATURE.c.size)
    for row in connection.execute(rows.order_by(_COSIGNATURE.c.size, _COSIGNATURE.c.witness)):
        what = f"cosignature/{row.size}/{str(row.witness).partition('+')[0]}"
        if not all(isinstance(value, str) for value in (row.witness, row.line, row.note)):
            yield what, "一份检查点的联署", "没有这份检查点，或不是文本"
            continue
        try:
            line = check_line(row.note, row.line.encode(), Verifier.from_vkey(row.witness))
        except LedgerError as error:
            yield what, "见证人的真实联署", str(error)
        else:
            if line != row.line:
                yield what, line, row.line
