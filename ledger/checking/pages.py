"""
The pages of a certificate's PDF, held to what is attached to it: whoever repaints them and leaves the data alone is found out, without a network too.

    line    `%shouwang-pages ` BASE64URL(note), without padding, LF: a comment right before the PDF's last `startxref`, where it moves nothing
    note    a C2SP signed note of the log's key, the text being
                ORIGIN/certificate-pages LF  number N LF  sha256 BASE64(SHA-256(the file without that line)) LF

It is signed whenever a certificate is printed. A PDF without the line, or saved anew by another program, is not the one we printed.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable

from ledger.checking.certificates import Certificate, rotations_of
from ledger.checking.faults import Report
from ledger.checking.trusting import Trust
from ledger.errors import LedgerError
from ledger.signing import encode64

WHAT = "pages"
"""What a fault of the pages is called."""
_END = b"startxref"
_LINE = re.compile(rb"%shouwang-pages ([A-Za-z0-9_-]{1,4000})\n\Z")
_LINE_BYTES_MAX = 4_100


def sealed(pdf: bytes, origin: str, number: str, sign: Callable[[str], bytes]) -> bytes:
    """Put the signed line into a PDF that was just set. *sign*: gives a text signed by the log's keys."""
    at = pdf.rindex(_END)
    note = base64.urlsafe_b64encode(sign(_text(origin, number, pdf))).rstrip(b"=")
    return b"%s%%shouwang-pages %s\n%s" % (pdf[:at], note, pdf[at:])


def verify_pages(pdf: bytes, certificate: Certificate, trust: Trust, report: Report) -> None:
    """Verify that a PDF is, byte for byte, one that was printed of the certificate it carries."""
    document = certificate.document
    at = pdf.rfind(_END)
    line = _LINE.search(pdf, max(0, at - _LINE_BYTES_MAX), at) if at >= 0 else None
    if line is None:
        report.add(None, WHAT, "打印时签在文件里的一行", "没有：PDF 另存过，或不是本系统打印的")
        return
    try:
        encoded = line[1] + b"=" * (-len(line[1]) % 4)
        note = base64.b64decode(encoded, altchars=b"-_", validate=True)
        if base64.urlsafe_b64encode(note) != encoded:
            raise binascii.Error
        signed, names = trust.open_text(note, rotations_of(certificate))
    except (binascii.Error, LedgerError) as error:
        report.add(None, WHAT, "账本自己签名的页面", error if isinstance(error, LedgerError) else "读不出来的签名")
        return
    report.compare(None, f"{WHAT}.origin", True, document["origin"] in names)
    report.compare(None, WHAT, _text(document["origin"], document["number"], pdf[: line.start()] + pdf[at:]), signed)


def _text(origin: str, number: str, pdf: bytes) -> str:
    return f"{origin}/certificate-pages\nnumber {number}\nsha256 {encode64(hashlib.sha256(pdf).digest())}\n"
