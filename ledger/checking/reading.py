"""
Entries read strictly with the standard library alone: what an outsider needs to judge an exported log or a record bundle.

It holds bytes to the rules of entries.py, with kinds.py for the bodies, but needs neither database nor any package. `Follower` then keeps what the
entries before said, to judge places, times, ids and chains.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from ledger.checking.faults import Report
from ledger.errors import Corrupt, InvalidRequest
from ledger.kinds import KINDS, Body, subjects
from ledger.kinds.checks import INTEGER_MAX, digest, uuid
from ledger.signing import encode64

ENTRY_BYTES_MAX = 60_000
"""Below the 65,535 of a C2SP entry bundle, with room to spare."""
ACTOR = re.compile(r"[!-~]{1,64}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+08:00", re.ASCII)
_MEMBERS = {"actor", "body", "chains", "id", "index", "kind", "prev", "recorded_at", "v"}


@dataclass(frozen=True)
class Said:
    """What an entry says, as far as a verifier judges it."""

    index: int
    id: str
    kind: str
    recorded_at: str
    body: Body
    chains: dict[str, list[Any]]
    prev: str | None


def read_entry(raw: bytes) -> Said:
    """Read an entry strictly. Raises Corrupt saying what is wrong."""
    if len(raw) > ENTRY_BYTES_MAX:
        raise Corrupt(f"超过 {ENTRY_BYTES_MAX} 字节")
    try:
        data = json.loads(raw)
        spelt = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    except (ValueError, RecursionError):
        raise Corrupt("不是 JSON") from None
    if spelt != raw:
        raise Corrupt("不是规范写法（RFC 8785）")
    try:
        _check(data)
        kind = KINDS[data["kind"], data["v"]]
        kind.validate(data["body"])
    except (LookupError, TypeError, AttributeError):
        raise Corrupt("缺少成员，成员的类型不对，或种类不认识") from None
    except InvalidRequest as error:
        raise Corrupt(str(error)) from None
    if data["chains"].keys() != set(subjects(data["body"])):
        raise Corrupt("所属的链与内容不符")
    return Said(data["index"], data["id"], data["kind"], data["recorded_at"], data["body"], data["chains"], data.get("prev"))


def _check(data: dict[str, Any]) -> None:
    index, version = data["index"], data["v"]
    if type(index) is not int or type(version) is not int or not 0 <= index <= INTEGER_MAX:
        raise Corrupt("index、v 应是整数")
    if data.keys() != (_MEMBERS if index else _MEMBERS - {"prev"}):
        raise Corrupt("成员不对：除第 0 条外都应有 prev，且没有别的成员")
    if not (ACTOR.fullmatch(data["actor"]) and uuid(data["id"]) and TIME.fullmatch(data["recorded_at"])):
        raise Corrupt("actor、id 或 recorded_at 写法不对")
    if index and not digest(data["prev"]):
        raise Corrupt("prev 不是散列值")
    for said in data["chains"].values():
        if type(said) is not list or type(said[0]) is not int or not 1 <= said[0] <= INTEGER_MAX:
            raise Corrupt("chains 的序号不对")
        if len(said) != (1 if said[0] == 1 else 2) or (len(said) == 2 and not digest(said[1])):
            raise Corrupt("chains 的散列值不对")


@dataclass
class Follower:
    """Judges entries in the order of the log, each with the leaf hash of its bytes."""

    report: Report
    rotations: list[tuple[int, Body]] = field(default_factory=list)
    """Key rotations met so far."""
    _previous: str | None = None
    _time: str = ""
    _ids: dict[bytes, int] = field(default_factory=dict)
    _chains: dict[str, tuple[int, str]] = field(default_factory=dict)

    def follow(self, index: int, raw: bytes, leaf: bytes) -> None:
        """Judge the entry at *index*."""
        text = encode64(leaf)
        try:
            said = read_entry(raw)
        except Corrupt as error:
            self.report.add(index, "entry.body", "按规范写成的记录", error)
        else:
            self._judge(index, said)
            self._follow_chains(index, said.chains, text)
            if said.kind == "key.rotated":
                self.rotations.append((said.index, said.body))
        self._previous = text

    def _judge(self, index: int, said: Said) -> None:
        self.report.compare(index, "entry.body.index", index, said.index)
        self.report.compare(index, "entry.body.prev", self._previous, said.prev)
        first = self._ids.setdefault(bytes.fromhex(said.id.replace("-", "")), index)
        if first != index:
            self.report.add(index, "entry.id", "只用一次的编号", f"与第 {first} 条相同")
        if said.recorded_at < self._time:
            self.report.add(index, "entry.body.recorded_at", f"不早于 {self._time}", said.recorded_at)
        self._time = said.recorded_at

    def _follow_chains(self, index: int, chains: dict[str, list[Any]], leaf: str) -> None:
        for subject, said in chains.items():
            count, last = self._chains.get(subject, (0, ""))
            wanted = [count + 1, last] if count else [1]
            if said != wanted:
                self.report.add(index, f"entry.body.chains.{subject}", wanted, said)
            self._chains[subject] = (said[0], leaf)
