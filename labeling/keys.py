"""The secret behind the invisible mark.

One secret of 32 bytes; every use of it works with a key of its own, derived with
HKDF-SHA256 (RFC 5869) from the secret and the use's purpose. A new use therefore
never disturbs an old mark, and a leak of one derived key tells nothing of another.
"""

from __future__ import annotations

import secrets
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from .errors import KeyFileError, UsageError
from .files import write_bytes

__all__ = ["KEY_BYTES", "Key", "Purpose"]

KEY_BYTES = 32
HEADER = "synthmark-key-1"


class Purpose(StrEnum):
    """What a derived key is for. The list only grows; a value never changes."""

    AUDIO_TF_1 = "synthmark/audio-tf/1"
    KEY_ID = "synthmark/key-id"
    IMAGE_LATTICE_1 = "synthmark/image-lattice/1"
    PAYLOAD = "synthmark/payload"
    VIDEO_LATTICE_1 = "synthmark/video-lattice/1"


class Key:
    """A secret that marks media and finds its own marks again.

    Make one with `generate`, `load` or `from_bytes`. Two keys are equal when their
    secrets are. The secret never shows in `repr`.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise UsageError(
                f"a key has {KEY_BYTES} bytes, not {len(secret)}",
                hint="Make one with Key.generate() or `synthmark key new`.",
            )
        self._secret = bytes(secret)

    @classmethod
    def generate(cls) -> Key:
        """Draw a new secret from the operating system."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @classmethod
    def from_bytes(cls, secret: bytes) -> Key:
        """Use 32 bytes that were kept elsewhere.

        Raises
        ------
        UsageError
            `secret` has another length.
        """
        return cls(secret)

    @classmethod
    def load(cls, path: Path | str) -> Key:
        """Read a key file as `save` writes it, or a file of exactly 32 bytes.

        Raises
        ------
        KeyFileError
            The file cannot be read or does not hold a key.
        """
        try:
            with Path(path).open("rb") as file:
                content = file.read(4096)
        except OSError as error:
            raise KeyFileError(
                f"cannot be read: {(error.strerror or str(error)).lower()}",
                hint="Make a key with `synthmark key new FILE`.",
                path=path,
            ) from error
        if len(content) == KEY_BYTES and not content.startswith(HEADER.encode()):
            return cls(content)
        lines = content.split()
        if len(lines) == 2 and lines[0] == HEADER.encode():
            try:
                return cls(bytes.fromhex(lines[1].decode("ascii")))
            except ValueError:
                pass
        raise KeyFileError(
            f"is not a key file: {len(content)} bytes that are neither "
            f"{KEY_BYTES} raw bytes nor the line {HEADER!r} and 64 hex digits",
            hint="Make a key with `synthmark key new FILE`.",
            path=path,
        )

    def save(self, path: Path | str, *, overwrite: bool = False) -> None:
        """Write the key to a file that only its owner can read.

        Raises
        ------
        OutputError
            The file exists and `overwrite` is false, or cannot be written.
        """
        text = f"{HEADER}\n{self._secret.hex()}\n"
        write_bytes(Path(path), text.encode(), overwrite=overwrite, mode=0o600)

    def derive(self, purpose: Purpose, length: int = 32) -> bytes:
        """Return `length` bytes for one purpose (HKDF-SHA256, RFC 5869)."""
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        return HKDF(SHA256(), length, salt=None, info=purpose.encode()).derive(
            self._secret
        )

    def stream(self, purpose: Purpose, count: int) -> bytes:
        """Return `count` pseudo-random bytes for one purpose.

        The key stream of ChaCha20 (RFC 8439) under the derived key: the same bytes
        on every platform and with every version of every library.
        """
        from cryptography.hazmat.primitives.ciphers import Cipher
        from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

        cipher = Cipher(ChaCha20(self.derive(purpose), bytes(16)), mode=None)
        return cipher.encryptor().update(bytes(count))

    @cached_property
    def id(self) -> str:
        """Sixteen hex digits that name the key without telling anything of it."""
        return self.derive(Purpose.KEY_ID, 8).hex()

    def __repr__(self) -> str:
        return f"Key(id={self.id!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Key):
            return NotImplemented
        return secrets.compare_digest(self._secret, other._secret)

    def __hash__(self) -> int:
        return hash(self.id)
