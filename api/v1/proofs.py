"""/checkpoint and /proofs/consistency: what anybody needs to see that the log only grew. Hashes and signatures, nothing of anybody."""

from base64 import b64encode

from flask import Response

from api.auth import ledger, open_to_all
from api.problems import Problem
from api.v1 import schemas
from api.v1.requests import JSON, TEXT, Blueprint, answer, answer_text, describe, query, wants_text
from ledger import checkpoints, log, merkle, notes
from ledger.errors import NotFound
from ledger.tiles import tile_reader

blueprint = Blueprint("proofs", __name__, url_prefix="/api/v1", description="检查点与证明")
_SIZES = schemas.Sizes()
_OPEN = {"Access-Control-Allow-Origin": "*"}


@blueprint.route("/checkpoint")
@open_to_all
@describe(
    "取最新的检查点",
    {200: ("最新的检查点", {JSON: schemas.Checkpoint, TEXT: {"type": "string"}})},
    description="Accept: text/plain 时是检查点原文。",
)
def checkpoint() -> Response:
    """Hand out the newest signed tree head."""
    with ledger().read() as tx:
        note = checkpoints.served_checkpoint(tx.connection)
    if note is None:
        raise NotFound("还没有签发过检查点")
    headers = _OPEN | {"Cache-Control": "public, max-age=5", "Vary": "Accept"}
    if wants_text():
        return answer_text(note, headers)
    signed = notes.parse_checkpoint(note[: note.rindex("\n\n") + 1])
    said = {"origin": signed.origin, "size": signed.size, "root": b64encode(signed.root).decode(), "checkpoint": note}
    return answer(said, headers=headers)


@blueprint.route("/proofs/consistency")
@open_to_all
@describe(
    "取一致性证明",
    {200: ("一致性证明", {JSON: schemas.ConsistencyProof})},
    description="证明后来的账本由从前的续写而成：从前的一条都没有改、没有少。",
    parameters=[{"in": "query", "schema": schemas.Sizes}],
)
def consistency() -> Response:
    """Prove that the log of *new* entries begins with that of *old*; at most up to the newest checkpoint."""
    said = query(_SIZES)
    old = said["old"]
    with ledger().read() as tx:
        note = checkpoints.newest_checkpoint(tx.connection)
        newest = checkpoints.checkpoint_size(note) if note else 0
        new = said.get("new", newest)
        if new > newest:
            raise NotFound(f"最新的检查点只到 {newest} 条，还没有 {new} 条时的样子")
        if old > new:
            raise Problem("invalid", "从前的条数不能多于后来的", [{"parameter": "old", "detail": f"应在 0 到 {new} 之间"}])
        hashes = merkle.consistency_proof(old, new, tile_reader(new, lambda *tile: log.read_tile(tx.connection, *tile)))
    # Between two sizes that the address names nothing ever changes.
    cached = "public, max-age=31536000, immutable" if "new" in said else "no-cache"
    found = {"old": old, "new": new, "hashes": [b64encode(each).decode() for each in hashes]}
    return answer(found, headers=_OPEN | {"Cache-Control": cached})
