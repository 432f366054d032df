"""A policy file is understood whole or refused, and a checkpoint is trusted when its log and enough witnesses signed it."""

import itertools

import pytest

from ledger.errors import SettingsError
from ledger.notes import Checkpoint, NoteError, Signer, cosign, note_parts, sign_checkpoint
from ledger.trust_policy import Group, format_policy, parse_policy, read_policy

LOG = Signer.from_seed("log.example/a", b"l" * 32)
OTHER_LOG = Signer.from_seed("log.example/b", b"o" * 32)
WITNESSES = {name: Signer.from_seed(f"witness.example/{name}", name.encode().ljust(32)) for name in ("X1", "X2", "X3", "Y1", "Y2")}
KEYS = {name: signer.cosigner_vkey for name, signer in WITNESSES.items()}
WHOLE = f"""
# two levels
log {LOG.vkey}
\tlog   {OTHER_LOG.vkey} \t https://log.example/b

witness X1 {KEYS["X1"]} https://witness.example/x1
witness X2 {KEYS["X2"]}
witness X3 {KEYS["X3"]}
group X-witnesses 2 X1 X2 X3
witness Y1 {KEYS["Y1"]}
witness Y2 {KEYS["Y2"]}
  # one of these
group Y-witnesses any Y1 Y2
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def checkpoint(*cosigners, signer=LOG, origin=LOG.name):
    note = sign_checkpoint(Checkpoint(origin, 3, b"r" * 32), [signer])
    text, _ = note_parts(note)
    return note + "".join(cosign(text, WITNESSES[name], 1767225600) for name in cosigners).encode()


def test_a_policy_says_what_its_file_says():
    policy = parse_policy(WHOLE.encode())
    assert [(known.verifier.name, known.url) for known in policy.logs] == [(LOG.name, None), (OTHER_LOG.name, "https://log.example/b")]
    assert [(one.name, one.verifier.vkey) for one in policy.witnesses] == list(KEYS.items())
    assert policy.witnesses[0].url == "https://witness.example/x1"
    assert policy.groups[2] == Group("X-and-Y", 2, ("X-witnesses", "Y-witnesses"))
    assert policy.quorum == "X-and-Y"


def test_a_policy_written_down_is_read_back():
    policy = parse_policy(WHOLE.encode())
    assert parse_policy(format_policy(policy)) == policy
    assert format_policy(parse_policy(b"quorum none\n")) == b"quorum none\n"


def test_a_quorum_is_reached_by_exactly_the_sets_that_it_allows():
    policy = parse_policy(WHOLE.encode())
    for count in range(6):
        for names in itertools.combinations(KEYS, count):
            enough = len({"X1", "X2", "X3"} & {*names}) >= 2 and bool({"Y1", "Y2"} & {*names})
            assert policy.is_satisfied(one.verifier for one in policy.witnesses if one.name in names) == enough
            if enough:
                assert policy.open_checkpoint(checkpoint(*names)).size == 3
            else:
                with pytest.raises(NoteError, match="联署不够"):
                    policy.open_checkpoint(checkpoint(*names))


def test_a_quorum_may_be_one_witness_or_none():
    one = parse_policy(f"log {LOG.vkey}\nwitness a {KEYS['X1']}\nquorum a\n".encode())
    assert one.open_checkpoint(checkpoint("X2", "X1")).origin == LOG.name
    with pytest.raises(NoteError):
        one.open_checkpoint(checkpoint("X2"))
    assert parse_policy(f"log {LOG.vkey}\nquorum none\n".encode()).open_checkpoint(checkpoint()).size == 3


def test_a_checkpoint_of_a_log_that_is_not_known_or_not_its_own_is_refused():
    policy = parse_policy(f"log {OTHER_LOG.vkey}\nwitness a {KEYS['X1']}\nquorum a\n".encode())
    for wrong in (checkpoint("X1"), checkpoint("X1", signer=OTHER_LOG), checkpoint("X1", origin=OTHER_LOG.name)):
        with pytest.raises(NoteError):
            policy.open_checkpoint(wrong)


def test_one_false_cosignature_condemns_the_checkpoint():
    policy = parse_policy(WHOLE.encode())
    good = checkpoint("X1", "X2", "X3", "Y1")
    line = good.split(b"\n")[-2]
    false = good.replace(line, line[:-10] + (b"A" if line[-10:-9] != b"A" else b"B") + line[-9:])
    with pytest.raises(NoteError):
        policy.open_checkpoint(false)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("", "quorum"),
        ("quorum none", "没有换行"),
        ("quorum none\nquorum none\n", "第 2 行"),
        ("quorum a\n", "没有定义"),
        ("quorum\n", "第 1 行"),
        ("quorum none none\n", "第 1 行"),
        ("Quorum none\n", "第 1 行"),
        ("log\nquorum none\n", "第 1 行"),
        ("log rubbish\nquorum none\n", "第 1 行"),
        (f"log {KEYS['X1']}\nquorum none\n", "不能混用"),
        (f"witness a {LOG.vkey}\nquorum none\n", "不能混用"),
        (f"log {LOG.vkey} url more\nquorum none\n", "第 1 行"),
        (f"log {LOG.vkey}\nlog {LOG.vkey}\nquorum none\n", "写了两次"),
        (f"log {LOG.vkey}\nlog {Signer('log.example/c', LOG.key).vkey}\nquorum none\n", "写了两次"),
        (f"witness a {KEYS['X1']}\nwitness b {KEYS['X1']}\nquorum none\n", "写了两次"),
        (f"witness a {KEYS['X1']}\nwitness a {KEYS['X2']}\nquorum none\n", "已经用过"),
        (f"witness none {KEYS['X1']}\nquorum none\n", "已经用过"),
        (f"witness a {KEYS['X1'][:-2]}\nquorum none\n", "第 1 行"),
        (f"witness a {KEYS['X1'].replace('example', 'exemple')}\nquorum none\n", "编号与公钥"),
        (f"quorum a\nwitness a {KEYS['X1']}\n", "没有定义"),
        (f"group g any a\nwitness a {KEYS['X1']}\nquorum g\n", "没有定义"),
        ("group g any g\nquorum g\n", "没有定义"),
        ("group g any none\nquorum g\n", "没有定义"),
        ("group g any\nquorum none\n", "第 1 行"),
        *((f"witness a {KEYS['X1']}\ngroup g {k} a\nquorum g\n", "个数") for k in ("0", "2", "-1", "01", "+1", "ALL", "1.0", "１")),
        (f"witness a {KEYS['X1']}\ngroup g 1 a a\nquorum g\n", "别处的成员"),
        (f"witness a {KEYS['X1']}\ngroup g any a\ngroup h any a\nquorum g\n", "别处的成员"),
        (f"witness a {KEYS['X1']}\ngroup a any a\nquorum a\n", "已经用过"),
        ("quorum none\r\n", "控制字符"),
        ("quorum none\x00\n", "控制字符"),
        ("# comment\x1b\nquorum none\n", "控制字符"),
        ("quorum\u3000none\n", "第 1 行"),
        ("#" + " " * 1_000_000 + "\nquorum none\n", "过大"),
    ],
)
def test_a_policy_that_breaks_a_rule_is_refused_whole(lines, sentence):
    with pytest.raises(NoteError, match=sentence):
        parse_policy(lines.encode())


def test_names_are_opaque_bytes():
    kelvin = f"witness K {KEYS['X1']}\nwitness \u212a {KEYS['X2']}\nquorum \u212a\n"
    assert parse_policy(kelvin.encode()).quorum == "\u212a"
    latin = b"# \xe4\nwitness \xff " + KEYS["X1"].encode() + b"\nquorum \xff\n"
    assert format_policy(parse_policy(latin)).endswith(b"quorum \xff\n")
    with pytest.raises(NoteError, match="第 1 行"):
        parse_policy(b"witness a \xff+12345678+AAAA\nquorum none\n")
    with pytest.raises(NoteError) as refusal:
        parse_policy(b"quorum \xff\n")
    str(refusal.value).encode()


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"witnesses\.policy"):
        read_policy(tmp_path / "witnesses.policy")
    (tmp_path / "witnesses.policy").write_text("quorum all\n")
    with pytest.raises(SettingsError, match=r"witnesses\.policy.*第 1 行"):
        read_policy(tmp_path / "witnesses.policy")
