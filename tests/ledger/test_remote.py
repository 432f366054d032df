"""An exchange with a machine that nobody trusts is encrypted when asked, certain of whom it talks to, and over in time."""

import contextlib
import ipaddress
import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from ledger.errors import SettingsError, Unavailable
from ledger.remote import post

PROMPT = 60.0


@pytest.fixture
def certificate(tmp_path):
    """A certificate for this machine that its own key signed, and the key, in one file."""
    key, name = Ed25519PrivateKey.generate(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "witness")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - timedelta(1), now + timedelta(1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    file = tmp_path / "witness.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(made.sign(key, None).public_bytes(Encoding.PEM) + secret)
    return file


@contextlib.contextmanager
def listening(behave):
    """Do something to the one connection that comes; gives the port."""

    def accept():
        with contextlib.suppress(OSError), listener.accept()[0] as connection:
            connection.settimeout(PROMPT)
            behave(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept)
        thread.start()
        yield listener.getsockname()[1]
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        thread.join(PROMPT)


def encrypted(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def behave(connection):
        with context.wrap_socket(connection, server_side=True) as inside:
            said = inside.recv(65_536)
            while not said.endswith(b"question"):
                said += inside.recv(65_536)
            inside.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nContent-Type: text/plain; charset=x\r\n\r\nanswer")

    return behave


def ask(url, patience=PROMPT):
    return post(url, b"question", deadline=time.monotonic() + patience, limit=100)


def test_a_machine_with_a_certificate_that_is_trusted_is_asked_in_secret(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with listening(encrypted(certificate)) as port:
        answer = ask(f"https://127.0.0.1:{port}/path")
    assert (answer.status, answer.content_type, answer.body) == (200, "text/plain", b"answer")


def test_a_machine_with_a_certificate_that_nobody_trusts_or_for_another_name_is_told_nothing(certificate, monkeypatch):
    with listening(encrypted(certificate)) as port, pytest.raises(Unavailable, match="SSLCertVerificationError"):
        ask(f"https://127.0.0.1:{port}/path")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with listening(encrypted(certificate)) as port, pytest.raises(Unavailable, match="SSLCertVerificationError"):
        ask(f"https://localhost:{port}/path")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_who_never_speaks_is_left_at_the_deadline(scheme):
    done = threading.Event()
    with listening(lambda _connection: done.wait(PROMPT)) as port:
        with pytest.raises(Unavailable, match="时限"):
            ask(f"{scheme}://127.0.0.1:{port}/path", patience=0.3)
        done.set()


@pytest.mark.parametrize("url", ["", "127.0.0.1", "ftp://127.0.0.1/", "file:///etc/hostname", "http://", "http://[", "http://a:99999999/"])
def test_an_address_that_is_none_of_the_web_is_said_so(url):
    with pytest.raises(SettingsError, match="网址"):
        ask(url)
