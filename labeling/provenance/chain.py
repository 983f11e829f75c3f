"""Certificate chains and keys as PEM text, taken apart."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificatePublicKeyTypes,
    PrivateKeyTypes,
)

from ..errors import CertificateError

__all__ = [
    "algorithms",
    "build_path",
    "issues",
    "parse_certificates",
    "parse_chain",
    "parse_key",
    "public_key",
    "to_pem",
]

CHAIN_LIMIT = 10
RSA_BITS_MIN = 2048
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


def parse_certificates(pem: str) -> tuple[x509.Certificate, ...]:
    """Take PEM text apart into certificates.

    Raises
    ------
    CertificateError
        It holds no certificate, or a damaged one.
    """
    try:
        certificates = x509.load_pem_x509_certificates(pem.encode())
        for certificate in certificates:
            # These parts are parsed on first use only.
            _ = (certificate.extensions, certificate.subject, certificate.issuer)
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        raise CertificateError(
            "the certificates cannot be read as PEM",
            hint="Give text with one BEGIN CERTIFICATE block for each certificate; "
            "convert a .der or .p12 file with `openssl`.",
        ) from error
    return tuple(certificates)


def parse_chain(pem: str) -> tuple[x509.Certificate, ...]:
    """Take the PEM text of a signer's chain apart into certificates.

    Raises
    ------
    CertificateError
        It holds no certificate, a damaged one, too many, or a private key.
    """
    if "PRIVATE KEY-----" in pem:
        # The C2PA library would embed the key in every file it signs.
        raise CertificateError(
            "a private key stands among the certificates",
            hint="Keep the key in a file of its own, and the chain without it.",
        )
    certificates = parse_certificates(pem)
    if len(certificates) > CHAIN_LIMIT:
        raise CertificateError(
            f"{len(certificates)} certificates are too many for a chain",
            hint="Give the signer's certificate and its intermediates only.",
        )
    return certificates


def parse_key(pem: str) -> PrivateKeyTypes:
    """Read an unencrypted private key from PEM text.

    Raises
    ------
    CertificateError
        It is encrypted, damaged, or no private key.
    """
    try:
        return serialization.load_pem_private_key(pem.encode(), None)
    except TypeError as error:
        raise CertificateError(
            "the private key is encrypted",
            hint="Decrypt it with `openssl pkey -in KEY -out PLAIN`, or sign through "
            "a function that asks a key store.",
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError(
            "the private key cannot be read as PEM",
            hint="A key is text with one BEGIN PRIVATE KEY block.",
        ) from error


def to_pem(*certificates: x509.Certificate) -> str:
    """Write certificates as PEM text."""
    return "".join(
        item.public_bytes(serialization.Encoding.PEM).decode() for item in certificates
    )


def public_key(certificate: x509.Certificate) -> CertificatePublicKeyTypes | None:
    """Return a certificate's key, or None for a kind that is not known here."""
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None


def algorithms(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return the signature algorithms that fit a certificate, the usual one first.

    Empty when C2PA has none for its key (C2PA 2.2, section 13.2.1).
    """
    key = public_key(certificate)
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return (_CURVES[key.curve.name],)
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= RSA_BITS_MIN:
        return ("ps256", "ps384", "ps512")
    if isinstance(key, ed25519.Ed25519PublicKey):
        return ("ed25519",)
    return ()


def issues(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Tell whether one certificate was signed with the key of another."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def build_path(given: tuple[x509.Certificate, ...]) -> list[x509.Certificate]:
    """Return the path that can be built, leaf first, whatever order was given."""
    path = [
        next(
            (
                item
                for item in given
                if not any(issues(item, other) for other in given if other != item)
            ),
            given[0],
        )
    ]
    while True:
        issuer = next(
            (item for item in given if item not in path and issues(item, path[-1])),
            None,
        )
        if issuer is None:
            return path
        path.append(issuer)
