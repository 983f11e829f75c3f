"""Who signs: a certificate chain with a private key, or with a function that signs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from ..errors import CertificateError, UsageError
from .certificates import check, is_development
from .chain import algorithms, parse_chain, parse_key, to_pem

__all__ = ["Signer"]

_DIGESTS: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "256": hashes.SHA256,
    "384": hashes.SHA384,
    "512": hashes.SHA512,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Signs manifests. Make one with `from_pem` or `from_callback`.

    One signer may serve several threads and forked processes.

    Attributes
    ----------
    chain_pem : str
        Certificates only, leaf first.
    algorithm : str
        One of es256, es384, es512, ps256, ps384, ps512, ed25519.
    tsa_url : str or None
        Time-stamp authority (RFC 3161) that is asked at each signing.
    development : bool
        Whether the chain is a development chain of synthmark's own.
    """

    chain_pem: str = field(repr=False)
    algorithm: str
    tsa_url: str | None
    development: bool
    _key_pem: str = field(repr=False, default="")
    _function: Callable[[bytes], bytes] | None = field(repr=False, default=None)

    @classmethod
    def from_pem(
        cls, chain_pem: str, key_pem: str, *, tsa_url: str | None = None
    ) -> Signer:
        """Sign with a private key that is at hand.

        Parameters
        ----------
        chain_pem : str
            Certificates, leaf first, without the root.
        key_pem : str
            The leaf's private key, not encrypted.
        tsa_url : str, optional
            Time-stamp authority. Without one, files read as untrusted from the day
            on which the certificate expires. One that does not answer holds each
            signing up for 30 seconds, then fails it.

        Raises
        ------
        CertificateError
            Chain or key cannot sign; the problem is named.
        UsageError
            `tsa_url` is no http(s) address.
        """
        _refuse_errors(chain_pem, key_pem)
        key = parse_key(key_pem).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        algorithm = algorithms(parse_chain(chain_pem)[0])[0]
        return cls._make(chain_pem, algorithm, tsa_url, _key_pem=key.decode())

    @classmethod
    def from_callback(
        cls,
        sign: Callable[[bytes], bytes],
        chain_pem: str,
        *,
        alg: str,
        tsa_url: str | None = None,
    ) -> Signer:
        """Sign through a function, for a key that stays in a key store.

        Parameters
        ----------
        sign : callable
            Takes the bytes to sign (not their digest; a few kB) and returns the
            signature: for es* either r and s side by side or ASN.1 DER; for ps* with
            a salt as long as the digest.
        chain_pem, tsa_url
            As for `from_pem`.
        alg : str
            The algorithm that `sign` uses, for example ``"es256"``.

        Raises
        ------
        CertificateError
            The chain cannot sign; the problem is named.
        UsageError
            `alg` does not fit the certificate, or `tsa_url` is no http(s) address.
        """
        _refuse_errors(chain_pem, None)
        fitting = algorithms(parse_chain(chain_pem)[0])
        if alg not in fitting:
            raise UsageError(
                f"algorithm {alg!r} does not fit the certificate",
                hint=f"Its key signs with {' or '.join(fitting)}.",
            )
        return cls._make(chain_pem, alg, tsa_url, _function=sign)

    @classmethod
    def _make(
        cls, chain_pem: str, algorithm: str, tsa_url: str | None, **secret: Any
    ) -> Signer:
        if tsa_url is not None and not tsa_url.startswith(("http://", "https://")):
            raise UsageError(
                f"{tsa_url!r} is no address of a time-stamp authority",
                hint="It begins with http:// or https://.",
            )
        return cls(
            chain_pem=to_pem(*parse_chain(chain_pem)),
            algorithm=algorithm,
            tsa_url=tsa_url,
            development=is_development(chain_pem),
            **secret,
        )

    @property
    def is_cheap(self) -> bool:
        """Whether signing asks nobody: no key store, no time-stamp authority."""
        return self._function is None and self.tsa_url is None

    def check(self) -> None:
        """Refuse a certificate that has expired since the signer was made.

        Raises
        ------
        CertificateError
            The chain cannot sign any more.
        """
        _refuse_errors(self.chain_pem, None)

    def sign(self, data: bytes) -> bytes:
        """Return the signature of some bytes, for es* r and s side by side.

        Raises
        ------
        CertificateError
            The signature does not fit the certificate.
        """
        if self._function is not None:
            return self._verified(self._function(data), data)
        key = parse_key(self._key_pem)
        digest = _DIGESTS.get(self.algorithm[-3:], hashes.SHA256)()
        if isinstance(key, ec.EllipticCurvePrivateKey):
            signature = key.sign(data, ec.ECDSA(digest))
        elif isinstance(key, rsa.RSAPrivateKey):
            salted = padding.PSS(padding.MGF1(digest), digest.digest_size)
            signature = key.sign(data, salted, digest)
        else:
            assert isinstance(key, ed25519.Ed25519PrivateKey)
            signature = key.sign(data)
        return self._verified(signature, data)

    def native(self, c2pa: ModuleType, raised: list[BaseException]) -> Any:
        """Return the C2PA library's signer for one use.

        A private key goes to the library itself, which reserves 2 kB for the
        signature; for a function it always reserves 11 kB.

        Parameters
        ----------
        c2pa : module
            The library.
        raised : list
            Receives the exception of the signing function, which the library
            would swallow.
        """
        if self._function is None:
            info = c2pa.C2paSignerInfo(
                self.algorithm.encode(),
                self.chain_pem.encode(),
                self._key_pem.encode(),
                self.tsa_url.encode() if self.tsa_url else None,
            )
            return c2pa.Signer.from_info(info)
        function = self._function

        def sign(data: bytes) -> bytes:
            try:
                return self._verified(function(data), data)
            except BaseException as error:
                raised.append(error)
                return b""

        algorithm = c2pa.C2paSigningAlg[self.algorithm.upper()]
        return c2pa.Signer.from_callback(sign, algorithm, self.chain_pem, self.tsa_url)

    def _verified(self, signature: object, data: bytes) -> bytes:
        """Return a signature in the form that COSE wants, if it fits."""
        if not isinstance(signature, bytes):
            raise TypeError(f"a signature is bytes, not {type(signature).__name__}")
        if self.algorithm.startswith("es"):
            signature = _side_by_side(signature, self.algorithm)
        if not self._verifies(signature, data):
            raise CertificateError(
                f"the signature does not fit the certificate ({self.algorithm})",
                hint="Check that the key store uses the certificate's key, and that it "
                "hashes the bytes it is given exactly once.",
            )
        return signature

    def _verifies(self, signature: bytes, data: bytes) -> bool:
        key = parse_chain(self.chain_pem)[0].public_key()
        digest = _DIGESTS.get(self.algorithm[-3:], hashes.SHA256)()
        try:
            if isinstance(key, ec.EllipticCurvePublicKey):
                half = len(signature) // 2
                r, s = (
                    int.from_bytes(part, "big")
                    for part in (signature[:half], signature[half:])
                )
                key.verify(encode_dss_signature(r, s), data, ec.ECDSA(digest))
            elif isinstance(key, rsa.RSAPublicKey):
                padded = padding.PSS(padding.MGF1(digest), digest.digest_size)
                key.verify(signature, data, padded, digest)
            elif isinstance(key, ed25519.Ed25519PublicKey):
                key.verify(signature, data)
        except InvalidSignature:
            return False
        return True


def _refuse_errors(chain_pem: str, key_pem: str | None) -> None:
    errors = [item for item in check(chain_pem, key_pem) if item.severity == "error"]
    if errors:
        raise CertificateError(
            "; ".join(item.text for item in errors), hint=errors[0].hint
        )


def _side_by_side(signature: bytes, algorithm: str) -> bytes:
    """Turn an ECDSA signature in ASN.1 DER into r and s of fixed length (RFC 9053)."""
    width = {"es256": 32, "es384": 48, "es512": 66}[algorithm]
    if len(signature) == 2 * width:
        return signature
    try:
        r, s = decode_dss_signature(signature)
        return r.to_bytes(width, "big") + s.to_bytes(width, "big")
    except (ValueError, OverflowError):
        return signature
