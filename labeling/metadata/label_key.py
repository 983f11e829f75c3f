"""Keys that sign AIGC labels: SM2, ECDSA and RSA.

Algorithms have the object identifiers that TC260-PG-202511A writes into a label. SM2 is
signed with SM3 and the default user identifier (GM/T 0009-2012, clause 10).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)
from gmalg import SM2 as Sm2
from gmalg.errors import GMError

from ..errors import UsageError
from ..files import write_bytes

__all__ = [
    "ALGORITHMS",
    "LabelKey",
    "PublicKey",
    "load_known",
    "save_known",
    "sm2_keys",
]

ALGORITHMS = {
    "sm2": "1.2.156.10197.1.501",
    "ecdsa": "1.2.840.10045.4.3.2",
    "rsa": "1.2.840.113549.1.1.11",
}
"""Object identifiers: SM3 with SM2, SHA-256 with ECDSA, SHA-256 with RSA (PKCS #1)."""

RSA_BITS = (2048, 8192)
_USER = b"1234567812345678"
_PRIME = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
# What stands around the numbers of an SM2 key in DER: SubjectPublicKeyInfo (RFC 5480)
# and PKCS #8 as OpenSSL writes it. The cryptography package knows no SM2.
_CURVE = "301306072a8648ce3d020106082a811ccf5501822d"
_PUBLIC = bytes.fromhex(f"3059{_CURVE}034200")
_PRIVATE = bytes.fromhex(f"308187020100{_CURVE}046d306b0201010420")
_BESIDE = bytes.fromhex("a144034200")
_PEM = re.compile(r"-----BEGIN (PUBLIC|PRIVATE) KEY-----([\sA-Za-z0-9+/=]+)-----END")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that signatures of labels are verified with.

    Parameters
    ----------
    algorithm : str
        ``"sm2"``, ``"ecdsa"`` or ``"rsa"``.
    encoded : bytes
        SubjectPublicKeyInfo in DER.
    """

    algorithm: str
    encoded: bytes

    def __str__(self) -> str:
        """Hexadecimal, as labels carry it."""
        return self.encoded.hex().upper()

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """Read a key in PEM or, as `str` writes it, in hexadecimal.

        Raises
        ------
        UsageError
            It is not one of the kinds that sign labels.
        """
        try:
            encoded = _pem("PUBLIC", text) or bytes.fromhex(text)
            if encoded.startswith(_PUBLIC):
                key = cls("sm2", encoded)
                if Sm2(uid=_USER).verify_pk(key.point):
                    return key
                raise ValueError("the point is not on the curve")
            if "-----" in text:
                loaded = load_pem_public_key(text.encode())
            else:
                loaded = load_der_public_key(encoded)
            return cls(_algorithm(loaded), _spki(loaded))
        except (ValueError, UnsupportedAlgorithm, GMError) as error:
            raise UsageError(
                "is not a public key that signs labels",
                hint="Give an SM2, P-256 or RSA key in PEM or hexadecimal.",
            ) from error

    @property
    def point(self) -> bytes:
        """The point of an SM2 key, uncompressed: 65 bytes."""
        return self.encoded[len(_PUBLIC) :]

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Tell whether a signature in DER, or of RSA, is that of a message."""
        try:
            if self.algorithm == "sm2":
                r, s = (x.to_bytes(32, "big") for x in decode_dss_signature(signature))
                verifier = Sm2(uid=_USER, pk=self.point)
                return bool(verifier.verify(message, r, s))
            loaded = load_der_public_key(self.encoded)
            if isinstance(loaded, ec.EllipticCurvePublicKey):
                loaded.verify(signature, message, ec.ECDSA(hashes.SHA256()))
            elif isinstance(loaded, rsa.RSAPublicKey):
                loaded.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, ValueError, OverflowError, GMError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class LabelKey:
    """A private key that signs labels. Make one with `generate` or `from_pem`.

    Attributes
    ----------
    public : PublicKey
        The key that verifies what this one signs.
    """

    public: PublicKey
    _pem: str = field(repr=False)

    @classmethod
    def generate(cls, algorithm: str = "sm2") -> LabelKey:
        """Draw a key.

        Parameters
        ----------
        algorithm : str, optional
            ``"sm2"``, ``"ecdsa"`` (P-256) or ``"rsa"`` (3072 bits).

        Raises
        ------
        UsageError
            The algorithm is unknown.
        """
        if algorithm == "sm2":
            secret, point = Sm2(uid=_USER).generate_keypair()
            encoded = base64.encodebytes(_PRIVATE + secret + _BESIDE + point).decode()
            return cls.from_pem(
                f"-----BEGIN PRIVATE KEY-----\n{encoded}-----END PRIVATE KEY-----\n"
            )
        key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
        if algorithm == "ecdsa":
            key = ec.generate_private_key(ec.SECP256R1())
        elif algorithm == "rsa":
            key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
        else:
            raise UsageError(
                f"no algorithm {algorithm!r}", hint=f"Use {', '.join(ALGORITHMS)}."
            )
        form = Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        return cls.from_pem(key.private_bytes(*form).decode())

    @classmethod
    def from_pem(cls, text: str) -> LabelKey:
        """Read a private key in PEM (PKCS #8, not encrypted).

        Raises
        ------
        UsageError
            It is not one of the kinds that sign labels.
        """
        try:
            encoded = _pem("PRIVATE", text)
            if encoded.startswith(_PRIVATE):
                point = encoded[len(_PRIVATE) + 32 + len(_BESIDE) :]
                key = cls(PublicKey.parse((_PUBLIC + point).hex()), text)
                if Sm2(uid=_USER).generate_pk(key._secret) != point:
                    raise ValueError("the halves of the key do not belong together")
                return key
            loaded = load_pem_private_key(text.encode(), password=None)
            public = loaded.public_key()
            return cls(PublicKey(_algorithm(public), _spki(public)), text)
        except (ValueError, TypeError, UnsupportedAlgorithm, GMError) as error:
            raise UsageError(
                "is not a private key that signs labels",
                hint="Make one with `synthmark provider key`, or give an SM2, P-256 or "
                "RSA key in PEM (PKCS #8) that is not encrypted.",
            ) from error

    @property
    def pem(self) -> str:
        """The private key itself."""
        return self._pem

    @property
    def _secret(self) -> bytes:
        return _pem("PRIVATE", self._pem)[len(_PRIVATE) :][:32]

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message, in DER but for RSA."""
        if self.public.algorithm == "sm2":
            signer = Sm2(sk=self._secret, uid=_USER, pk=self.public.point)
            r, s = (int.from_bytes(part, "big") for part in signer.sign(message))
            return encode_dss_signature(r, s)
        key = load_pem_private_key(self._pem.encode(), password=None)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key.sign(message, ec.ECDSA(hashes.SHA256()))
        assert isinstance(key, rsa.RSAPrivateKey)
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def sm2_keys(value: bytes) -> list[PublicKey]:
    """Return the SM2 keys that a value in a label may stand for.

    Labels in the wild hold SubjectPublicKeyInfo, the point with or without the byte
    that tells its form, and the x coordinate alone, with a zero before it or without:
    then either of two points may be meant.
    """
    if value.startswith(_PUBLIC):
        points = [value[len(_PUBLIC) :]]
    elif len(value) == 65 and value[0] == 4:
        points = [value]
    elif len(value) == 64:
        points = [b"\4" + value]
    elif len(value) == 33 and value[0] in (2, 3):
        points = [_lifted(value[1:], value[0] - 2)]
    elif len(value) == 32 or (len(value) == 33 and value[0] == 0):
        points = [_lifted(value[-32:], odd) for odd in (0, 1)]
    else:
        return []
    verifier = Sm2(uid=_USER)
    return [
        PublicKey("sm2", _PUBLIC + point)
        for point in points
        if len(point) == 65 and verifier.verify_pk(point)
    ]


def load_known(path: Path) -> dict[str, tuple[PublicKey, ...]]:
    """Return the keys of providers from a file, by name or code of the provider.

    Raises
    ------
    UsageError
        The file cannot be read, or is none of keys.
    """
    try:
        known = json.loads(path.read_text("utf-8"))
        return {
            provider: tuple(map(PublicKey.parse, keys))
            for provider, keys in known.items()
        }
    except (OSError, ValueError, TypeError, AttributeError, UsageError) as error:
        raise UsageError(
            "is not a file of keys of providers",
            hint="Move it away and trust them again: synthmark provider trust.",
            path=path,
        ) from error


def save_known(known: Mapping[str, tuple[PublicKey, ...]], path: Path) -> None:
    """Write the keys of providers into a file, in place of what it holds.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    texts = {provider: [str(key) for key in keys] for provider, keys in known.items()}
    write_bytes(path, json.dumps(texts, indent=1).encode(), overwrite=True)


def _lifted(x_bytes: bytes, odd: int) -> bytes:
    """Return the point of this x coordinate, or one that is not on the curve."""
    b = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
    x = int.from_bytes(x_bytes, "big")
    y = pow(x**3 - 3 * x + b, (_PRIME + 1) // 4, _PRIME)
    if y % 2 != odd:
        y = _PRIME - y
    return b"\4" + x_bytes + y.to_bytes(32, "big")


def _algorithm(key: object) -> str:
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == "secp256r1":
        return "ecdsa"
    if isinstance(key, rsa.RSAPublicKey) and RSA_BITS[0] <= key.key_size <= RSA_BITS[1]:
        return "rsa"
    raise ValueError("another kind of key")


def _spki(key: object) -> bytes:
    assert isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey)
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _pem(kind: str, text: str) -> bytes:
    """Return the DER inside of a PEM block; nothing if there is none of the kind."""
    found = _PEM.search(text)
    if found is None or found[1] != kind:
        return b""
    return base64.b64decode("".join(found[2].split()), validate=True)
