"""
The entry: one fact and its place in the log, as bytes that are written once and hashed for ever.

An entry is an RFC 8785 (JCS) JSON object with exactly these members, at most 60,000 bytes:

    actor        account that said it                        id           UUIDv7, the client's idempotency key
    body         the kind's own fields (kinds/)            index        0-based number in the log
    chains       subject -> [n] or [n, leaf]                 kind, v      what the body means
    recorded_at  RFC 3339, milliseconds, +08:00              prev         leaf hash of entry index-1; absent in entry 0

`chains` holds for each subject of the body the entry's number in that subject's own chain (from 1) and, from 2 on, the leaf hash of the
subject's previous entry. Hashes are standard base64. The leaf hash is SHA-256(0x00 || bytes) (RFC 6962 section 2.1), and the tree over all
leaves is the authority; `prev` and `chains` are covered by it.

Bytes are made once, by `encode`; they are stored, served and verified as they are. Nothing re-serialises an entry to hash it. Numbers are
integers below 2^53 and keys are ASCII, so sorting keys by code point is JCS order and orjson gives the same bytes as RFC 8785.
"""

from binascii import b2a_base64
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

import orjson

from ledger.checking.reading import ACTOR, ENTRY_BYTES_MAX, TIME
from ledger.errors import Corrupt, InvalidRequest
from ledger.kinds import KINDS, Body, subjects
from ledger.kinds.checks import INTEGER_MAX, digest, uuid

SHANGHAI = timezone(timedelta(hours=8))
_MEMBERS = ("actor", "body", "chains", "id", "index", "kind", "prev", "recorded_at", "v")
_FIRST_MEMBERS = tuple(name for name in _MEMBERS if name != "prev")


@dataclass(slots=True)  # not frozen: that would double what it takes to make one, and they are made by the million
class Entry:
    """A decoded entry, never changed. *chains* maps a subject to (number, leaf hash of its previous entry or None); *prev* is None in entry 0."""

    index: int
    id: str
    kind: str
    version: int
    actor: str
    recorded_at: str
    body: Body
    chains: dict[str, list[Any]]
    prev: str | None

    def members(self) -> dict[str, Any]:
        """Give the JSON object's members."""
        said = {
            "actor": self.actor,
            "body": self.body,
            "chains": self.chains,
            "id": self.id,
            "index": self.index,
            "kind": self.kind,
            "recorded_at": self.recorded_at,
            "v": self.version,
        }
        if self.prev is not None:
            said["prev"] = self.prev
        return said


def format_time(moment: datetime) -> str:
    """Write an aware time as entries do: 2026-03-05T09:12:00.000+08:00."""
    return moment.astimezone(SHANGHAI).isoformat(timespec="milliseconds")


def b64(digest: bytes) -> str:
    """Write a hash as entries do: standard base64, padded."""
    return b2a_base64(digest, newline=False).decode()


def encode(members: dict[str, Any]) -> bytes:
    """Make an entry's bytes from its members, whose body has been validated. Raises InvalidRequest when they are too many."""
    raw = orjson.dumps(members, option=orjson.OPT_SORT_KEYS)
    if len(raw) > ENTRY_BYTES_MAX:
        raise InvalidRequest(f"一条记录最多 {ENTRY_BYTES_MAX} 字节，这一条有 {len(raw)} 字节，请分成几条")
    return raw


Members = tuple[str, Body, dict[str, list[Any]], str, int, str, str | None, str, int]
"""actor, body, chains, id, index, kind, prev (None in entry 0), recorded_at, v: in the order of their names."""


def decode(raw: bytes) -> Entry:
    """Read an entry strictly. Raises Corrupt as `parse` does."""
    actor, body, chains, entry_id, index, kind, prev, recorded_at, version = parse(raw)
    return Entry(index, entry_id, kind, version, actor, recorded_at, body, chains, prev)


def parse(raw: bytes) -> Members:  # noqa: C901 one check after the other, without a call between
    """Read an entry strictly: exact members, known kind, valid body, the chains its body calls for, and the one canonical spelling.

    Raises Corrupt saying what is wrong.
    """
    if len(raw) > ENTRY_BYTES_MAX:
        raise Corrupt(f"超过 {ENTRY_BYTES_MAX} 字节")
    try:
        data = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Corrupt("不是 JSON") from None
    if type(data) is not dict:
        raise Corrupt("不是 JSON 对象")
    names = tuple(data)
    if names == _MEMBERS:
        members = tuple(data.values())
    elif names == _FIRST_MEMBERS:
        members = (*[data[name] for name in _MEMBERS[:6]], None, data["recorded_at"], data["v"])
    else:
        raise Corrupt("成员不对：除第 0 条外都应有 prev，没有别的成员，并按名称排列")
    try:
        _check_members(members)
    except (KeyError, IndexError, TypeError, AttributeError):
        raise Corrupt("成员的类型不对") from None
    _, body, chains, _, _, kind, _, _, version = members
    known = KINDS.get((kind, version))
    if known is None:
        raise Corrupt(f"不认识的种类 {kind} v{version}")
    try:
        known.validate(body)
    except InvalidRequest as error:
        raise Corrupt(str(error)) from None
    if chains.keys() != {*subjects(body)}:
        raise Corrupt("所属的链与内容不符")
    if orjson.dumps(data, option=orjson.OPT_SORT_KEYS) != raw:
        raise Corrupt("不是规范写法（RFC 8785）")
    return members


def _check_members(members: Members) -> None:
    """Check the envelope. Raises Corrupt, or KeyError, IndexError, TypeError, AttributeError for what is of another type."""
    actor, _, chains, entry_id, index, kind, prev, recorded_at, version = members
    if type(index) is not int or type(version) is not int or type(kind) is not str or not 0 <= index <= INTEGER_MAX:
        raise Corrupt("index、v 应是整数，kind 应是文字")
    if (index == 0) != (prev is None):
        raise Corrupt("除第 0 条外都应有 prev")
    if not (uuid(entry_id) and _is_stamp(actor, recorded_at)):
        raise Corrupt("actor、id 或 recorded_at 写法不对")
    if prev is not None and not digest(prev):
        raise Corrupt("prev 不是散列值")
    for said in chains.values():
        number = said[0]
        if type(said) is not list or type(number) is not int or not 1 <= number <= INTEGER_MAX:
            raise Corrupt("chains 的序号不对")
        if len(said) != (1 if number == 1 else 2) or (number > 1 and not digest(said[1])):
            raise Corrupt("chains 的散列值不对")


@lru_cache(maxsize=1024)
def _is_stamp(actor: str, recorded_at: str) -> bool:
    """Tell whether these can be an entry's actor and time; the entries of a commit share them."""
    return ACTOR.fullmatch(actor) is not None and TIME.fullmatch(recorded_at) is not None
