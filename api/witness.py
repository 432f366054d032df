"""
A witness on the web (C2SP tlog-witness): a small application of its own, apart from the ledger's pages, without sessions, forms or templates.

    POST /add-checkpoint                            a log asks for a cosignature
    GET  /<SHA-256 of the origin, hex>/checkpoint   a monitor asks what was cosigned last
"""

import structlog
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from ledger.witness import REQUEST_BYTES_MAX, TEXT, Witness

_log = structlog.get_logger()


def create_witness_app(witness: Witness) -> Flask:
    """Make the application of one witness."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = REQUEST_BYTES_MAX

    @app.post("/add-checkpoint")
    def add_checkpoint() -> Response:
        """Cosign, or say why not."""
        said = witness.add_checkpoint(request.get_data(cache=False))
        if said.is_fork:
            _log.error(
                "witness.fork", status=said.status, remark="账本对同一条数签了两个不同的根，证据已保存，请看 shouwang witness evidence"
            )
        return _answer(said.body, said.status, said.content_type)

    @app.get("/<origin_hash>/checkpoint")
    def checkpoint(origin_hash: str) -> Response:
        """Serve the newest cosigned checkpoint of a log."""
        note = witness.checkpoint(origin_hash)
        return _answer(note, 200) if note else _answer("没有联署过这个账本\n".encode(), 404)

    @app.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> Response:
        """Answer in plain text."""
        return _answer(f"{error.name}\n".encode(), error.code or 500)

    return app


def _answer(body: bytes, status: int, content_type: str = TEXT) -> Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(body, status, headers, content_type=content_type)
