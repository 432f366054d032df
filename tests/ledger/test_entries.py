"""Entry bytes: the frozen vectors, RFC 8785 as another library writes it, and everything that must not be read as an entry."""

import hashlib
import json
from base64 import b64encode
from datetime import UTC, datetime

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from vectors import ENTRIES, bodies, named

from ledger import entries, kinds
from ledger.errors import Corrupt, InvalidRequest
from ledger.kinds import checks
from ledger.merkle import leaf_hash

every_vector = pytest.mark.parametrize("vector", ENTRIES, ids=named)


def service():
    """A service.recorded entry, to be damaged."""
    return next(json.loads(vector["bytes"]) for vector in ENTRIES if vector["kind"] == "service.recorded")


def first():
    """The entry with index 0, which has no predecessor."""
    return json.loads(ENTRIES[0]["bytes"])


def canonical(entry) -> bytes:
    """The canonical bytes, floats and all, without asking the ledger."""
    return json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


# --- frozen ----------------------------------------------------------------------------------------------------------


@every_vector
def test_a_frozen_entry_is_read_and_written_as_ever(vector):
    raw, said = vector["bytes"].encode(), json.loads(vector["bytes"])
    entry = entries.decode(raw)
    assert (entry.kind, entry.version, entry.index, entry.id) == (vector["kind"], vector["v"], said["index"], said["id"])
    assert (entry.actor, entry.recorded_at, entry.prev) == (said["actor"], said["recorded_at"], said.get("prev"))
    assert (entry.body, entry.chains) == (said["body"], said["chains"])
    assert entries.encode(said) == raw == rfc8785.dumps(said)


@every_vector
def test_a_frozen_leaf_hash_still_holds(vector):
    raw = vector["bytes"].encode()
    assert leaf_hash(raw).hex() == vector["leaf"] == hashlib.sha256(b"\x00" + raw).hexdigest()


@every_vector
def test_a_frozen_entry_shows_every_field_of_its_kind(vector):
    kind = kinds.KINDS[vector["kind"], vector["v"]]
    assert json.loads(vector["bytes"])["body"].keys() == kind.required.keys() | kind.optional.keys()


def test_every_kind_and_version_is_frozen_once():
    assert sorted((vector["kind"], vector["v"]) for vector in ENTRIES) == sorted(kinds.KINDS)


def test_the_frozen_entries_are_one_log():
    """Each names the one before it, and each subject chain counts up and names its own last entry."""
    previous, heads = None, {}
    for index, vector in enumerate(ENTRIES):
        entry = entries.decode(vector["bytes"].encode())
        assert (entry.index, entry.prev) == (index, previous)
        assert entry.chains == {subject: heads.get(subject, [1]) for subject in kinds.subjects(entry.body)}
        previous = b64encode(bytes.fromhex(vector["leaf"])).decode()
        heads |= {subject: [number + 1, previous] for subject, (number, *_) in entry.chains.items()}


# --- RFC 8785 --------------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(codec="utf-8"), max_size=40).filter(checks.plain)
NUMBERS = st.integers(-checks.INTEGER_MAX, checks.INTEGER_MAX)
KEYS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
VALUES = st.recursive(TEXT | NUMBERS | st.booleans(), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4))


@given(VALUES.filter(checks.plain))
def test_whatever_a_rule_may_hold_is_written_as_rfc_8785_says(rules):
    body = {"policy": "service", "effective_on": "2026-01-01", "rules": rules}
    kinds.KINDS["policy.adopted", 1].validate(body)
    assert entries.encode({"body": body}) == rfc8785.dumps({"body": body})


@given(st.data())
@pytest.mark.parametrize(("key", "body"), bodies(), ids=lambda value: value[0] if isinstance(value, tuple) else "")
def test_whatever_a_kind_allows_is_written_as_rfc_8785_says(key, body, data):
    """Each field of a complete body is given another value, where its kind allows it."""
    kind, changed = kinds.KINDS[key], dict(body)
    for field, check in {**kind.required, **kind.optional}.items():
        drawn = data.draw({str: TEXT, int: NUMBERS, bool: st.booleans()}.get(type(body[field]), st.just(body[field])))
        if type(drawn) is type(body[field]) and check(drawn):
            changed[field] = drawn
    kind.validate(changed)
    assert entries.encode({"body": changed}) == rfc8785.dumps({"body": changed})


def test_times_and_hashes_have_one_spelling():
    assert entries.format_time(datetime(2026, 3, 5, 1, 12, 0, 999_999, tzinfo=UTC)) == "2026-03-05T09:12:00.999+08:00"
    assert entries.b64(bytes(32)) == "A" * 43 + "="


# --- refused ---------------------------------------------------------------------------------------------------------


def without(member):
    return lambda entry: entry.pop(member)


def where(member, value):
    return lambda entry: entry.update({member: value})


def where_body(field, value):
    return lambda entry: entry["body"].update({field: value})


def without_body(field):
    return lambda entry: entry["body"].pop(field)


def where_chain(subject, value):
    return lambda entry: entry["chains"].update({subject: value})


STATION = "station/340104001001"
LEAF = "A" * 43 + "="
DAMAGE = {
    "a member too many": where("note", "x"),
    "no predecessor": without("prev"),
    "no actor": without("actor"),
    "no index": without("index"),
    "no kind": without("kind"),
    "no version": without("v"),
    "no body": without("body"),
    "no chains": without("chains"),
    "unknown kind": where("kind", "service.imagined"),
    "unknown version": where("v", 99),
    "version as a float": where("v", 1.0),
    "version as true": where("v", True),
    "version as text": where("v", "1"),
    "kind as a list": where("kind", ["service.recorded"]),
    "index as a float": where("index", 9.0),
    "index below zero": where("index", -1),
    "index beyond doubles": where("index", 2**53),
    "index null": where("index", None),
    "actor null": where("actor", None),
    "actor empty": where("actor", ""),
    "actor with a line break": where("actor", "a\nb"),
    "id in upper case": where("id", "0195650A-4B09-7D3E-8C11-2F6A9BE00009"),
    "id null": where("id", None),
    "time without a zone": where("recorded_at", "2026-03-14T09:09:00.009"),
    "time of another zone": where("recorded_at", "2026-03-14T01:09:00.009+00:00"),
    "time in seconds": where("recorded_at", "2026-03-14T09:09:00+08:00"),
    "time as a number": where("recorded_at", 1773450540),
    "predecessor null": where("prev", None),
    "predecessor too short": where("prev", "AAAA"),
    "predecessor with another spelling": where("prev", "A" * 42 + "B="),
    "body as a number": where("body", 1),
    "body as a list": where("body", []),
    "body null": where("body", None),
    "minutes as a float": where_body("minutes", 140.0),
    "minutes null": where_body("minutes", None),
    "optional field null": where_body("second", None),
    "unknown field": where_body("weather", "晴"),
    "field missing": without_body("grade"),
    "phone number in free text": where_body("second", "13812345678"),
    "chain missing": lambda entry: entry["chains"].pop(STATION),
    "chain too many": where_chain("station/340104001002", [1]),
    "no chain at all": where("chains", {}),
    "chains as a list of their names": lambda entry: entry.update(chains=list(entry["chains"])),
    "chains null": where("chains", None),
    "chains as a number": where("chains", 1),
    "chain null": where_chain(STATION, None),
    "chain empty": where_chain(STATION, []),
    "chain number as a float": where_chain(STATION, [2.0, LEAF]),
    "chain number beyond doubles": where_chain(STATION, [2**53, LEAF]),
    "chain number zero": where_chain(STATION, [0]),
    "first of a chain with a hash": where_chain(STATION, [1, LEAF]),
    "second of a chain without a hash": where_chain(STATION, [2]),
    "chain hash null": where_chain(STATION, [2, None]),
    "chain with a third part": where_chain(STATION, [2, LEAF, LEAF]),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_entry_is_not_read(damage):
    entry = service()
    entries.decode(canonical(entry))
    damage(entry)
    with pytest.raises(Corrupt):
        entries.decode(canonical(entry))


def test_the_first_entry_has_no_predecessor():
    with pytest.raises(Corrupt):
        entries.decode(canonical(first() | {"prev": LEAF}))


SPELLINGS = {
    "a space": lambda raw: raw.replace(b'"v":1', b'"v": 1'),
    "a line end": lambda raw: raw + b"\n",
    "a byte order mark": lambda raw: b"\xef\xbb\xbf" + raw,
    "keys in another order": lambda raw: b'{"v":1,' + raw[1:].replace(b',"v":1}', b"}"),
    "a key twice": lambda raw: b'{"actor":"x",' + raw[1:],
    "an escaped letter": lambda raw: raw.replace(b'"kind"', b'"k\\u0069nd"'),
    "an escaped solidus": lambda raw: raw.replace(b"station/", b"station\\/"),
    "an exponent": lambda raw: raw.replace(b'"minutes":140', b'"minutes":14e1'),
    "a minus zero": lambda raw: raw.replace(b'"row":3', b'"row":-0'),
    "a float": lambda raw: raw.replace(b'"v":1', b'"v":1.0'),
    "bytes that are no UTF-8": lambda raw: raw.replace(b"B", b"\xff", 1),
    "half an entry": lambda raw: raw[: len(raw) // 2],
    "nothing": lambda _raw: b"",
    "a list": lambda raw: b"[" + raw + b"]",
    "a number too large": lambda raw: raw.replace(b'"minutes":140', b'"minutes":1' + b"0" * 40),
    "depth": lambda _raw: b"[" * 2000,
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_only_the_one_canonical_spelling_is_read(spell):
    raw = canonical(service())
    assert spell(raw) != raw
    with pytest.raises(Corrupt):
        entries.decode(spell(raw))


def sized(length):
    """An entry of a policy with as much text as makes it that many bytes long."""
    entry = first()
    entry["body"]["rules"] = {"texts": ["x" * 2000] * 25, "rest": ""}
    missing = length - len(canonical(entry))
    entry["body"]["rules"] |= {"texts": ["x" * 2000] * 25 + ["x" * 1997] * (missing // 2000), "rest": "x" * (missing % 2000)}
    return entry


def test_an_entry_has_at_most_60_000_bytes():
    raw = entries.encode(sized(60_000))
    assert len(raw) == 60_000
    entries.decode(raw)
    with pytest.raises(InvalidRequest, match="最多 60000 字节，这一条有 60001 字节"):
        entries.encode(sized(60_001))
    with pytest.raises(Corrupt):
        entries.decode(canonical(sized(60_001)))
