"""
Repeats: a request that a program sends again because it had no answer is carried out once, and answered as the first time.

The program gives each request a key of its own (UUIDv7). What it said is kept as a keyed digest, its answer beside it, in the same transaction as what
the request did: durable together or not at all. The same key with other content is refused. Service records need none of this: there the key is
the entry's own id, and holds for ever. Here it holds for KEPT. Answers hold no personal data.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, select

from ledger.bulk import insert_rows
from ledger.entries import format_time
from ledger.errors import Conflict
from ledger.tables import RequestRow, table
from ledger.transactions import WriteTransaction

KEPT = timedelta(days=30)
_REQUEST = table(RequestRow)

Answer = dict[str, Any]


class KeyReused(Conflict):
    """A key that was used for another request."""


def once(tx: WriteTransaction, key: str | None, said: bytes, work: Callable[[WriteTransaction], Answer]) -> tuple[Answer, bool]:
    """Do *work* for a request unless it was done already. Returns the answer, and whether it is new. Raises KeyReused.

    *said*: everything that makes it the same request again. Without a key it is simply done.
    """
    if key is None:
        return work(tx), True
    digest = tx.vault.blind("request", said.hex())
    mine = (_REQUEST.c.account == tx.actor.account, _REQUEST.c.key == key)
    row = tx.connection.execute(select(_REQUEST.c.digest, _REQUEST.c.answer).where(*mine)).one_or_none()
    if row is not None:
        if bytes(row.digest) != digest:
            raise KeyReused(f"编号 {key} 已用于另一个内容不同的请求。重试请原样再发，新的请求请用新的编号")
        known: Answer = orjson.loads(row.answer)
        return known, False
    answer = work(tx)
    made = {"account": tx.actor.account, "key": key, "digest": digest}
    insert_rows(tx.connection, _REQUEST, [made | {"answer": orjson.dumps(answer).decode(), "made_at": format_time(tx.now)}])
    return answer, True


def forget(connection: Connection, now: datetime) -> int:
    """Forget the requests whose time is over. Returns how many there were."""
    return connection.execute(_REQUEST.delete().where(_REQUEST.c.made_at < format_time(now - KEPT))).rowcount
