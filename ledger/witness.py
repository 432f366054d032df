"""
Being a witness: cosigning what other logs sign, as long as each keeps to one history (C2SP tlog-witness; HTTP is in `api/witness.py`).

    add-checkpoint    `old <size> LF`, at most 63 base64 hashes, a line each, LF, the log's signed checkpoint
    200 a cosignature line · 400 malformed, or old above the checkpoint's size · 403 no good signature of the log · 404 unknown origin
    409 text/x.tlog.size: another size was cosigned last · 422 the proof does not hold, or the same size has another root

State: of each origin the size and root cosigned last, in a store of its own (`Settings.witness_store`). It is compared and replaced in one
transaction, durable before the answer leaves: of two checkpoints at once one is cosigned, and nothing that was cosigned is ever forgotten. So the
store is made by `create_witness` alone, together with the key; a key without its store must not go on.

Two roots that a log signed for one size prove a fork: both notes are kept whole, to show to others. A checkpoint that came with a proof that does not
hold is kept too, as a doubt only: anybody may send a true checkpoint with a false proof.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger import merkle, notes
from ledger.entries import format_time
from ledger.errors import SettingsError
from ledger.merkle import EMPTY_ROOT, HASH_BYTES, ProofError
from ledger.notes import Checkpoint, NoteError, Signer
from ledger.people.key_files import read_secret, write_new_key
from ledger.settings import Settings
from ledger.signing import Verifier, decode64, decode_text
from ledger.trust_policy import Policy

REQUEST_BYTES_MAX = 64 * 1024
TEXT, TREE_SIZE = "text/plain; charset=utf-8", "text/x.tlog.size"

_HASHES_MAX = 63
_DOUBTS_MAX = 100  # of an origin, since anybody can raise them
_SCHEMA = """
CREATE TABLE cosigned (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL) STRICT;
CREATE TABLE evidence (origin TEXT, kept TEXT, sent TEXT, proven INTEGER NOT NULL, request BLOB NOT NULL, seen_at TEXT NOT NULL,
    PRIMARY KEY (origin, kept, sent)) STRICT;
"""


@dataclass(frozen=True)
class Answer:
    """What to answer over HTTP. *is_fork*: the log signed something else for a size that was cosigned before; the evidence was kept."""

    status: int
    content_type: str
    body: bytes
    is_fork: bool = False


@dataclass(frozen=True)
class Evidence:
    """Two notes by one log: what was cosigned, and what was sent afterwards. *proven*: one size and two roots; else a doubt."""

    origin: str
    kept: str
    sent: str
    proven: bool
    seen_at: str


class _Refused(Exception):
    """An answer on its way out, no error of the ledger's."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def create_witness(settings: Settings, name: str) -> str:
    """Make the witness's key and its empty store. Returns the vkey of its cosignatures. Raises SettingsError if there is a key or a store."""
    if settings.witness_key.exists() or settings.witness_store.exists():
        raise SettingsError("见证人的密钥或记录已经有了。密钥和记录要一起用；要换新的见证人，请另用一个 SHOUWANG_HOME")
    signer = Signer(name, Ed25519PrivateKey.generate())
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with closing(sqlite3.connect(settings.witness_store)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
    write_new_key(settings.witness_key, signer.to_pem())
    _vkey_file(settings).write_text(signer.cosigner_vkey + "\n")
    return signer.cosigner_vkey


def witness_vkey(settings: Settings) -> str:
    """Read the vkey of this deployment's cosignatures. Raises SettingsError when it is no witness."""
    if not _vkey_file(settings).exists():
        raise SettingsError("这里还不是见证人。请先运行 shouwang witness init 名称")
    return _vkey_file(settings).read_text().strip()


def _vkey_file(settings: Settings) -> Path:
    return settings.witness_key.with_suffix(".vkey")


class Witness:
    """A witness for the logs of a policy. Safe to call from several threads and processes on one store."""

    def __init__(self, settings: Settings, policy: Policy, clock: Callable[[], datetime]) -> None:
        self.vkey = witness_vkey(settings)
        self._signer = Signer.from_pem(Verifier.from_vkey(self.vkey).name, read_secret(settings.witness_key))
        if self._signer.cosigner_vkey != self.vkey:
            raise SettingsError("见证人的密钥和公钥文件不是一对。请从备份取回 keys 文件夹")
        self._store = _Store(settings.witness_store)
        self._clock = clock
        self._logs: dict[str, list[Verifier]] = {}
        for known in policy.logs:
            self._logs.setdefault(known.verifier.name, []).append(known.verifier)

    @property
    def origins(self) -> list[str]:
        """The logs that are cosigned here."""
        return list(self._logs)

    def add_checkpoint(self, request: bytes) -> Answer:
        """Cosign a checkpoint if it extends what was cosigned before; whatever the request holds, there is an answer."""
        try:
            old, proof, note = _parse_request(request)
            text, checkpoint, lines = self._open(note)
            if old > checkpoint.size:
                raise _Refused(HTTPStatus.BAD_REQUEST, f"old {old} 大于检查点的 {checkpoint.size} 条")
        except _Refused as refusal:
            return Answer(refusal.status, TEXT, f"{refusal}\n".encode())
        with self._store.changing() as db:
            return self._decide(db, _Asked(request, old, proof, text, checkpoint, lines))

    def _open(self, note: bytes) -> tuple[str, Checkpoint, list[str]]:
        """Return a note's text, its checkpoint and the lines of the log's own keys."""
        try:
            text, lines = notes.note_parts(note)
        except NoteError as error:
            raise _Refused(HTTPStatus.BAD_REQUEST, str(error)) from error
        origin, _, rest = text.partition("\n")
        if origin not in self._logs:
            raise _Refused(HTTPStatus.NOT_FOUND, "名单里没有这个账本")
        try:
            signed = notes.signed_lines(text, lines, self._logs[origin])
        except NoteError as error:
            raise _Refused(HTTPStatus.FORBIDDEN, str(error)) from error
        try:
            checkpoint = notes.parse_checkpoint(text)
        except NoteError as error:
            is_empty = rest.startswith("0\n")  # its log says that nothing has this root: inconsistent rather than malformed
            raise _Refused(HTTPStatus.UNPROCESSABLE_ENTITY if is_empty else HTTPStatus.BAD_REQUEST, str(error)) from error
        if checkpoint.size >= 1 << 63:
            raise _Refused(HTTPStatus.BAD_REQUEST, "条数过大")
        return text, checkpoint, signed

    def _decide(self, db: sqlite3.Connection, asked: "_Asked") -> Answer:
        """Compare with the state and replace it; nobody else can in between."""
        new = asked.checkpoint
        size, root, kept = db.execute("SELECT size, root, note FROM cosigned WHERE origin = ?", (new.origin,)).fetchone() or (
            0,
            EMPTY_ROOT,
            "",
        )
        now = self._clock()
        is_fork = new.size == size and new.root != root
        if is_fork:
            _keep_evidence(db, asked, kept, now, proven=True)
        if asked.old != size:
            return Answer(HTTPStatus.CONFLICT, TREE_SIZE, f"{size}\n".encode(), is_fork)
        try:
            merkle.verify_consistency(asked.proof, old_size=size, old_root=root, new_size=new.size, new_root=new.root)
        except ProofError as error:
            if kept and not is_fork:
                _keep_evidence(db, asked, kept, now, proven=False)
            return Answer(HTTPStatus.UNPROCESSABLE_ENTITY, TEXT, f"{error}\n".encode(), is_fork)
        line = notes.cosign(asked.text, self._signer, int(now.timestamp()))
        note = f"{asked.text}\n{''.join(asked.lines)}{line}"
        db.execute("INSERT OR REPLACE INTO cosigned VALUES (?, ?, ?, ?)", (new.origin, new.size, new.root, note))
        return Answer(HTTPStatus.OK, TEXT, line.encode())

    def checkpoint(self, origin_hash: str) -> bytes | None:
        """Give the newest cosigned checkpoint of the log whose origin has that SHA-256 in lowercase hex; None if there is none."""
        named = [origin for origin in self._logs if sha256(origin.encode()).hexdigest() == origin_hash]
        with self._store.reading() as db:
            row = db.execute("SELECT note FROM cosigned WHERE origin = ?", named[:1] or ("",)).fetchone()
        return row[0].encode() if row else None


@dataclass(frozen=True)
class _Asked:
    """A request whose form and signature are good."""

    request: bytes
    old: int
    proof: list[bytes]
    text: str
    checkpoint: Checkpoint
    lines: list[str]


def _parse_request(request: bytes) -> tuple[int, list[bytes], bytes]:
    if len(request) > REQUEST_BYTES_MAX:
        raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"请求过大：最多 {REQUEST_BYTES_MAX} 字节")
    head, blank, note = request.partition(b"\n\n")
    try:
        first, *lines = decode_text(head).split("\n")
        size = first.removeprefix("old ")
        if not blank or size == first or not size.isascii() or not size.isdecimal() or str(int(size[:20])) != size:
            raise NoteError("请求应以 old 一行开头，空行之后是检查点")
        proof = [decode64(line, "证明里的哈希") for line in lines]
        if len(proof) > _HASHES_MAX or any(len(each) != HASH_BYTES for each in proof):
            raise NoteError(f"证明里的哈希最多 {_HASHES_MAX} 个，各 {HASH_BYTES} 字节")
    except NoteError as error:
        raise _Refused(HTTPStatus.BAD_REQUEST, str(error)) from error
    return int(size), proof, note


def _keep_evidence(db: sqlite3.Connection, asked: _Asked, kept: str, now: datetime, *, proven: bool) -> None:
    origin = asked.checkpoint.origin
    (doubts,) = db.execute("SELECT count(*) FROM evidence WHERE origin = ? AND NOT proven", (origin,)).fetchone()
    if proven or doubts < _DOUBTS_MAX:
        sent = f"{asked.text}\n{''.join(asked.lines)}"
        row = (origin, kept, sent, proven, asked.request, format_time(now))
        db.execute("INSERT OR IGNORE INTO evidence VALUES (?, ?, ?, ?, ?, ?)", row)


def evidence(settings: Settings) -> list[Evidence]:
    """List what logs sent that does not fit what was cosigned, oldest first."""
    with _Store(settings.witness_store).reading() as db:
        rows = db.execute("SELECT origin, kept, sent, proven, seen_at FROM evidence ORDER BY seen_at, origin")
        return [Evidence(origin, kept, sent, bool(proven), seen_at) for origin, kept, sent, proven, seen_at in rows]


class _Store:
    """The witness's own SQLite file: WAL, synchronous=FULL."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self.reading():
            pass

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Open the store, for one purpose."""
        if not self._path.exists():
            raise SettingsError(
                f"找不到见证记录 {self._path.name}。没有它就不知道联署过什么，这个见证人不能再用；请从原机器取回，或另建见证人（shouwang witness init）"
            )
        with closing(sqlite3.connect(self._path, timeout=30, isolation_level=None)) as db:
            db.execute("PRAGMA synchronous=FULL")
            yield db

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """Be the only one who changes it; what was done is durable afterwards, or undone."""
        with self.reading() as db:
            db.execute("BEGIN IMMEDIATE")
            with db:
                yield db
