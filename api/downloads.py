"""Files handed out for keeps: with a name, left in no cache on the way, and never with a personal number that is not the receiver's own."""

from io import BytesIO

from flask import Response, send_file

from ledger.people import leaks
from ledger.reports import Report, file_of


def attachment(content: bytes, content_type: str, name: str, *, personal: bool = False) -> Response:
    """Answer with a file to be saved under a name, less what would hide in it or leave its header.

    *personal*: it goes back to whose it is; else NotAllowed when a personal number stands in it.
    """
    if not personal:
        leaks.check_file(content, content_type, f"文件「{name}」")
    plain = "".join(letter for letter in name if letter.isprintable()).replace("/", "-").replace("\\", "-")
    response = send_file(BytesIO(content), content_type, as_attachment=True, download_name=plain)
    response.headers["Cache-Control"] = "no-store"
    return response


def report_file(report: Report, kind: str) -> Response:
    """Answer with a report as one of its FORMATS. Raises as `file_of` does: it has looked for personal numbers itself."""
    made = file_of(report, kind)
    return attachment(made.content, made.content_type, made.name, personal=True)
