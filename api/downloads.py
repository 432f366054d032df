"""Files handed out for keeps: with a name, and left in no cache on the way."""

from io import BytesIO

from flask import Response, send_file


def attachment(content: bytes, content_type: str, name: str) -> Response:
    """Answer with a file to be saved under a name."""
    response = send_file(BytesIO(content), content_type, as_attachment=True, download_name=name)
    response.headers["Cache-Control"] = "no-store"
    return response
