"""
A certificate as a PDF: A4, PDF/A-3b, with what proves it attached, and a code to scan that proves the paper alone.

Typst sets it from certificate.typ. A name may have a character that our fonts lack: `typesetting.missing` of `texts_of` tells, before anything is issued.
"""

import io
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import segno

from ledger.checking import pages
from ledger.checking.certificates import ATTACHED, Certificate, encode_certificate, qr_text
from ledger.codes import GRADES, SERIES
from ledger.entries import SHANGHAI
from ledger.ids import spaced, spaced_code
from ledger.service.drafts import duration
from ledger.typesetting import gap_names, gapped, missing, typeset

_TEMPLATE = Path(__file__).with_name("certificate.typ")


def print_pdf(certificate: Certificate, address: str, sign: Callable[[str], bytes], *, revoked_on: str = "") -> bytes:
    """
    Print a certificate.

    Args:
        address: where it is checked, as people type it
        sign: gives a text signed by the log's keys; what is printed is signed (checking/pages.py)
        revoked_on: printed right across one that no longer holds
    """
    document = certificate.document
    code = qr_text(address, document["code"], certificate.slip)
    drawn = io.BytesIO()
    # What is drawn looks random under any mask; trying all eight would take longer than all the rest.
    segno.make(code, error="m", mask=2, micro=False).save(drawn, kind="svg", xmldecl=False, border=2)
    data = _words(document) | {"address": address, "qr": drawn.getvalue().decode(), "revoked_on": revoked_on and _day(revoked_on)}
    issued = datetime.fromisoformat(document["issued_on"]).replace(tzinfo=SHANGHAI)
    inputs = {"file": encode_certificate(certificate).decode(), "name": ATTACHED}
    return pages.sealed(typeset(_TEMPLATE, data, issued, standard="a-3b", **inputs), document["origin"], document["number"], sign)


def texts_of(document: dict[str, Any]) -> list[str]:
    """List what a document prints that people have written: names and titles."""
    items = [item[name] for item in document["items"] for name in ("activity", "unit", "group") if name in item]
    return [document["name"], document["unit"], document["handler"], document.get("contact", ""), *items]


def _words(document: dict[str, Any]) -> dict[str, Any]:
    """Say a document as it is printed."""
    items = document["items"]
    lacking = missing(texts_of(document))
    first, last = document.get("period_from", items[0]["served_on"]), document.get("period_to", items[-1]["served_on"])
    rows = [
        [
            str(number),
            item["served_on"],
            f"{item['start'][11:]}–{'次日 ' if item['end'][:10] > item['start'][:10] else ''}{item['end'][11:]}",
            item["activity"] + (f"\n（{item['group']}）" if "group" in item else ""),
            item["unit"],
            item["grade"],
            duration(item["minutes"]),
            str(item["index"]),
        ]
        for number, item in enumerate(items, 1)
    ]
    said = {
        "number": document["number"],
        "code": spaced_code(document["code"]),
        "issued": _day(document["issued_on"]),
        "issued_iso": [int(part) for part in document["issued_on"].split("-")],
        "name": document["name"],
        "id_number": document["id_number"],
        "volunteer": spaced(document["volunteer"]),
        "unit": document["unit"],
        "handler": document["handler"],
        "contact": document.get("contact", ""),
        "period": f"{_day(first)}至{_day(last)}",
        "total": duration(document["minutes"]),
        "count": len(items),
        "grades": [[code, GRADES[code], duration(minutes)] for code, minutes in document["grades"].items()],
        "series": [[SERIES[code], duration(minutes)] for code, minutes in document["series"].items()],
        "rows": rows,
        "origin": document["origin"],
        "size": document["tree_size"],
    }
    printed: dict[str, Any] = gapped(said, lacking)
    return printed | {"lacking": gap_names(lacking)}


def _day(text: str) -> str:
    year, month, day = text[:10].split("-")
    return f"{year}年{int(month)}月{int(day)}日"
