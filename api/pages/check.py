"""
「核验证明」: anybody with a certificate, on paper or as a file, is told how it stands. No sign-in, no script, made for a phone.

The number or the check code is looked up in the register; a file is verified as an outsider would do it, and then looked up as well. Nobody's name is
shown in full: whoever holds the paper may type the name and the last four of the ID number and is told whether they are the person's, and is slowed
like somebody who guesses passwords (ledger/people/throttling.py).
"""

from typing import Any

import structlog
from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from api.auth import client, ledger, open_to_all
from api.downloads import attachment
from api.hosts import site_address
from api.limits import Meter
from ledger import stations
from ledger.certificates import register
from ledger.checking import pages
from ledger.checking.certificates import FILE_BYTES_MAX, paper_digest
from ledger.checking.credentials import judge_file
from ledger.checking.trusting import Trust
from ledger.errors import InvalidRequest, NotFound
from ledger.people import throttling
from ledger.transactions import ReadTransaction

blueprint = Blueprint("check", __name__, url_prefix="/check")
A_MINUTE = 60
"""Look-ups from one address: a counter with a queue, not a program that reads the register."""
_METER = "check_meter"
_log = structlog.get_logger()
blueprint.record(lambda state: state.app.extensions.setdefault(_METER, Meter("check", A_MINUTE)))


@blueprint.get("/")
@open_to_all
def form() -> ResponseReturnValue:
    """Ask for a number or a code; a form sends it here, and it is looked up under an address of its own."""
    said = request.args.get("said", "").strip()[:60]
    if not said:
        return _page(problem="请输入证明左上角的编号，或页脚的校验码", status=400) if "said" in request.args else _page()
    return redirect(url_for("check.one", certificate=said))


@blueprint.get("/<certificate>")
@open_to_all
def one(certificate: str) -> ResponseReturnValue:
    """Say how a certificate stands. What a scanned code has behind its # stays in the browser."""
    _count()
    return _answer(certificate[:60])


@blueprint.post("/<certificate>/person")
@open_to_all
def person(certificate: str) -> ResponseReturnValue:
    """Say whether a name and four digits are those of the person on the paper."""
    _count()
    name, tail = request.form.get("name", "")[:80], request.form.get("tail", "")[:10]
    try:
        with ledger().read() as tx:
            row = register.find(tx, certificate[:60])
            same = row is not None and register.is_person(tx, row, name, tail)
    except (InvalidRequest, NotFound) as refusal:
        return _answer(certificate[:60], problem=str(refusal))
    if row is None:
        return _answer(certificate[:60])
    blind, where = ledger().vault.blind, client()
    name_of_try = f"certificate/{row.number}/{where.address}"

    def count(connection: Connection, now: Any) -> bool:
        tried = throttling.admit(connection, now, blind, name_of_try, None, where)
        if tried is not None and same:
            throttling.succeeded(connection, tried)
        return tried is not None

    if not ledger().operate(count):
        return _answer(certificate[:60], problem="试得太多了，请过几分钟再核对；或请持证人出示证件当面核对")
    return _answer(certificate[:60], compared="same" if same else "other")


@blueprint.post("/file")
@open_to_all
def file() -> ResponseReturnValue:
    """Verify a PDF, its data or a Verifiable Credential as anybody could, and say how its certificate stands."""
    _count()
    given = request.files.get("file")
    try:
        if given is None or not given.filename:
            raise InvalidRequest("请选择证明的 PDF 文件，或随它保存的 JSON、JWT 文件")
        with ledger().read() as tx:
            judged = judge_file(given.stream.read(FILE_BYTES_MAX + 1), Trust(ledger().signing.keyring(tx.connection).verifiers))
    except InvalidRequest as refusal:
        return _page(problem=str(refusal), status=400)
    with ledger().read() as tx:
        try:
            row = register.get(tx, str(judged.document.get("number")))
        except NotFound:
            row = None
    wrong = [fault for fault in judged.report.faults if fault.what != "certificate"]  # that it was revoked is said by the register
    if wrong or row is None or row.paper != paper_digest(judged.document):
        _log.info("certificate.file_refused", what=wrong[0].what if wrong else "register")
        repainted = bool(wrong) and row is not None and all(fault.what == pages.WHAT for fault in wrong)
        return _page(forged=True, repainted=repainted, status=400)
    return _answer(row.number, from_file=True)


@blueprint.get("/offline.html")
@open_to_all
def offline() -> ResponseReturnValue:
    """Hand out a page that verifies PDFs and codes with the network cable out: a file to keep, never shown here, where no page has a script."""
    _count()
    with ledger().read() as tx:
        keys = [verifier.vkey for verifier in ledger().signing.keyring(tx.connection).verifiers]
        page = render_template("offline_check.html", keys=keys, made=tx.today.isoformat(), address=site_address())
    return attachment(page.encode(), "application/octet-stream", "离线核验.html")


def _count() -> None:
    """Count a look-up of this address. Raises Problem when there have been too many."""
    current_app.extensions[_METER].take(request.remote_addr or "")


def _answer(said: str, *, problem: str = "", compared: str = "", from_file: bool = False) -> ResponseReturnValue:
    try:
        with ledger().read() as tx:
            row = register.find(tx, said)
            shown = _shown(tx, row) if row is not None else {"unknown": True}
    except InvalidRequest as refusal:
        return _page(said=said, problem=str(refusal), status=400)
    status = 400 if problem else 200 if row is not None else 404
    return _page(said=said, problem=problem, compared=compared, from_file=from_file, status=status, **shown)


def _shown(tx: ReadTransaction, row: Any) -> dict[str, Any]:
    found = register.standing(tx, row)
    return {
        "found": found,
        "name": register.masked_name(tx, row),
        "unit": stations.names(tx.connection, [row.station]).get(row.station, row.station),
        "today": tx.today.isoformat(),
    }


def _page(*, status: int = 200, **shown: Any) -> ResponseReturnValue:
    page = render_template("check.html", STATES=register.STATES, **{"said": "", "found": None, **shown})
    return page, status, {"X-Robots-Tag": "noindex, noarchive"}
