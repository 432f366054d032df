"""What the forms that ask for a certificate say, and what stands in its way: the same for the person and for the desk."""

from datetime import date
from functools import partial

from flask import request

from api.auth import actor, ledger
from api.hosts import site_address
from ledger import typesetting
from ledger.certificates import credentials, documents, issuing, printing, register
from ledger.certificates.documents import Wish
from ledger.errors import InvalidRequest
from ledger.transactions import ReadTransaction

PERIODS = {"all": "全部", "this": "今年", "last": "去年", "own": "自己选一段"}


def wish(number: str, today: date) -> Wish:
    """Read a form. Raises InvalidRequest."""
    period = request.form.get("period", "all")
    first: date | None = None
    last: date | None = None
    if period in ("this", "last"):
        year = today.year - (period == "last")
        first, last = date(year, 1, 1), date(year, 12, 31)
    elif period == "own":
        first, last = _day("from", "开始"), _day("to", "结束")
        if first is None and last is None:
            raise InvalidRequest("请填写从哪天到哪天，只填一头也可以")
    elif period != "all":
        raise InvalidRequest("请选择开哪一段时间的")
    full = request.form.get("id_number") == "full"
    return Wish(number, first, last, full_id=full, contact=request.form.get("contact", "")[:200])


def _day(field: str, what: str) -> date | None:
    said = request.form.get(field, "").strip()
    try:
        return date.fromisoformat(said) if said else None
    except ValueError:
        raise InvalidRequest(f"{what}日期不对，请写成 2026-03-05 这样") from None


def unprintable(tx: ReadTransaction, asked: Wish) -> list[str]:
    """List the characters that would be missing on the paper; none when whoever asks has accepted that. Raises as issuing does."""
    if request.form.get("gaps") == "yes":
        return []
    issuing.allowed(tx, actor(), asked.volunteer)
    return typesetting.missing(printing.texts_of(documents.make(tx, actor(), asked, "", 0)))


def in_words(characters: list[str]) -> str:
    """Say which characters are missing."""
    named = "、".join(f"「{one}」（U+{ord(one):04X}）" for one in characters)
    return f"印刷字库里没有 {named}"


def pdf(tx: ReadTransaction, number: str) -> bytes:
    """Print a certificate, with 已撤销 across one that was revoked. Raises NotFound."""
    row = register.get(tx, number)
    sign = partial(ledger().signing.sign_text, tx.connection)
    return printing.print_pdf(register.certificate(tx, row), site_address(), sign, revoked_on=row.revoked_at or "")


def issue(asked: Wish) -> issuing.Issued:
    """Issue what was asked for, in the name of whoever is signed in."""
    return issuing.certify(ledger(), actor(), asked)


def issuer() -> credentials.Issuer:
    """Give who issues Verifiable Credentials here, under the address that people type."""
    return credentials.Issuer(ledger().settings, ledger().signing, site_address())


def credential(tx: ReadTransaction, number: str, way: str) -> tuple[bytes, str, str]:
    """Give a certificate as a Verifiable Credential: content, type and name of the file. Raises NotFound, InvalidRequest."""
    content = credentials.credential(tx, issuer(), register.get(tx, number), way)
    kind, ending = credentials.WAYS[way]
    return content, kind, f"志愿服务记录证明-{number}{ending}"
