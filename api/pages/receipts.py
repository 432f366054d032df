"""「核对回执」: anybody who holds a receipt types its number and short hash, and is told what the log holds there."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from api.auth import ledger, open_to_all
from api.wording import KIND_NAMES
from ledger import receipts
from ledger.errors import InvalidRequest

blueprint = Blueprint("receipts", __name__)


@blueprint.get("/receipts")
@open_to_all
def form() -> ResponseReturnValue:
    """Ask for a receipt, and judge it when one was typed."""
    index, code = request.args.get("index", ""), request.args.get("code", "")
    verdict, problem = None, ""
    if index or code:
        try:
            with ledger().read() as tx:
                verdict = receipts.judge(tx.connection, index, code)
        except InvalidRequest as refusal:
            problem = str(refusal)
    words = {"kind": KIND_NAMES.get(verdict.kind, verdict.kind) if verdict else ""}
    return render_template("receipts.html", index=index, code=code, verdict=verdict, problem=problem, **words), 400 if problem else 200
