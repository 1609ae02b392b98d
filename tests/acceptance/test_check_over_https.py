"""``apidouble check`` on a service behind a certificate that no authority has signed."""

from __future__ import annotations

import ipaddress
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from werkzeug.serving import make_server

from tests.unit.commands.running import Ran, run
from tests.unit.contracts.commands.services import NOTES, Notes


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "notes")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                       serialization.NoEncryption()))  # fmt: skip
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def url(certificate: tuple[Path, Path]) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server = make_server("127.0.0.1", 0, Notes().app(), threaded=True, ssl_context=context)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def check(url: str, *more: str | Path) -> Ran:
    return run("check", NOTES, "--url", url, "--check", "read_your_write", "--size", "0.2", "--max-time", "20s", *more)


def test_unknown_certificate_is_not_trusted(url: str) -> None:
    ran = check(url)
    assert ran.code == 3
    assert "CERTIFICATE_VERIFY_FAILED" in ran.err.replace("\n", " ")


@pytest.mark.parametrize("reset", [False, True], ids=["open", "closed"])
def test_bundle_with_the_certificate_is_trusted(url: str, reset: bool, certificate: tuple[Path, Path]) -> None:
    ran = check(url, "--ca-bundle", certificate[0], *(("--reset", f"{url}/reset") if reset else ()))
    assert ran.code == 0, ran.out + ran.err


def test_insecure_takes_any_certificate(url: str) -> None:
    ran = check(url, "--insecure")
    assert ran.code == 0, ran.out + ran.err
