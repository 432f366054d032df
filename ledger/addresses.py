"""
Addresses that others give us to call: which of them may be called at all, so that nobody can make this machine ask its own neighbours for them.

A receiver is reached by https on a public address of the internet. The name is resolved at every call, every address it has must be public, and the
connection goes to the very address that was judged (a name that says something else a moment later gains nothing). Addresses within addresses
(IPv4 in IPv6, 6to4, Teredo, NAT64) are judged by what they hold. *private* lifts this for a deployment whose receivers are in its own network.
"""

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from ledger.errors import InvalidRequest, Unavailable

_URL_LENGTH_MAX = 500
_NAT64 = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True)
class Place:
    """Where to connect: the address judged, the name that its certificate must have, port, and the path to ask for."""

    address: str
    host: str
    port: int
    secure: bool
    path: str


def check_url(url: str, *, private: bool) -> str:
    """Give the address as it will be called. Raises InvalidRequest for one that never may be."""
    said = url.strip()
    if len(said) > _URL_LENGTH_MAX or not said.isascii() or not said.isprintable() or " " in said:
        raise InvalidRequest(f"接收地址应是不超过 {_URL_LENGTH_MAX} 个字符的网址，不含空格和中文，例如 https://example.gov.cn/hooks")
    host, _, secure, _ = _parts(said)
    if not secure and not private:
        raise InvalidRequest("接收地址应以 https:// 开头")
    try:
        literal = ip_address(host)
    except ValueError:
        literal = None
    if not private and ((literal is not None and not _is_public(literal)) or host == "localhost" or host.endswith(".localhost")):
        raise InvalidRequest("接收地址指向本机或内部网络，不能登记。确有需要时，请系统管理员设置 SHOUWANG_WEBHOOKS_PRIVATE=1")
    return said


def resolve(url: str, *, private: bool) -> Place:
    """Say where to connect for an address. Raises Unavailable when its name has no address, or one that may not be called."""
    host, port, secure, path = _parts(url)
    try:
        found = [str(one[4][0]).partition("%")[0] for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        raise Unavailable("查不到这个域名的地址") from None
    if not found:
        raise Unavailable("查不到这个域名的地址")
    if not private and not (secure and all(_is_public(ip_address(one)) for one in found)):
        raise Unavailable("这个域名指向本机或内部网络，没有发送")
    return Place(found[0], host, port, secure, path)


def _parts(url: str) -> tuple[str, int, bool, str]:
    """Take an address apart: host, port, whether it is https, path with query. Raises InvalidRequest."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InvalidRequest("接收地址看不懂，请核对") from None
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or parts.password is not None or port == 0:
        raise InvalidRequest("接收地址应以 https:// 开头，后面是域名和路径，不含用户名和密码")
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return host, port or (443 if secure else 80), secure, path


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether an address is one of the public internet, and so are those hidden in it."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return isinstance(address, IPv6Address) and address in _NAT64 and _is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
    if isinstance(address, IPv4Address):
        return True
    within = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        within.append(IPv4Address(int(address) & 0xFFFF_FFFF))
    return all(_is_public(one) for one in within if one is not None)
