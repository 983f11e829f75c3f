"""What C2PA demands of a signing certificate, each rule with its own words.

The C2PA library answers "the certificate is invalid" to a dozen different mistakes
and lets some others pass that no reader forgives. `check` names each of them before
anything is signed (C2PA 2.2, section 14).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from ..errors import CertificateError
from .chain import algorithms, build_path, issues, parse_chain, parse_key, public_key

__all__ = ["PURPOSES", "Problem", "check"]

EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4"
# The purposes (extended key usages) of which a signing certificate needs one.
PURPOSES = {
    EMAIL_PROTECTION: "emailProtection",
    "1.3.6.1.5.5.7.3.36": "documentSigning",
    "1.3.6.1.4.1.62558.2.1": "C2PA claim signing",
}
_FOREIGN_PURPOSES = {
    ExtendedKeyUsageOID.TIME_STAMPING: "time stamps",
    ExtendedKeyUsageOID.OCSP_SIGNING: "revocation answers (OCSP)",
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "any purpose",
}
_RENEW = "Ask the issuer for a new certificate."
_REISSUE = "Ask the issuer for a certificate with the C2PA profile."

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with a chain or key.

    Parameters
    ----------
    severity : {"error", "warning"}
        An error stops the signing or makes every reader refuse the result.
    text : str
        What is wrong, without a final period.
    hint : str
        What to do about it, as a sentence.
    """

    severity: Literal["error", "warning"]
    text: str
    hint: str


def check(
    chain_pem: str, key_pem: str | None, *, now: datetime | None = None
) -> tuple[Problem, ...]:
    """Name everything that keeps a chain and its key from signing well.

    Parameters
    ----------
    chain_pem : str
        Certificates, leaf first.
    key_pem : str or None
        The leaf's private key; None when it stays in a key store.
    now : datetime, optional
        The moment to check for, with time zone; by default the present.

    Returns
    -------
    tuple of Problem
        Errors first; empty when nothing is wrong.
    """
    try:
        given = parse_chain(chain_pem)
    except CertificateError as error:
        return (_error(error.problem, error.hint),)
    path = build_path(given)
    now = now or datetime.now(UTC)
    problems = [
        *_order_problems(given, path),
        *_leaf_problems(path[0]),
        *(problem for item in path[1:] for problem in _issuer_problems(item)),
        *(problem for item in path for problem in _validity_problems(item, now)),
        *(problem for item in path for problem in _signature_problems(item)),
        *_key_problems(path[0], key_pem),
    ]
    return tuple(sorted(problems, key=lambda problem: problem.severity))


def _error(text: str, hint: str) -> Problem:
    return Problem(severity="error", text=text, hint=hint)


def _warning(text: str, hint: str) -> Problem:
    return Problem(severity="warning", text=text, hint=hint)


def _name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string() or "a certificate without a name"


def _order_problems(
    given: tuple[x509.Certificate, ...], path: list[x509.Certificate]
) -> Iterator[Problem]:
    strangers = [item for item in given if item not in path]
    if strangers:
        yield _error(
            f"{_name(strangers[0])} does not belong to the chain of {_name(path[0])}",
            "Give the leaf and the intermediates that issued it, nothing else.",
        )
    elif len(given) > len(path):
        yield _error("a certificate stands in the chain twice", "Leave one out.")
    elif list(given) != path:
        order = ", then ".join(_name(item) for item in path)
        yield _error("the chain is out of order", f"Put the leaf first: {order}.")
    if len(path) > 1 and issues(path[-1], path[-1]):
        yield _warning(
            "the chain includes the root",
            "Leave the root out; readers bring their own.",
        )
    if len(path) == 1 and issues(path[0], path[0]):
        yield _warning(
            "the certificate is self-signed",
            "Only readers that were given this very certificate trust it.",
        )
    elif len(given) == 1:
        yield _warning(
            "the chain holds the leaf only",
            "Add the intermediate that issued it, unless a root issued it directly.",
        )


def _validity_problems(
    certificate: x509.Certificate, now: datetime
) -> Iterator[Problem]:
    if now > certificate.not_valid_after_utc:
        day = certificate.not_valid_after_utc.date()
        yield _error(f"{_name(certificate)} expired on {day}", _RENEW)
    if now < certificate.not_valid_before_utc:
        day = certificate.not_valid_before_utc.date()
        yield _error(
            f"{_name(certificate)} is not yet valid, but from {day} on",
            "Check the computer's clock, or wait.",
        )


def _signature_problems(certificate: x509.Certificate) -> Iterator[Problem]:
    """Check what the issuer signed the certificate with."""
    try:
        digest = certificate.signature_hash_algorithm
        known = digest is None or isinstance(
            digest, hashes.SHA256 | hashes.SHA384 | hashes.SHA512
        )
    except UnsupportedAlgorithm:
        known = False
    if not known:
        yield _error(
            f"{_name(certificate)} was signed with an algorithm that C2PA refuses",
            "Certificates must be signed with SHA-256, SHA-384, SHA-512 or Ed25519.",
        )


def _leaf_problems(leaf: x509.Certificate) -> Iterator[Problem]:
    if leaf.version is not x509.Version.v3:
        yield _error("the certificate is not of version 3", _REISSUE)
        return
    if not algorithms(leaf):
        yield _error(
            f"the certificate's key cannot sign for C2PA: {_key_name(leaf)}",
            "Use P-256, P-384, P-521, Ed25519, or RSA with 2048 bits or more.",
        )
    constraints = _extension(leaf, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        yield _error(
            "the certificate is an authority's (CA), not a signer's",
            "Put a signer's certificate first, issued by this one.",
        )
    if _extension(leaf, x509.AuthorityKeyIdentifier) is None:
        yield _error("the certificate has no authority key identifier", _REISSUE)
    usage = _extension(leaf, x509.KeyUsage)
    if usage is None or not usage.digital_signature:
        yield _error("the certificate's key usage lacks digitalSignature", _REISSUE)
    elif usage.key_cert_sign:
        yield _error("the certificate's key usage includes keyCertSign", _REISSUE)
    yield from _purpose_problems(leaf)


def _issuer_problems(issuer: x509.Certificate) -> Iterator[Problem]:
    constraints = _extension(issuer, x509.BasicConstraints)
    if constraints is None or not constraints.ca:
        yield _error(
            f"{_name(issuer)} issued a certificate, but is no authority (CA)", _REISSUE
        )


def _purpose_problems(leaf: x509.Certificate) -> Iterator[Problem]:
    accepted = ", ".join(f"{name} ({oid})" for oid, name in PURPOSES.items())
    hint = f"Accepted are: {accepted}."
    purposes = _extension(leaf, x509.ExtendedKeyUsage)
    if purposes is None:
        yield _error("the certificate has no extended key usage", hint)
        return
    foreign = [_FOREIGN_PURPOSES[oid] for oid in purposes if oid in _FOREIGN_PURPOSES]
    if foreign:
        yield _error(f"the certificate is meant for {' and '.join(foreign)}", hint)
        return
    given = {oid.dotted_string for oid in purposes}
    if not given & PURPOSES.keys():
        yield _error(
            f"the certificate's extended key usage is {', '.join(sorted(given))}", hint
        )
    elif EMAIL_PROTECTION not in given:
        yield _warning(
            "readers that keep the C2PA library's default settings call the "
            "certificate invalid, since it is not for emailProtection",
            f"Ask for {EMAIL_PROTECTION} (emailProtection) in addition.",
        )


def _key_problems(leaf: x509.Certificate, key_pem: str | None) -> Iterator[Problem]:
    if key_pem is None:
        return
    try:
        key = parse_key(key_pem)
    except CertificateError as error:
        yield _error(error.problem, error.hint)
        return
    if key.public_key() != public_key(leaf):
        yield _error(
            "the private key does not belong to the certificate",
            "Use the key that the certificate was requested with.",
        )


def _extension(
    certificate: x509.Certificate, kind: type[_Extension]
) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _key_name(certificate: x509.Certificate) -> str:
    key = public_key(certificate)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"curve {key.curve.name}"
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA with {key.key_size} bits"
    return f"algorithm {certificate.public_key_algorithm_oid.dotted_string}"
