"""
Ed25519 keys as Verifiable Credentials name them: Multikey (W3C Controlled Identifiers 1.0) and did:key.

A multikey is `z` (multibase for base58btc) and the base58 of 0xED 0x01 (multicodec ed25519-pub) and the 32 bytes of the key; a signature's `proofValue`
is `z` and the base58 of its 64 bytes. did:key is `did:key:` and the multikey; its only verification method has the multikey as fragment again.
"""

from ledger.errors import InvalidRequest

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUE = {character: value for value, character in enumerate(_ALPHABET)}
_ED25519 = b"\xed\x01"
_TEXT_MAX = 100


def multibase(raw: bytes) -> str:
    """Write bytes in base58btc, with the prefix that says so."""
    number, digits = int.from_bytes(raw, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        digits = _ALPHABET[digit] + digits
    return "z" + _ALPHABET[0] * (len(raw) - len(raw.lstrip(b"\0"))) + digits


def from_multibase(text: str, length: int) -> bytes:
    """Read so many bytes from base58btc. Raises InvalidRequest for anything but their one spelling."""
    number = 0
    if not text.startswith("z") or len(text) > _TEXT_MAX or not all(character in _VALUE for character in text[1:]):
        raise InvalidRequest("公钥或签名不是 base58btc（z 开头）")
    for character in text[1:]:
        number = number * 58 + _VALUE[character]
    raw = number.to_bytes(_TEXT_MAX, "big")[_TEXT_MAX - length :]
    if multibase(raw) != text:
        raise InvalidRequest(f"公钥或签名应为 {length} 字节")
    return raw


def multikey(public: bytes) -> str:
    """Name an Ed25519 public key."""
    return multibase(_ED25519 + public)


def public_key(named: str) -> bytes:
    """Give the 32 bytes of the Ed25519 public key that a multikey names. Raises InvalidRequest."""
    raw = from_multibase(named, 34)
    if raw[:2] != _ED25519:
        raise InvalidRequest("公钥不是 Ed25519 的")
    return raw[2:]


def did_key(named: str) -> str:
    """Give the did:key of a multikey."""
    return f"did:key:{named}"
