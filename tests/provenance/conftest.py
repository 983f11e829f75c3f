"""Certificates with every mistake, pictures, and a server that counts its visitors."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image

from synthmark.labeling.model import AigcLabel
from synthmark.labeling.payload import Payload
from synthmark.labeling.provenance.certificates import (
    Credentials,
    make_development_chain,
)
from synthmark.labeling.provenance.manifest import Claim, Signer

KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
NO_HASH = (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey)


@dataclass
class Authority:
    """A root and an intermediate that issue whatever leaf is asked for."""

    root_key: Any = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    key: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        self.root = self.issue("Root", self.root_key, "Root", self.root_key, ca=True)
        self.intermediate = self.issue("ICA", self.key, "Root", self.root_key, ca=True)

    @property
    def root_pem(self) -> str:
        return pem(self.root)

    def chain(self, key: Any = None, **settings: Any) -> tuple[str, str]:
        """Return chain and key of a leaf, well made but for `settings`."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        leaf = self.issue("Leaf", key, "ICA", self.key, ca=False, **settings)
        return pem(leaf, self.intermediate), key_pem(key)

    def issue(
        self,
        name: str,
        key: Any,
        issuer: str,
        issuer_key: Any,
        *,
        ca: bool,
        start: timedelta = timedelta(minutes=-5),
        end: timedelta = timedelta(days=90),
        usage: tuple[str, ...] | None = None,
        purposes: tuple[x509.ObjectIdentifier, ...] = (
            ExtendedKeyUsageOID.EMAIL_PROTECTION,
        ),
        key_identifier: bool = True,
        digest: Any = None,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(distinguished(name))
            .issuer_name(distinguished(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + start)
            .not_valid_after(now + end)
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
        )
        if usage is None:
            usage = ("key_cert_sign", "crl_sign") if ca else ("digital_signature",)
        if usage:
            flags = {kind: kind in usage for kind in KEY_USAGES}
            builder = builder.add_extension(x509.KeyUsage(**flags), critical=True)
        if key_identifier:
            identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(
                issuer_key.public_key()
            )
            builder = builder.add_extension(identifier, critical=False)
        if purposes and not ca:
            builder = builder.add_extension(
                x509.ExtendedKeyUsage(list(purposes)),
                critical=purposes == (ExtendedKeyUsageOID.TIME_STAMPING,),
            )
        hashless = isinstance(issuer_key, NO_HASH)
        return builder.sign(issuer_key, None if hashless else digest or hashes.SHA256())


def distinguished(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, f"{name} Ltd"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def pem(*certificates: x509.Certificate) -> str:
    encoding = serialization.Encoding.PEM
    return "".join(item.public_bytes(encoding).decode() for item in certificates)


def key_pem(key: Any, password: bytes | None = None) -> str:
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        encryption = serialization.BestAvailableEncryption(password)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    ).decode()


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="session")
def write_pem() -> Callable[..., str]:
    return pem


@pytest.fixture(scope="session")
def write_key() -> Callable[..., str]:
    return key_pem


@pytest.fixture(scope="session")
def credentials() -> Credentials:
    return make_development_chain()


@pytest.fixture(scope="session")
def signer(credentials: Credentials) -> Signer:
    return Signer.from_pem(credentials.chain_pem, credentials.key_pem)


@pytest.fixture(scope="session")
def claim() -> Claim:
    return Claim(
        title="猫.jpg",
        label=AigcLabel(
            label="1",
            content_producer="001191110102MACQD9K64010000",
            produce_id="01JD0C9P5T",
        ),
        payload=Payload(issuer=7, serial=123456),
        mark_scheme="image-lattice/1",
        software_agent="painter",
        software_agent_version="3.1",
        when=datetime(2026, 11, 22, 18, 30, tzinfo=UTC),
        generator_version="0.1.0",
    )


@pytest.fixture(scope="session")
def picture() -> Callable[..., bytes]:
    """Return a maker of small noisy pictures, the same for the same seed."""

    def make(kind: str = "JPEG", seed: int = 0, **settings: Any) -> bytes:
        noise = np.random.default_rng(seed).integers(
            0, 256, (48, 64, 3), dtype=np.uint8
        )
        file = io.BytesIO()
        Image.fromarray(noise).save(file, kind, **settings)
        return file.getvalue()

    return make


@dataclass
class Server:
    """A local web server and the requests that reached it."""

    url: str
    requests: list[str]
    answer: Callable[[bytes], tuple[int, bytes]]


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply(b"")

        def do_POST(self) -> None:
            self._reply(self.rfile.read(int(self.headers["content-length"])))

        def _reply(self, question: bytes) -> None:
            state.requests.append(self.command)
            status, body = state.answer(question)
            self.send_response(status)
            self.send_header("content-type", "application/timestamp-reply")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        state = Server(
            f"http://127.0.0.1:{http.server_port}/", [], lambda _: (404, b"")
        )
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield state
        http.shutdown()
        thread.join()


@pytest.fixture
def closed_port() -> int:
    """Return a local port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
