"""Issuing a certificate, and revoking one: each is an entry. What makes a paper checkable is signed and sealed in the same write."""

from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from sqlalchemy import func, select

from ledger.bulk import insert_rows
from ledger.certificates import credentials, documents
from ledger.certificates.documents import Wish
from ledger.checking.certificates import code_digest, paper_digest, slip_text
from ledger.checkpoints import Signing
from ledger.errors import Conflict, InvalidRequest, LedgerError, NotAllowed, NotFound
from ledger.ids import new_code
from ledger.kinds import Body
from ledger.kinds.certificates import REASON_MAX
from ledger.kinds.checks import text
from ledger.log import Fact, Receipt
from ledger.notices import tell
from ledger.people import reveals, volunteers
from ledger.people.actors import Actor, require
from ledger.store import Ledger
from ledger.tables import CertificatePaperRow, CertificateRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

_CERTIFICATE, _PAPER = table(CertificateRow), table(CertificatePaperRow)
A_DAY_MAX = 20
"""So many certificates a day for one person: more is a program gone wild, or somebody filling the log."""
LOOKED_AT = "姓名、证件号（开具证明）"
_log = structlog.get_logger()


@dataclass(frozen=True)
class Issued:
    """A certificate that was just issued."""

    number: str
    code: str
    receipt: Receipt


def certify(ledger: Ledger, actor: Actor, wish: Wish) -> Issued:
    """Issue a certificate and sign a checkpoint over it at once, so that its proof is there. Raises as `issue`."""
    issued = ledger.write(lambda tx: issue(tx, ledger.signing, ledger.settings.origin, wish), actor)
    prove(ledger)
    return issued


def prove(ledger: Ledger) -> None:
    """Sign a checkpoint over what was just issued or revoked. It stays so if that fails; the next checkpoint will do."""
    try:
        ledger.sign_now()
    except LedgerError as error:
        _log.error("certificate.no_checkpoint", error=str(error))


def issue(tx: WriteTransaction, signing: Signing, origin: str, wish: Wish) -> Issued:
    """Issue a certificate: the person themselves, or whoever may at their station. Raises NotFound, NotAllowed, InvalidRequest."""
    person = allowed(tx, tx.actor, wish.volunteer)
    mine = _CERTIFICATE.c.volunteer.in_(volunteers.numbers_of(tx, person)), _CERTIFICATE.c.issued_on == tx.today.isoformat()
    if tx.connection.execute(select(func.count()).where(*mine)).scalar_one() >= A_DAY_MAX:
        raise Conflict(f"今天已经开过 {A_DAY_MAX} 份证明，请明天再开，或用已经开好的")
    said = documents.make(tx, tx.actor, wish, origin, tx.tree_size)
    number, code = _next_number(tx, documents.district(tx, said["station"])), new_code()
    document = documents.finish(said, number, code)
    if tx.actor.volunteer is None:
        reveals.note_down(tx, person, "certificate", fields=LOOKED_AT)
        tell(tx, "person/" + person, "certificate.issued", {"certificate": number, "minutes": said["minutes"]})
    body: Body = {
        "certificate": number,
        **{name: document[name] for name in ("volunteer", "station", "issued_on", "minutes", "grades", "tree_size")},
        **{name: document[name] for name in ("period_from", "period_to") if name in document},
        "records": [item["index"] for item in document["items"]],
        "paper": paper_digest(document),
        "code": code_digest(code),
    }
    receipt = tx.append([Fact("certificate.issued", body)])[0]
    kept = {"document": document, "slip": signing.sign_text(tx.connection, slip_text(document)).decode()}
    sealed = tx.vault.seal_more("person/" + person, orjson.dumps(kept), "certificate/" + number)
    insert_rows(tx.connection, _PAPER, [{"certificate": number, "volunteer": person, "sealed": sealed}])
    credentials.draw_place(tx, number)
    return Issued(number, code, receipt)


def allowed(tx: ReadTransaction, actor: Actor, volunteer: str) -> str:
    """Give the number in use of somebody whom the actor may certify. Raises NotFound, NotAllowed, InvalidRequest."""
    person = volunteers.get(tx, volunteer).row
    if actor.volunteer is not None:
        if actor.volunteer not in volunteers.numbers_of(tx, person.number):
            raise NotAllowed("只能给自己开证明")
    else:
        require(tx.connection, actor, "certify", person.station)
    return str(person.number)


def revoke(tx: WriteTransaction, number: str, reason: str) -> Receipt:
    """Revoke a certificate and tell the person. Raises NotFound, NotAllowed, InvalidRequest, Conflict when it is revoked already."""
    row = tx.connection.execute(select(_CERTIFICATE).where(_CERTIFICATE.c.number == number)).one_or_none()
    if row is None:
        raise NotFound("没有这个编号的证明。请对照证明左上角的编号再看一遍")
    tx.require("revoke_certificate", row.station)
    reason = " ".join(reason.split())
    if not text(REASON_MAX)(reason):
        raise InvalidRequest(f"请写明撤销的理由（{REASON_MAX} 字以内，不含手机号和证件号），本人和核验的人都会看到")
    if row.revoked_index is not None:
        raise Conflict(f"这份证明已于 {row.revoked_at[:10]} 撤销，不用再撤")
    body = {"certificate": number, "volunteer": row.volunteer, "station": row.station, "reason": reason}
    receipt = tx.append([Fact("certificate.revoked", body)])[0]
    now = volunteers.get(tx, row.volunteer).row.number
    tell(tx, f"person/{now}", "certificate.revoked", {"certificate": number, "reason": reason})
    return receipt


def _next_number(tx: WriteTransaction, district: str) -> str:
    """Draw the next number of the year: the writer is alone, so there is no gap and no number twice."""
    series = f"{district}-{tx.today.year}"
    newest: Any = tx.connection.execute(select(func.max(_CERTIFICATE.c.serial)).where(_CERTIFICATE.c.series == series)).scalar_one()
    return f"{series}-{(newest or 0) + 1:06d}"
