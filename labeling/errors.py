"""Every error that synthmark raises on purpose.

* SynthmarkError
  + UsageError (ValueError)            an argument that cannot be meant
  + MediaError (ValueError)            the file as a picture, sound or video
    - UnsupportedFormat                a kind of file that is not handled
    - DamagedMedia                     empty, truncated or malformed
    - MediaTooLarge                    beyond the limits for hostile input
  + TooSmallForNotice (RuntimeError)   no room for a legible notice
  + MarkError (RuntimeError)           the invisible mark
    - TooSmallForMark                  no room for the payload
    - TooShortForMark                  no time for the payload
    - MarkNotReadable                  embedded, but it does not read back
  + MetadataError (ValueError)         the AIGC field and XMP
  + ManifestError (RuntimeError)       the C2PA manifest
    - CertificateError                 a certificate or key that cannot sign
  + KeyFileError (ValueError)          the secret mark key
  + RecordError (RuntimeError)         the record log
    - RecordStoreBusy                  another process holds the log
    - RecordStoreDamaged               not a log, or its hash chain is broken
  + RegistryError (RuntimeError)       a registry that was asked
  + OutputError (OSError)              the result cannot be written
    - OutputExists                     and may not be replaced unasked

"Nothing found" is a result, never an error.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

__all__ = [
    "CertificateError",
    "DamagedMedia",
    "KeyFileError",
    "ManifestError",
    "MarkError",
    "MarkNotReadable",
    "MediaError",
    "MediaTooLarge",
    "MetadataError",
    "OutputError",
    "OutputExists",
    "RecordError",
    "RecordStoreBusy",
    "RecordStoreDamaged",
    "RegistryError",
    "SynthmarkError",
    "TooShortForMark",
    "TooSmallForMark",
    "TooSmallForNotice",
    "UnsupportedFormat",
    "UsageError",
]


class SynthmarkError(Exception):
    """Root of the tree.

    Parameters
    ----------
    problem : str
        What was wrong, without the file's name and without a final period.
    hint : str, optional
        What to do about it, as a sentence.
    path : Path or str, optional
        The file concerned. Code that handles bytes leaves it out, and the caller
        that knows the file sets the attribute `path`.

    Attributes
    ----------
    code : str
        A stable word for machines, part of the JSON output.
    """

    code: ClassVar[str] = "error"

    def __init__(
        self, problem: str, *, hint: str = "", path: Path | str | None = None
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint
        self.path = path

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path is not None else ""
        return f"{where}{self.problem}." + (f" {self.hint}" if self.hint else "")


class UsageError(SynthmarkError, ValueError):
    """An argument has a value that cannot be meant."""

    code = "usage"


class MediaError(SynthmarkError, ValueError):
    """The file could not be used as media."""

    code = "media"


class UnsupportedFormat(MediaError):
    """The file is of a kind that synthmark does not handle."""

    code = "unsupported_format"


class DamagedMedia(MediaError):
    """The file is empty, truncated or malformed."""

    code = "damaged_media"


class MediaTooLarge(MediaError):
    """The file goes beyond the limits set for hostile input."""

    code = "media_too_large"


class TooSmallForNotice(SynthmarkError, RuntimeError):
    """The picture has no room for a legible notice."""

    code = "too_small_for_notice"


class MarkError(SynthmarkError, RuntimeError):
    """The invisible mark could not be embedded."""

    code = "mark"


class TooSmallForMark(MarkError):
    """The host has no room for the payload."""

    code = "too_small_for_mark"


class TooShortForMark(MarkError):
    """The host does not last long enough for the payload."""

    code = "too_short_for_mark"


class MarkNotReadable(MarkError):
    """The mark was embedded but does not read back from the result."""

    code = "mark_not_readable"


class MetadataError(SynthmarkError, ValueError):
    """A metadata label could not be built, written or parsed."""

    code = "metadata"


class ManifestError(SynthmarkError, RuntimeError):
    """The C2PA manifest could not be built or signed."""

    code = "manifest"


class CertificateError(ManifestError):
    """A certificate chain or private key cannot sign a manifest."""

    code = "certificate"


class KeyFileError(SynthmarkError, ValueError):
    """The file does not hold a mark key."""

    code = "key_file"


class RecordError(SynthmarkError, RuntimeError):
    """The record log could not be read or extended."""

    code = "record"


class RecordStoreBusy(RecordError):
    """Another process holds the record log for too long."""

    code = "record_store_busy"


class RecordStoreDamaged(RecordError):
    """The file is not a record log, or its hash chain is broken."""

    code = "record_store_damaged"


class RegistryError(SynthmarkError, RuntimeError):
    """A registry gives no answer, or none that can be used."""

    code = "registry"


class OutputError(SynthmarkError, OSError):
    """The result cannot be written where it should go."""

    code = "output"

    # OSError.__new__ and __str__ would otherwise take over the two texts.
    __str__ = SynthmarkError.__str__


class OutputExists(OutputError):
    """The target exists and may not be replaced unasked."""

    code = "output_exists"
