"""Record bundles and exported logs hold the whole truth about what they hold, and the strict reading of entries is one on both sides."""

import json

import pytest
import recounting
from vectors import ENTRIES, named

from ledger import entries, exporting
from ledger.checking import bundles, offline
from ledger.checking.reading import read_entry
from ledger.checking.trusting import Trust
from ledger.errors import Corrupt, InvalidRequest, NotFound


@pytest.fixture
def town(world):
    world.people_ = world.town()
    world.grow(300)
    world.sign()
    return world


def trust(world):
    return Trust([world.ledger.signing.verifier()])


def bundled(world, *indexes, subject=None):
    with world.read() as tx:
        return exporting.bundle_records(tx.connection, indexes, subject)


def test_a_bundle_is_written_and_read_back(town):
    made = bundled(town, 7, 3, 3)
    assert [json.loads(raw)["index"] for raw, _ in made.records] == [3, 7]
    assert bundles.decode_bundle(bundles.encode_bundle(made)) == made
    report = bundles.verify_bundle(made, trust(town))
    assert (report.ok, report.size) == (True, 300)


def test_the_chain_of_every_subject_can_be_taken_away_whole(town):
    chains = {}
    for entry in town.entries():
        for subject in recounting.concerned(entry["body"]):
            chains.setdefault(subject, []).append(entry["index"])
    assert len(chains) > 7
    for subject, indexes in chains.items():
        made = bundled(town, subject=subject)
        assert [json.loads(raw)["index"] for raw, _ in made.records] == indexes
        assert bundles.verify_bundle(made, trust(town)).ok


def test_a_proof_in_a_bundle_satisfies_others_tools(town, judge, tmp_path):
    [(raw, proof)] = bundled(town, 123).records
    (tmp_path / "entry").write_bytes(raw)
    (tmp_path / "proof").write_bytes(proof)
    assert judge("proof", town.ledger.signing.vkey, tmp_path / "proof", tmp_path / "entry").ok


def test_what_no_checkpoint_covers_is_not_bundled(town):
    town.grow(310)
    with pytest.raises(NotFound, match="检查点"):
        bundled(town, 305)
    with pytest.raises(NotFound, match="没有第 999 条"):
        bundled(town, 999)
    with pytest.raises(NotFound, match="person/ZZZZZZZZZZ"):
        bundled(town, subject="person/ZZZZZZZZZZ")


@pytest.mark.parametrize("wrong", [b"", b"[]", b"{}", b'{"format":"shouwang/record-bundle/v1","records":[]}', b"\xff", b'{"format":1}'])
def test_a_file_that_is_no_bundle_is_refused(wrong):
    with pytest.raises(InvalidRequest, match="凭证"):
        bundles.decode_bundle(wrong)


def test_the_exported_log_and_the_database_are_judged_alike(town, tmp_path):
    exporting.export_log(town.ledger, tmp_path / "log")
    assert offline.verify_folder(tmp_path / "log", trust(town)).as_json() == town.verify().as_json()


# --- entries read with the standard library


@pytest.mark.parametrize("vector", ENTRIES, ids=named)
def test_a_frozen_entry_is_read_without_any_package(vector):
    raw = vector["bytes"].encode()
    said, entry = read_entry(raw), entries.decode(raw)
    names = ("index", "id", "kind", "recorded_at", "body", "chains", "prev")
    assert [getattr(said, name) for name in names] == [getattr(entry, name) for name in names]


def test_what_one_reading_refuses_the_other_refuses_too():
    """Every byte of an entry is changed, left out and doubled."""
    raw = next(vector["bytes"] for vector in ENTRIES if vector["kind"] == "service.recorded").encode()
    for at in range(len(raw)):
        flipped = [raw[:at] + bytes([raw[at] ^ bit]) + raw[at + 1 :] for bit in (1, 2, 16, 128)]
        for changed in (raw[:at] + raw[at + 1 :], raw[: at + 1] + raw[at:], *flipped):
            assert readable(entries.decode, changed) == readable(read_entry, changed), changed


OTHER_TYPES = [
    *[("index", 9.0), ("index", True), ("v", 1.0), ("prev", None), ("body", None)],
    *[("chains", []), ("chains", {"x": []}), ("kind", {}), ("id", 1), ("actor", [])],
]


@pytest.mark.parametrize("change", OTHER_TYPES, ids=str)
def test_an_envelope_of_other_types_is_refused_by_both(change):
    entry = json.loads(next(vector["bytes"] for vector in ENTRIES if vector["kind"] == "service.recorded")) | dict([change])
    raw = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert not readable(entries.decode, raw)
    assert not readable(read_entry, raw)


@pytest.mark.parametrize("raw", [b"", b"null", b"[" * 5_000, b'{"a":' * 3_000, b"NaN", b'{"index":NaN}', b"\xff", b'"\\ud800"'])
def test_bytes_that_are_no_entry_are_refused_by_both(raw):
    assert not readable(entries.decode, raw)
    assert not readable(read_entry, raw)


def readable(read, raw) -> bool:
    try:
        read(raw)
    except Corrupt:
        return False
    return True
