"""Whom this machine may be made to call: only public addresses, the very ones that were judged."""

import socket

import pytest

from ledger.addresses import check_url, resolve
from ledger.errors import InvalidRequest, Unavailable

NOT_PUBLIC = (
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 an address to refuse
    "224.0.0.1",
    "255.255.255.255",
    "198.18.0.1",
    "[::1]",
    "[::]",
    "[fe80::1]",
    "[fc00::1]",
    "[ff02::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:10.0.0.1]",
    "[2002:7f00:1::]",
    "[2002:a00:1::]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::a9fe:a9fe]",
)


@pytest.mark.parametrize("host", NOT_PUBLIC)
def test_an_address_of_ones_own_network_is_refused_however_it_is_spelt(host):
    with pytest.raises(InvalidRequest, match="内部网络"):
        check_url(f"https://{host}/hooks", private=False)
    with pytest.raises(Unavailable):
        resolve(f"https://{host}/hooks", private=False)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1", "localhost", "a.localhost"])
def test_other_spellings_of_ones_own_machine_lead_nowhere(host):
    """What the resolver of the system reads as 127.0.0.1 is judged after it was read."""
    with pytest.raises((Unavailable, InvalidRequest)):
        resolve(check_url(f"https://{host}/", private=False), private=False)


@pytest.mark.parametrize("host", ["1.1.1.1", "8.8.8.8", "[2606:4700:4700::1111]", "[64:ff9b::808:808]", "[2002:808:808::]"])
def test_a_public_address_may_be_called(host):
    url = f"https://{host}/hooks?a=b"
    assert check_url(f" {url} ", private=False) == url
    place = resolve(url, private=False)
    assert (place.address, place.port, place.secure, place.path) == (host.strip("[]"), 443, True, "/hooks?a=b")


@pytest.mark.parametrize(
    "url",
    [
        "http://1.1.1.1/",
        "ftp://1.1.1.1/",
        "https://",
        "https://user:word@1.1.1.1/",
        "https://user@1.1.1.1/",
        "https://1.1.1.1:0/",
        "https://1.1.1.1:99999/",
        "https://[::1/",
        "https://1.1.1.1/a b",
        "https://例子.测试/",
        "https://1.1.1.1/\r\nX: y",
        "https://1.1.1.1/" + "a" * 500,
        "",
    ],
)
def test_what_is_no_plain_https_address_is_refused(url):
    with pytest.raises(InvalidRequest):
        check_url(url, private=False)


def test_a_name_with_one_address_inside_is_not_called_at_all(monkeypatch):
    """The name server is somebody else's: here it answers with a public address first and one of ours after it."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in ("1.1.1.1", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: found)
    with pytest.raises(Unavailable, match="内部网络"):
        resolve("https://two-faced.example/", private=False)
    assert resolve("https://two-faced.example/", private=True).address == "1.1.1.1"


def test_where_a_setting_allows_it_ones_own_network_may_be_called():
    assert check_url("http://127.0.0.1:8080/x", private=True) == "http://127.0.0.1:8080/x"
    place = resolve("http://127.0.0.1:8080/x", private=True)
    assert (place.address, place.port, place.secure) == ("127.0.0.1", 8080, False)
