"""
Gateways: ways to send a short message to a phone (SMS, WeChat) through whoever a deployment has a contract with.

A message is a template's code and its parameters, as operators have templates approved beforehand; the words are theirs. For development a message is
a line of JSON in a file. Any operator is reached by a small program of one's own that takes a POST:

    {"channel": "sms", "phone": "13…", "template": "service.approved", "parameters": {"service": "123", "hours": "2小时30分", …}}
    webhook-id, webhook-timestamp, webhook-signature: as Standard Webhooks 1.0 has them; the same id is the same message

A 2xx status takes it; 4xx (but 408, 425 and 429) will not become better by being repeated.
"""

import os
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol

import orjson

from ledger import remote
from ledger.deliveries import sign
from ledger.errors import InvalidRequest, Unavailable
from ledger.settings import Settings

FILE = "file"
"""How the settings spell the file-backed gateway."""
SECONDS_MAX = 10
_ANSWER_BYTES_MAX = 64 * 1024
_LATER = (408, 425, 429)


class Gateway(Protocol):
    """A way to phones."""

    def send(self, message_id: str, channel: str, phone: str, template: str, parameters: Mapping[str, str], now: datetime) -> None:
        """Send one message. Raises Unavailable when it may be tried again, InvalidRequest when that is of no use."""


class FileGateway:
    """Writes messages down, one line each, for development: nothing leaves the machine. The file is its owner's alone."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, message_id: str, channel: str, phone: str, template: str, parameters: Mapping[str, str], now: datetime) -> None:
        """Write a line."""
        said = {"id": message_id, "at": now.isoformat(), **_said(channel, phone, template, parameters)}
        try:
            with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as file:
                file.write(orjson.dumps(said) + b"\n")
        except OSError as error:
            raise Unavailable(f"短信写不进文件（{type(error).__name__}）") from error


class HttpGateway:
    """Hands messages to a program that sends them, signed with a secret that both know."""

    def __init__(self, url: str, secret: str) -> None:
        self._url, self._secret = url, secret.encode()

    def send(self, message_id: str, channel: str, phone: str, template: str, parameters: Mapping[str, str], now: datetime) -> None:
        """POST a message."""
        body = orjson.dumps(_said(channel, phone, template, parameters))
        timestamp = int(now.timestamp())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(self._secret, message_id, timestamp, body),
        }
        status = remote.post(self._url, body, deadline=time.monotonic() + SECONDS_MAX, limit=_ANSWER_BYTES_MAX, headers=headers).status
        if 400 <= status < 500 and status not in _LATER:
            raise InvalidRequest(f"短信平台不接受（{status}）")
        if not 200 <= status < 300:
            raise Unavailable(f"短信平台答复 {status}")


def gateway(settings: Settings) -> Gateway | None:
    """Give the gateway that the settings name; None: messages are not sent at all."""
    if settings.messages_to == FILE:
        return FileGateway(settings.messages_file)
    return HttpGateway(settings.messages_to, settings.messages_secret) if settings.messages_to else None


def _said(channel: str, phone: str, template: str, parameters: Mapping[str, str]) -> dict[str, object]:
    return {"channel": channel, "phone": phone, "template": template, "parameters": dict(parameters)}
