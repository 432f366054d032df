"""
Trust policies: which logs and witnesses are known, and whose cosignatures together are enough (C2SP tlog-policy).

    log <vkey> [url]                       the key's name is the log's origin
    witness <name> <vkey> [url]            the url is the witness's submission prefix
    group <name> <k|any|all> <member>...   members are witnesses or groups of earlier lines; a name is a member once in the whole file
    quorum <name|none>                     exactly one

Lines end in LF, words are parted by spaces and tabs, `#` starts a comment line. Bytes above 0x7F are opaque: names are compared byte by byte.

Rule kept here alone: a policy is all of its file or nothing. A line that is not understood may be the one that demands more, so it is refused;
so is a file whose last line has no end.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ledger.errors import SettingsError
from ledger.notes import Checkpoint, open_note, parse_checkpoint
from ledger.signing import COSIGNATURE, ED25519, NoteError, Verifier

POLICY_BYTES_MAX = 1_000_000

_NOT_ALLOWED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_THRESHOLD = re.compile(r"[1-9][0-9]{0,5}")
_NONE = "none"


@dataclass(frozen=True)
class Log:
    """A known log: its key, named like its origin."""

    verifier: Verifier
    url: str | None = None


@dataclass(frozen=True)
class Witness:
    """A known witness: what the policy calls it, its key, and where it is asked."""

    name: str
    verifier: Verifier
    url: str | None = None


@dataclass(frozen=True)
class Group:
    """So many of these, each a witness or another group."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """What a policy file says. *quorum* None: no cosignature is needed."""

    logs: tuple[Log, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    groups: tuple[Group, ...] = ()
    quorum: str | None = None

    def is_satisfied(self, cosigners: Iterable[Verifier]) -> bool:
        """Tell whether cosignatures by these keys, already checked, are the quorum."""
        keys = set(cosigners)
        holding = {witness.name for witness in self.witnesses if witness.verifier in keys}
        for group in self.groups:  # members come before their group
            if len(holding.intersection(group.members)) >= group.threshold:
                holding.add(group.name)
        return self.quorum is None or self.quorum in holding

    def open_checkpoint(self, note: bytes) -> Checkpoint:
        """
        Return the checkpoint that a note holds, signed by one of the logs and cosigned by the quorum.

        Raises:
            NoteError: it is malformed, a known signature is false, no log named like its origin signed it, or the quorum is not reached.
        """
        logs, witnesses = [known.verifier for known in self.logs], [known.verifier for known in self.witnesses]
        text, signers = open_note(note, logs + witnesses)
        checkpoint = parse_checkpoint(text)
        if all(verifier.key_type != ED25519 or verifier.name != checkpoint.origin for verifier in signers):
            raise NoteError(f"检查点没有 {checkpoint.origin} 自己的签名，或信任名单里没有这个账本。")
        if not self.is_satisfied(signers):
            held = "、".join(verifier.name for verifier in signers if verifier.key_type == COSIGNATURE) or "没有一个"
            raise NoteError(_shown(f"见证人联署不够：信任名单要求 {self.quorum}，现在联署的见证人：{held}。"))
        return checkpoint


def read_policy(path: Path) -> Policy:
    """Read a policy file. Raises SettingsError naming file and line."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"信任名单 {path.name} 读不出来：{error.strerror}") from error
    try:
        return parse_policy(raw)
    except NoteError as error:
        raise SettingsError(f"信任名单 {path.name} 有误：{error}") from error


def parse_policy(raw: bytes) -> Policy:
    """
    Read a policy.

    Raises:
        NoteError: naming the line that breaks a rule.
    """
    if len(raw) > POLICY_BYTES_MAX:
        raise NoteError(f"文件过大：最多 {POLICY_BYTES_MAX} 字节。")
    *lines, end = raw.decode("utf-8", "surrogateescape").split("\n")
    if end:
        raise NoteError("最后一行没有换行，文件可能不完整。")
    reading = _Reading()
    for number, line in enumerate(lines, 1):
        words = [word for word in re.split("[ \t]+", line) if word]
        try:
            if _NOT_ALLOWED.search(line):
                raise NoteError("含有控制字符。")
            if words and not words[0].startswith("#"):
                reading.line(words[0], words[1:])
        except NoteError as error:
            raise NoteError(_shown(f"第 {number} 行：{error}")) from error
    return reading.policy()


def format_policy(policy: Policy) -> bytes:
    """Write a policy file."""
    lines = [
        *(["log", known.verifier.vkey, known.url or ""] for known in policy.logs),
        *(["witness", witness.name, witness.verifier.vkey, witness.url or ""] for witness in policy.witnesses),
        *(["group", group.name, str(group.threshold), *group.members] for group in policy.groups),
        ["quorum", policy.quorum or _NONE],
    ]
    return "".join(" ".join(word for word in line if word) + "\n" for line in lines).encode("utf-8", "surrogateescape")


@dataclass
class _Reading:
    """What was read so far: names are known from their line on."""

    logs: list[Log] = field(default_factory=list)
    witnesses: list[Witness] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    free: set[str] = field(default_factory=set)  # names that no group has as a member yet
    names: set[str] = field(default_factory=lambda: {_NONE})
    quorum: str | None = None

    def line(self, verb: str, words: list[str]) -> None:
        """Take in one line."""
        match verb, words:
            case "log", [vkey, *url] if len(url) <= 1:
                self.logs.append(Log(_key(vkey, ED25519, [known.verifier for known in self.logs]), *url))
            case "witness", [name, vkey, *url] if len(url) <= 1:
                self._name(name)
                self.witnesses.append(Witness(name, _key(vkey, COSIGNATURE, [known.verifier for known in self.witnesses]), *url))
            case "group", [name, threshold, *members] if members:
                self._group(name, threshold, members)
            case "quorum", [name]:
                if self.quorum is not None:
                    raise NoteError("quorum 只能有一行。")
                if name not in self.names:
                    raise NoteError(f"quorum 指的 {name} 前面没有定义过。")
                self.quorum = name
            case _:
                raise NoteError("应为 log 公钥、witness 名称 公钥、group 名称 个数 成员……、quorum 名称 四种之一。")

    def _name(self, name: str) -> None:
        if name in self.names:
            raise NoteError(f"名称 {name} 已经用过。")
        self.names.add(name)
        self.free.add(name)

    def _group(self, name: str, threshold: str, members: list[str]) -> None:
        for member in members:
            if member not in self.free:
                raise NoteError(f"成员 {member} 前面没有定义过，或已经是别处的成员。")
            self.free.remove(member)
        self._name(name)
        needed = {"any": "1", "all": str(len(members))}.get(threshold, threshold)
        if not _THRESHOLD.fullmatch(needed) or int(needed) > len(members):
            raise NoteError(f"个数应为 any、all 或 1 到 {len(members)}，不是 {threshold}。")
        self.groups.append(Group(name, int(needed), tuple(members)))

    def policy(self) -> Policy:
        """Give the whole."""
        if self.quorum is None:
            raise NoteError("缺少 quorum 一行；不要求联署时写 quorum none。")
        quorum = None if self.quorum == _NONE else self.quorum
        return Policy(tuple(self.logs), tuple(self.witnesses), tuple(self.groups), quorum)


def _shown(sentence: str) -> str:
    """Make a sentence with names of opaque bytes printable."""
    return sentence.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _key(vkey: str, key_type: int, known: Sequence[Verifier]) -> Verifier:
    if _shown(vkey) != vkey:
        raise NoteError("公钥应为 UTF-8 编码。")
    verifier = Verifier.from_vkey(vkey)
    if verifier.key_type != key_type:
        raise NoteError("log 一行应为账本的签名公钥，witness 一行应为见证人的联署公钥，两种不能混用。")
    if any(each.public == verifier.public for each in known):
        raise NoteError("同一把公钥写了两次。")
    return verifier
