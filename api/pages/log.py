"""
「账本公示」: the newest checkpoint in plain words, and the C2SP paths (tlog-checkpoint, tlog-tiles, tlog-proof) that others' tools read.

Hashes are public: they tell nothing of anybody. The entries themselves go to auditors only, by their session or by a token. Nothing beyond the
newest checkpoint is served: tiles of a size that was published, or narrower, never change, so they are cached for ever.
"""

import hashlib
from base64 import b64encode

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from api.auth import ledger, open_to, open_to_all, open_to_tokens
from api.downloads import attachment
from ledger import checkpoints, exporting, log, notes, tiles
from ledger.errors import NotFound
from ledger.kinds.checks import INTEGER_MAX
from ledger.transactions import ReadTransaction

blueprint = Blueprint("log", __name__, url_prefix="/log")
_TEXT = "text/plain; charset=utf-8"
_BYTES = "application/octet-stream"


@blueprint.get("/")
@open_to_all
def page() -> ResponseReturnValue:
    """Show the newest checkpoint, what it means, and how to check it."""
    with ledger().read() as tx:
        head = log.tree_head(tx.connection)
        note = checkpoints.served_checkpoint(tx.connection)
        keyring = ledger().signing.keyring(tx.connection)
    signed = keyring.open_checkpoint(note.encode(), ledger().settings.origin) if note else None
    root = b64encode(signed.root).decode() if signed else ""
    fingerprint = " ".join(signed.root.hex()[at : at + 4] for at in range(0, 32, 4)) if signed else ""
    return render_template("log.html", head=head, note=note, signed=signed, root=root, fingerprint=fingerprint, vkey=ledger().signing.vkey)


@blueprint.get("/checkpoint")
@open_to_all
def checkpoint() -> Response:
    """Serve the newest signed checkpoint."""
    with ledger().read() as tx:
        note = checkpoints.served_checkpoint(tx.connection)
    if note is None:
        raise NotFound("还没有签发过检查点")
    return _answer(note.encode(), _TEXT, "public, max-age=5")


@blueprint.get("/vkey")
@open_to_all
def vkey() -> Response:
    """Serve the log's public key, as a C2SP vkey."""
    return _answer(ledger().signing.vkey.encode() + b"\n", _TEXT, "public, max-age=3600")


@blueprint.get("/tile/<path:rest>")
@open_to_all
def tile(rest: str) -> Response:
    """Serve a tile of hashes; its content never changes."""
    kind, level, index, width = tiles.parse_path(f"tile/{rest}")
    if kind != "tile" or level is None:
        raise NotFound("没有这个瓦片")
    with ledger().read() as tx:
        _check_published(tx, level, index, width)
        hashes = log.read_tile(tx.connection, level, index, width)
    return _answer(hashes, _BYTES, "public, max-age=31536000, immutable")


@blueprint.get("/tile/entries/<path:rest>")
@open_to("auditor")
@open_to_tokens("entries:read")
def bundle(rest: str) -> Response:
    """Serve a bundle of entries to an auditor."""
    _, _, index, width = tiles.parse_path(f"tile/entries/{rest}")
    with ledger().read() as tx:
        _check_published(tx, 0, index, width)
        found = exporting.read_bundle(tx.connection, index, width)
    return _answer(found, _BYTES, "no-store")


@blueprint.get(f"/proof/<int(max={INTEGER_MAX}):index>")
@open_to_all
def proof(index: int) -> Response:
    """Hand out the proof that an entry is in the newest checkpoint (C2SP tlog-proof): hashes only."""
    with ledger().read() as tx:
        found = notes.encode_proof(checkpoints.prove_entry(tx.connection, index))
    return attachment(found, _TEXT, f"entry-{index}.tlog-proof")


def _check_published(tx: ReadTransaction, level: int, index: int, width: int) -> None:
    note = checkpoints.newest_checkpoint(tx.connection)
    size = checkpoints.checkpoint_size(note) if note else 0
    if width > tiles.tile_width(level, index, size):
        raise NotFound(f"最新的检查点有 {size} 条，还没有这一片")


def _answer(content: bytes, content_type: str, cached: str) -> Response:
    """Answer with bytes; who has them already (If-None-Match) is told so."""
    response = Response(content, content_type=content_type)
    response.headers["Cache-Control"] = cached
    if cached == "no-store":
        return response
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.set_etag(hashlib.sha256(content).hexdigest()[:32])
    response.make_conditional(request)
    return response
