"""
Receipts brought back: whoever holds one (entry number and short hash) asks whether the log still holds what it was given for.

A receipt without a matching entry is proof that the log was changed or cut off: it is never explained away here. The short hash is 48 bits of the leaf
hash, which is over every byte of the entry: nobody who has not seen the entry can make one.
"""

import re
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection

from ledger.bulk import rows_where_in
from ledger.errors import InvalidRequest
from ledger.kinds.checks import INTEGER_MAX
from ledger.log import tree_head
from ledger.tables import EntryRow, table

_ENTRY = table(EntryRow)
_SHORT = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True)
class Verdict:
    """What came out. state: matches, other (the log has something else there), beyond (the log does not reach that far); size: of the log now.

    Of an entry that matches, its kind and when it was recorded; of none other anything.
    """

    state: str
    index: int
    short_hash: str
    size: int
    kind: str = ""
    recorded_at: str = ""


def judge(connection: Connection, index: str, short_hash: str) -> Verdict:
    """Judge a receipt as it is typed. Raises InvalidRequest for what no receipt can say."""
    number, code = "".join(index.split()), "".join(short_hash.split()).lower()
    if not number.isascii() or not number.isdecimal() or len(number) > 16 or int(number) > INTEGER_MAX:
        raise InvalidRequest("账本条号是一个整数，例如 1024。请对照回执再看一遍")
    if not _SHORT.fullmatch(code):
        raise InvalidRequest("短校验码是 12 位，只有数字和字母 a 到 f。请对照回执再看一遍（零不是字母 o，一不是字母 l）")
    size = tree_head(connection).size
    if int(number) >= size:
        return Verdict("beyond", int(number), code, size)
    rows = rows_where_in(connection, (_ENTRY.c.leaf, _ENTRY.c.body), _ENTRY.c.index, [int(number)])
    if not rows or not bytes(rows[0].leaf).hex().startswith(code):
        return Verdict("other", int(number), code, size)
    said = orjson.loads(bytes(rows[0].body))
    return Verdict("matches", int(number), code, size, said["kind"], said["recorded_at"])
