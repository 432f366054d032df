"""Entries, proofs and checkpoints over HTTP: what is served is what was hashed, and others' tools accept it."""

from base64 import b64decode

import pytest
import requests_by_hand

from ledger import log, merkle, notes, tiles
from ledger.checkpoints import checkpoint_size
from ledger.ids import new_entry_id


@pytest.fixture
def signed(desk):
    """A few services under a checkpoint; gives its size."""
    desk.post({"id": new_entry_id(), "records": [desk.on(day) for day in range(7, 14)]}, "/batch")
    return checkpoint_size(desk.town.sign())


def test_an_auditor_reads_the_exact_bytes_of_an_entry(desk, signed):
    for index in (0, signed - 1):
        answer = desk.get(f"/entries/{index}", token=desk.auditor)
        with desk.town.read() as tx:
            assert answer.data == log.read_entry(tx.connection, index)
        assert (answer.status_code, answer.content_type, answer.headers["Cache-Control"]) == (200, "application/json", "no-store")
    assert desk.get(f"/entries/{signed}", token=desk.auditor).status_code == 404
    assert desk.get(f"/entries/{10**30}", token=desk.auditor).status_code == 404
    assert desk.get("/entries/0").status_code == 403


def test_a_proof_is_json_or_the_file_itself_as_the_client_accepts(desk, signed):
    index = signed - 2
    answer, plain = (desk.get(f"/entries/{index}/proof", Accept=kind) for kind in ("application/json", "text/plain"))
    assert plain.content_type == "text/plain; charset=utf-8"
    assert answer.json == {"index": index, "size": signed, "proof": plain.text}
    entry = desk.get(f"/entries/{index}", token=desk.auditor).data
    notes.verify_proof(notes.decode_proof(plain.data), entry, [desk.town.ledger.signing.verifier()])
    assert desk.get(f"/entries/{index}/proof").json == answer.json
    assert desk.get(f"/entries/{index}/proof", Accept="image/png").status_code == 406


def test_an_entry_that_no_checkpoint_covers_yet_has_no_proof(desk, signed):
    index = desk.post(desk.on(15)).json["index"]
    answer = desk.get(f"/entries/{index}/proof")
    assert (answer.status_code, answer.json["type"]) == (404, "/problems/not_found")
    assert "检查点" in answer.json["detail"]


def test_anybody_reads_the_checkpoint_and_proofs_that_the_log_only_grew(desk, signed):
    first = desk.client.get("/api/v1/checkpoint").json
    assert desk.client.get("/api/v1/checkpoint", headers={"Accept": "text/plain"}).text == first["checkpoint"]
    assert first["size"] == signed
    desk.post(desk.on(15), Prefer="wait")
    second = desk.client.get("/api/v1/checkpoint").json
    answer = desk.client.get(f"/api/v1/proofs/consistency?old={first['size']}&new={second['size']}")
    assert "immutable" in answer.headers["Cache-Control"]
    roots = {"old_root": b64decode(first["root"]), "new_root": b64decode(second["root"])}
    merkle.verify_consistency([*map(b64decode, answer.json["hashes"])], old_size=first["size"], new_size=second["size"], **roots)
    newest = desk.client.get(f"/api/v1/proofs/consistency?old={first['size']}")
    assert (newest.json, newest.headers["Cache-Control"]) == (answer.json, "no-cache")


def test_a_consistency_proof_is_of_sizes_that_were_signed(desk, signed):
    for said, status in (
        (f"old=0&new={signed + 1}", 404),
        (f"old={signed}&new=1", 422),
        ("new=1", 422),
        ("old=-1", 422),
        ("old=01", 422),
        ("old=1&older=2", 422),
        ("old=0", 200),
    ):
        assert desk.client.get(f"/api/v1/proofs/consistency?{said}").status_code == status, said


def test_before_the_first_checkpoint_there_is_none(desk):
    assert desk.client.get("/api/v1/checkpoint").status_code == 404
    assert desk.client.get("/log/checkpoint").status_code == 404


def test_somebody_elses_tools_accept_the_whole_log_and_a_proof_over_http(desk, judge):
    desk.town.grow(600)
    desk.post(desk.service, Prefer="wait")
    vkey = desk.client.get("/log/vkey").text.strip()
    with requests_by_hand.serving(desk.app) as address:
        verdict = judge("tiles", vkey, f"{address}/log", desk.auditor)
        assert verdict.ok, verdict.text
        assert "size 601" in verdict.text
        for index in (0, 300, 600):
            proof, entry = f"{address}/log/proof/{index}", f"{address}/api/v1/entries/{index}"
            assert judge("proof", vkey, proof, entry, desk.auditor).ok
            assert not judge("proof", vkey, proof, f"{address}/api/v1/entries/{index ^ 1}", desk.auditor).ok
        assert not judge("tiles", vkey, f"{address}/log", desk.token).ok, "the desk may not read entries"
        assert not judge("tiles", vkey, f"{address}/log").ok


# --- the C2SP paths under /log


def test_tiles_are_cached_for_ever_and_the_checkpoint_for_seconds(desk):
    desk.town.grow(300)
    note = desk.town.sign()
    tile, checkpoint = (desk.client.get(f"/log/{path}") for path in ("tile/0/000", "checkpoint"))
    assert (tile.content_type, len(tile.data)) == ("application/octet-stream", 8192)
    assert tile.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert (checkpoint.content_type, checkpoint.text) == ("text/plain; charset=utf-8", note)
    assert checkpoint.headers["Cache-Control"] == "public, max-age=5"
    for answer, path in ((tile, "tile/0/000"), (checkpoint, "checkpoint")):
        etag = answer.headers["ETag"]
        assert not etag.startswith("W/")
        again = desk.client.get(f"/log/{path}", headers={"If-None-Match": etag})
        assert (again.status_code, again.data) == (304, b"")
        assert desk.client.get(f"/log/{path}", headers={"If-None-Match": '"other"'}).status_code == 200
        head = desk.client.head(f"/log/{path}")
        assert (head.status_code, head.data, head.headers["ETag"]) == (200, b"", etag)
        assert head.headers["Content-Length"] == answer.headers["Content-Length"]


def test_partial_tiles_reach_as_far_as_the_newest_checkpoint_and_stay_when_they_have_become_full(desk):
    desk.town.grow(200)
    desk.town.sign()
    desk.town.grow(250)
    widths = {200: 200, 17: 200, 201: 404, 250: 404}
    assert {width: desk.client.get(f"/log/tile/0/000.p/{width}").status_code for width in widths} == {200: 200, 17: 200, 201: 404, 250: 404}
    before = desk.client.get("/log/tile/0/000.p/200").data
    desk.town.grow(520)
    assert desk.client.get("/log/tile/0/000").status_code == 404, "full, but not under a checkpoint"
    desk.town.sign()
    full = desk.client.get("/log/tile/0/000").data
    assert desk.client.get("/log/tile/0/000.p/200").data == before == full[: 200 * 32]
    above = desk.client.get("/log/tile/1/000.p/2").data
    assert len(above) == 64
    for missing in ("tile/1/000.p/3", "tile/1/000", "tile/2/000.p/1", "tile/0/003", "tile/0/002.p/9", "tile/entries/002.p/9"):
        answer = desk.client.get(f"/log/{missing}", headers=desk.headers(desk.auditor))
        assert (answer.status_code, answer.content_type) == (404, "text/plain; charset=utf-8"), missing


def test_entry_bundles_go_to_whoever_has_the_auditors_token_and_are_never_cached(desk, signed):
    path = "/log/" + tiles.bundle_path(0, signed)
    answer = desk.client.get(path, headers=desk.headers(desk.auditor))
    assert (answer.status_code, answer.content_type, answer.headers["Cache-Control"]) == (200, "application/octet-stream", "no-store")
    assert len(tiles.decode_bundle(answer.data)) == signed
    for headers, status in (
        ({}, 401),
        (desk.headers(), 403),
        (desk.headers("sw_" + "A" * 43), 401),
        ({"Authorization": "Basic eA=="}, 401),
    ):
        refused = desk.client.get(path, headers=headers)
        assert (refused.status_code, refused.content_type) == (status, "text/plain; charset=utf-8")
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")
