"""Signed papers: of a scan or photo handed in with a form only the SHA-256 is kept; the paper itself stays in the station's files."""

import hashlib

from flask import request

from ledger.entries import b64
from ledger.errors import InvalidRequest


def digest_of(name: str, what: str) -> str | None:
    """Give the digest (base64 of SHA-256) of the file in a form's field; None when none was handed in. Raises InvalidRequest for an empty one."""
    file = request.files.get(name)
    if file is None or not file.filename:
        return None
    content = file.stream.read()
    if not content:
        raise InvalidRequest(f"{what}的文件是空的，请重新拍照或扫描")
    return b64(hashlib.sha256(content).digest())


def need_digest_of(name: str, what: str) -> str:
    """Give the digest of a file that must be there. Raises InvalidRequest."""
    digest = digest_of(name, what)
    if digest is None:
        raise InvalidRequest(f"请附上{what}的照片或扫描件（只留下它的指纹，原件由站点存档）")
    return digest
