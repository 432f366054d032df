"""/entries: the exact bytes of an entry for auditors, and the proof that it is in the log."""

from flask import Response

from api.auth import ledger, open_to_tokens
from api.v1 import schemas
from api.v1.requests import JSON, TEXT, Blueprint, answer, answer_text, describe, wants_text
from ledger import checkpoints, log, notes
from ledger.kinds.checks import INTEGER_MAX

blueprint = Blueprint("entries", __name__, url_prefix="/api/v1/entries", description="账本条目")
_INDEX = f"/<int(max={INTEGER_MAX}):index>"


@blueprint.route(_INDEX)
@open_to_tokens("entries:read")
@describe(
    "读一条的原文",
    {200: ("账本里的原始字节", {JSON: {"type": "object"}})},
    description="答的就是账本里的字节，一个也不多，一个也不少：对它求叶散列即可核对。",
)
def one(index: int) -> Response:
    """Hand out an entry as it was hashed."""
    with ledger().read() as tx:
        return Response(log.read_entry(tx.connection, index), content_type=JSON)


@blueprint.route(f"{_INDEX}/proof")
@open_to_tokens("log:read")
@describe(
    "取一条的入账证明",
    {200: ("入账证明", {JSON: schemas.EntryProof, TEXT: {"type": "string"}})},
    description="证明这一条在最新的检查点里。Accept: text/plain 时是 .tlog-proof 原文。",
)
def proof(index: int) -> Response:
    """Prove that an entry is in the newest checkpoint."""
    with ledger().read() as tx:
        found = checkpoints.prove_entry(tx.connection, index)
    text = notes.encode_proof(found)
    if wants_text():
        return answer_text(text)
    return answer({"index": index, "size": checkpoints.checkpoint_size(found.checkpoint.decode()), "proof": text.decode()})
