"""Signed heads of the chain, in the log and in files that are kept elsewhere.

The chain alone cannot tell that its last records were cut off, nor that somebody who
may write to the database computed it anew. A checkpoint can: it says under a
signature (Ed25519, RFC 8032) which hash the record of a number had at a time.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import KeyFileError, UsageError
from ..files import write_bytes
from .chain import canonical, utc_now

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["Checkpoint", "CheckpointKey"]

# What is signed begins with this, so that no other signature of the key fits.
PURPOSE = b"synthmark/records/checkpoint/1\n"
FILE_MAX = 64 << 10

_FORMS = {
    "hash": re.compile(r"[0-9a-f]{64}"),
    "time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
    "public_key": re.compile(r"[0-9a-f]{64}"),
    "signature": re.compile(r"[0-9a-f]{128}"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A head of the chain under a signature.

    Parameters
    ----------
    sequence : int
        Number of a record, from 1.
    hash : str
        Its hash, 64 hex digits.
    time : str
        When it was signed: UTC, ISO 8601, milliseconds.
    root : bool
        Whether the records up to this one were removed when their time was over.
    public_key : str
        The Ed25519 key that signed, 64 hex digits.
    signature : str
        The signature, 128 hex digits.
    """

    sequence: int
    hash: str
    time: str
    root: bool
    public_key: str
    signature: str

    @classmethod
    def load(cls, path: Path | str) -> Checkpoint:
        """Read a file that `to_json` made.

        Raises
        ------
        UsageError
            It cannot be read, is no checkpoint, or its signature does not hold.
        """
        try:
            with Path(path).open("rb") as file:
                content = file.read(FILE_MAX)
            found = cls(**json.loads(content))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UsageError(f"cannot be read: {reason}", path=path) from error
        except (ValueError, TypeError, RecursionError) as error:
            raise UsageError("is not a checkpoint", hint=_HINT, path=path) from error
        if not found.holds():
            raise UsageError(
                "is not a checkpoint as it was signed", hint=_HINT, path=path
            )
        return found

    def to_json(self) -> str:
        """Return the checkpoint as a JSON document."""
        return json.dumps(asdict(self), indent=2) + "\n"

    def holds(self) -> bool:
        """Say whether all fields are of their form and were signed by the key."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        values: dict[str, Any] = asdict(self)
        formed = type(self.sequence) is int and type(self.root) is bool
        for name, form in _FORMS.items():
            value = values[name]
            formed = formed and isinstance(value, str) and bool(form.fullmatch(value))
        if not formed or not 0 < self.sequence < 1 << 63:
            return False
        try:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.public_key))
            key.verify(bytes.fromhex(self.signature), _message(values))
        except (InvalidSignature, ValueError):
            return False
        return True


class CheckpointKey:
    """An Ed25519 key that signs checkpoints. It never shows in `repr`."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public_key = key.public_key().public_bytes_raw().hex()

    @classmethod
    def generate(cls) -> CheckpointKey:
        """Draw a new key."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path | str) -> CheckpointKey:
        """Read a key in PEM form (PKCS 8, without a password).

        Raises
        ------
        KeyFileError
            The file cannot be read or does not hold such a key.
        """
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        try:
            with Path(path).open("rb") as file:
                content = file.read(FILE_MAX)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise KeyFileError(f"cannot be read: {reason}", path=path) from error
        try:
            key = serialization.load_pem_private_key(content, None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise KeyFileError("is not a private key (PEM)", path=path) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise KeyFileError("is not an Ed25519 key", path=path)
        return cls(key)

    def save(self, path: Path | str) -> None:
        """Write the key to a new file that only its owner can read.

        Raises
        ------
        OutputError
            The file exists or cannot be written.
        """
        from cryptography.hazmat.primitives import serialization

        pem = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        write_bytes(Path(path), pem, mode=0o600)

    def sign(self, head: tuple[int, str], *, root: bool = False) -> Checkpoint:
        """Return the checkpoint of a head, with the time of now."""
        values: dict[str, Any] = {
            "sequence": head[0],
            "hash": head[1],
            "time": utc_now(),
            "root": root,
            "public_key": self.public_key,
        }
        return Checkpoint(**values, signature=self._key.sign(_message(values)).hex())

    def __repr__(self) -> str:
        return f"CheckpointKey(public_key={self.public_key!r})"


_HINT = "Give a file that `synthmark records checkpoint` made."


def _message(values: dict[str, Any]) -> bytes:
    """Return what is signed: all fields but the signature."""
    signed = {name: value for name, value in values.items() if name != "signature"}
    return PURPOSE + canonical(signed).encode()
