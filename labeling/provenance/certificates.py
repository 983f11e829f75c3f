"""The certificates of a signer: make, keep, check, describe.

A chain is PEM text, leaf first, each certificate issued by the next, the root left
out (C2PA 2.2, section 14).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..errors import CertificateError
from ..files import write_bytes
from .chain import algorithms, build_path, parse_chain, to_pem
from .profile import Problem, check

__all__ = [
    "DEVELOPMENT",
    "Credentials",
    "Description",
    "Problem",
    "check",
    "describe",
    "is_development",
    "load_credentials",
    "make_development_chain",
    "save_credentials",
]

DEVELOPMENT = "synthmark development only"
CHAIN_FILE = "signer-chain.pem"
KEY_FILE = "signer-key.pem"
ROOT_FILE = "root.pem"
LEAF_DAYS = 397
FILE_LIMIT = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A signing chain, its private key, and the root that readers may trust.

    Parameters
    ----------
    chain_pem : str
        Certificates, leaf first, without the root.
    key_pem : str
        The leaf's private key, PKCS#8; never shown in `repr`.
    root_pem : str
        The root; empty when it is not known.
    """

    chain_pem: str = field(repr=False)
    key_pem: str = field(repr=False)
    root_pem: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a chain's leaf says about itself.

    Parameters
    ----------
    subject, issuer : str
        Distinguished names (RFC 4514).
    not_after : datetime
        The end of its validity, with time zone.
    algorithm : str
        The signature algorithm it is used with, for example ``"es256"``; empty
        when there is none.
    """

    subject: str
    issuer: str
    not_after: datetime
    algorithm: str


def make_development_chain() -> Credentials:
    """Make a root, an intermediate and a leaf (ES256, 397 days) for trying things out.

    Nobody but the maker trusts this chain, and every name in it says so.
    """
    tag = x509.random_serial_number() & 0xFFFFFF
    names = [
        x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, DEVELOPMENT),
                x509.NameAttribute(
                    NameOID.COMMON_NAME, f"{DEVELOPMENT}: {role} {tag:06x}"
                ),
            ]
        )
        for role in ("root", "intermediate", "signer")
    ]
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in names]
    root, intermediate, leaf = (
        _issue(
            name, key.public_key(), issuer, issuer_key, days=days, path_length=length
        )
        for name, key, issuer, issuer_key, days, length in (
            (names[0], keys[0], names[0], keys[0], 3650, 1),
            (names[1], keys[1], names[0], keys[0], 1825, 0),
            (names[2], keys[2], names[1], keys[1], LEAF_DAYS, None),
        )
    )
    key_pem = keys[2].private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return Credentials(
        chain_pem=to_pem(leaf, intermediate),
        key_pem=key_pem.decode(),
        root_pem=to_pem(root),
    )


def save_credentials(
    folder: Path, credentials: Credentials, *, overwrite: bool = False
) -> None:
    """Write the chain, the key (readable by its owner only) and the root to a folder.

    The folder must exist. The chain is written last: where it stands, the rest does.

    Raises
    ------
    OutputError
        A file exists and `overwrite` is false, or cannot be written.
    """
    for name, text, mode in (
        (KEY_FILE, credentials.key_pem, 0o600),
        (ROOT_FILE, credentials.root_pem, None),
        (CHAIN_FILE, credentials.chain_pem, None),
    ):
        if text:
            write_bytes(folder / name, text.encode(), overwrite=overwrite, mode=mode)


def load_credentials(folder: Path) -> Credentials:
    """Read what `save_credentials` wrote; the root may be missing.

    Raises
    ------
    CertificateError
        The chain or the key is missing, unreadable, or no text.
    """
    has_root = (folder / ROOT_FILE).exists()
    return Credentials(
        chain_pem=_read_text(folder / CHAIN_FILE),
        key_pem=_read_text(folder / KEY_FILE),
        root_pem=_read_text(folder / ROOT_FILE) if has_root else "",
    )


def describe(chain_pem: str) -> Description:
    """Say whose chain it is, who issued it, and until when it holds.

    Raises
    ------
    CertificateError
        The text is no chain of certificates.
    """
    leaf = build_path(parse_chain(chain_pem))[0]
    return Description(
        subject=leaf.subject.rfc4514_string(),
        issuer=leaf.issuer.rfc4514_string(),
        not_after=leaf.not_valid_after_utc,
        algorithm=next(iter(algorithms(leaf)), ""),
    )


def is_development(chain_pem: str) -> bool:
    """Tell whether the chain was made by `make_development_chain`.

    Raises
    ------
    CertificateError
        The text is no chain of certificates.
    """
    return any(
        attribute.value == DEVELOPMENT
        for certificate in parse_chain(chain_pem)
        for attribute in certificate.subject.get_attributes_for_oid(
            NameOID.ORGANIZATION_NAME
        )
    )


def _issue(
    name: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    days: int,
    path_length: int | None,
) -> x509.Certificate:
    authority = path_length is not None
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    usage = x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.BasicConstraints(authority, path_length), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if not authority:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(FILE_LIMIT).decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise CertificateError(
            f"cannot be read: {(reason or str(error)).lower()}",
            hint=f"A signer's folder holds {CHAIN_FILE} and {KEY_FILE}.",
            path=path,
        ) from error
