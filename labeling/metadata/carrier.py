"""What the containers hand over: the parts of a file that may carry a label."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["MAX_CARRIERS", "MAX_PARTS", "Carrier", "Kind", "Survey"]

# Limits per file: segments or chunks of any kind, and those that are looked into.
MAX_PARTS = 100_000
MAX_CARRIERS = 8


class Kind(StrEnum):
    """What the content of a carrier is."""

    XMP = "xmp"
    EXTENDED_XMP = "extended_xmp"
    EXIF = "exif"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """A part of a file that may carry a label.

    Parameters
    ----------
    kind : Kind
        How the content is to be read.
    place : str
        Where it stands, for people.
    content : bytes
        An XMP packet, an EXIF block, or the text of a field called AIGC. Empty where
        it could not be unpacked.
    """

    kind: Kind
    place: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a container module found.

    Parameters
    ----------
    carriers : tuple of Carrier
        In file order, at most `MAX_CARRIERS`.
    problems : tuple of str
        What is wrong with the file.
    complete : bool
        Whether these are all carriers of the file.
    lost : tuple of str
        What does not come along into a file that is made from this one.
    """

    carriers: tuple[Carrier, ...]
    problems: tuple[str, ...] = ()
    complete: bool = True
    lost: tuple[str, ...] = ()
