"""
Samples that nobody can steer: which entries an audit looks at follows from a signed tree head and from what the auditor says only afterwards.

The operator signs a checkpoint first and cannot choose its root so that certain entries are left out, because the nonce is not known yet; the auditor
names the nonce afterwards and cannot choose it so that certain entries come up, if it is something that nobody sets (dice thrown in public, the digits
of a lottery drawn on a day agreed before). Anybody who has both draws the same sample:

    seed     = SHA256("shouwang/sample/v1" LF ‖ size as u64 ‖ root (32 bytes) ‖ nonce)
    block i  = SHA256(seed ‖ i as u64), i = 0, 1, 2, …: four numbers of 64 bits each, in order
    a number at or above the largest multiple of size that is not above 2^64 is passed over; any other gives number mod size
    an index drawn before is passed over; the sample is the first COUNT indexes, in ascending order

All numbers are big-endian. To sample entries of one kind, size in the last two lines is how many there are, and an index drawn is the place among
them, in log order, from 0. The nonce is text as it is written, in UTF-8; `hex:` before it marks bytes in hexadecimal.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256

from ledger.errors import InvalidRequest
from ledger.merkle import HASH_BYTES

_LABEL = b"shouwang/sample/v1\n"
_RANGE = 1 << 64


def sample(root: bytes, size: int, nonce: bytes, count: int, population: Sequence[int] | None = None) -> list[int]:
    """
    Draw *count* distinct indexes of the log of that size and root, ascending; with *population*, of those indexes alone.

    Raises:
        InvalidRequest: the nonce is empty, or more are wanted than there are.
    """
    among = size if population is None else len(population)
    if not nonce:
        raise InvalidRequest("抽样要有一个事后才知道的随机数（nonce），不能为空")
    if not 1 <= count <= among:
        raise InvalidRequest(f"可抽的有 {among} 条，抽样数应在 1 到 {among} 之间，不是 {count}")
    if len(root) != HASH_BYTES or not 0 < size < _RANGE:
        raise InvalidRequest("抽样要有账本的条数和 32 字节的树根")
    drawn: set[int] = set()
    limit = _RANGE - _RANGE % among
    for number in _numbers(sha256(_LABEL + size.to_bytes(8, "big") + root + nonce).digest()):
        if number < limit:
            drawn.add(number % among)
        if len(drawn) == count:
            break
    return sorted(drawn) if population is None else [population[place] for place in sorted(drawn)]


def parse_nonce(written: str) -> bytes:
    """Read a nonce as it is written. Raises InvalidRequest when what follows hex: is not hexadecimal."""
    if not written.startswith("hex:"):
        return written.encode()
    try:
        return bytes.fromhex(written.removeprefix("hex:"))
    except ValueError:
        raise InvalidRequest("hex: 之后应为十六进制数") from None


def _numbers(seed: bytes) -> Iterator[int]:
    """Give the seed's numbers of 64 bits, without end."""
    counter = 0
    while True:
        block = sha256(seed + counter.to_bytes(8, "big")).digest()
        yield from (int.from_bytes(block[at : at + 8], "big") for at in range(0, len(block), 8))
        counter += 1
