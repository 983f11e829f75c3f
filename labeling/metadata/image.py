"""Write and read the metadata label of a picture file.

Works on the bytes of the file: the picture is neither decoded nor encoded again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from ..errors import MediaTooLarge, MetadataError, UnsupportedFormat, UsageError
from ..model import AigcLabel, State
from . import aigc, exif, gif, heif, jpeg, png, svg, tiff, webp, xmp
from .carrier import Carrier, Kind, Survey
from .xmp import TRAINED_ALGORITHMIC_MEDIA

__all__ = [
    "TRAINED_ALGORITHMIC_MEDIA",
    "FoundLabel",
    "Reading",
    "Written",
    "collect",
    "confirm",
    "container_of",
    "read",
    "write",
]

SOURCE_TYPE = re.compile(re.escape(xmp.SOURCE_TYPES) + "[A-Za-z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A labeled file.

    Parameters
    ----------
    content : bytes
        The file.
    place : str
        Where the label stands in it.
    notes : tuple of str
        What was replaced on the way.
    """

    content: bytes = field(repr=False)
    place: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLabel:
    """A label at one place of a file.

    Parameters
    ----------
    label : AigcLabel or None
        Its values, None where they cannot be told.
    place : str
        Where it stands, for people.
    problems : tuple of str
        What annex E of GB 45438-2025 does not allow; empty for a well-formed label.
    raw : str
        Its text, up to 65,536 characters.
    """

    label: AigcLabel | None
    place: str
    problems: tuple[str, ...]
    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Everything that the metadata of a file says about where it comes from.

    Parameters
    ----------
    labels : tuple of FoundLabel
        The AIGC labels in file order, copies included.
    source_types : tuple of str
        The different values of the IPTC property ``DigitalSourceType``.
    problems : tuple of str
        What could not be read; with any of them, no label does not mean none.
    """

    labels: tuple[FoundLabel, ...]
    source_types: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def state(self) -> State:
        """What the labels show together.

        CONFLICTING if two differ in a value, else MALFORMED if any has a problem,
        else PRESENT; ABSENT for no label.
        """
        if not self.labels:
            return State.ABSENT
        if len({found.label for found in self.labels if found.label}) > 1:
            return State.CONFLICTING
        if any(found.problems for found in self.labels):
            return State.MALFORMED
        return State.PRESENT


class _Container(Protocol):
    """What each container module offers."""

    def read_carriers(self, content: bytes) -> Survey: ...
    def replace_xmp(self, content: bytes, packet: bytes) -> bytes: ...


def write(
    content: bytes,
    label: AigcLabel,
    *,
    source_type: str | None = TRAINED_ALGORITHMIC_MEDIA,
) -> Written:
    """Write the label and the IPTC source type into the XMP of a file.

    The file has exactly one label afterwards (GB 45438-2025, 6.1 c): earlier ones
    are replaced wherever they stand. Pixels and all other metadata stay as they are.
    The result is read back before it is returned.

    Parameters
    ----------
    content : bytes
        A JPEG, PNG, WebP, GIF, TIFF, HEIC, AVIF or SVG file, still or animated.
    label : AigcLabel
        The label.
    source_type : str or None, optional
        URI of a term of the IPTC vocabulary; None leaves what the file says.

    Raises
    ------
    UnsupportedFormat
        The file is of another kind.
    DamagedMedia
        The file is truncated or malformed.
    MediaTooLarge
        The file has more blocks of metadata than any honest one.
    MetadataError
        The label does not conform, does not fit, or does not read back.
    UsageError
        `source_type` is not a term of the IPTC vocabulary.
    """
    if source_type is not None and not SOURCE_TYPE.fullmatch(source_type):
        raise UsageError(
            f"{source_type!r} is not an IPTC digital source type",
            hint=f"Give a full URI, for example {TRAINED_ALGORITHMIC_MEDIA}.",
        )
    text = aigc.to_json(label)
    container = container_of(content)
    survey = container.read_carriers(content)
    if not survey.complete:
        raise MediaTooLarge(
            "has too many blocks of metadata",
            hint="Write the picture anew without its earlier metadata.",
        )
    packet, notes = _packet(survey, text, source_type)
    labeled = container.replace_xmp(content, packet)
    notes += _replaced(collect(survey), label, source_type)
    reading = read(labeled)
    confirm(reading, label)
    if source_type is not None and reading.source_types != (source_type,):
        raise MetadataError("the IPTC source type reads back with another value")
    return Written(content=labeled, place="XMP", notes=tuple(notes))


def read(content: bytes) -> Reading:
    """Read every AIGC label and source type of a file.

    Parameters
    ----------
    content : bytes
        A file of one of these kinds, however damaged.

    Raises
    ------
    UnsupportedFormat
        The file is of another kind.
    """
    return collect(container_of(content).read_carriers(content))


def collect(survey: Survey) -> Reading:
    """Read what the parts of a file carry."""
    labels: list[FoundLabel] = []
    source_types: list[str] = []
    problems = list(survey.problems)
    for carrier in survey.carriers:
        if carrier.kind is Kind.TEXT:
            labels.append(_found(carrier.place, aigc.decode(carrier.content)))
        elif carrier.kind is Kind.EXIF:
            for comment in exif.find_labels(carrier.content):
                labels.append(_found(comment.place, comment.text))
        else:
            try:
                properties = xmp.read(carrier.content)
            except MetadataError as error:
                problems.append(f"unreadable {carrier.place}: {error.problem}")
                labels.extend(_remains(carrier))
                continue
            labels.extend(_found(carrier.place, text) for text in properties.labels)
            source_types.extend(properties.source_types)
            if properties.problem:
                problems.append(properties.problem)
    return Reading(
        labels=tuple(labels),
        source_types=tuple(dict.fromkeys(source_types)),
        problems=tuple(dict.fromkeys(problems)),
    )


def container_of(content: bytes) -> _Container:
    """Return what reads and writes the metadata of a picture.

    Raises
    ------
    UnsupportedFormat
        It is none of the kinds of `write`.
    """
    if content.startswith(jpeg.SIGNATURE):
        return jpeg
    if content.startswith(png.SIGNATURE):
        return png
    if webp.is_webp(content):
        return webp
    if content.startswith(gif.SIGNATURES):
        return gif
    if tiff.is_tiff(content):
        return tiff
    if heif.is_heif(content):
        return heif
    if svg.is_svg(content):
        return svg
    raise UnsupportedFormat(
        "is not a JPEG, PNG, WebP, GIF, TIFF, HEIC, AVIF or SVG file",
        hint="Convert the picture to one of these formats.",
    )


def _found(place: str, text: str) -> FoundLabel:
    parsed = aigc.parse(text)
    return FoundLabel(
        label=parsed.label,
        place=place,
        problems=parsed.problems,
        raw=text[: aigc.MAX_CHARACTERS],
    )


def _remains(carrier: Carrier) -> Iterator[FoundLabel]:
    """Yield a label without values if an unreadable packet mentions one."""
    if b"AIGC" in carrier.content:
        yield FoundLabel(
            label=None, place=carrier.place, problems=("unreadable XMP",), raw=""
        )


def _packet(
    survey: Survey, text: str, source_type: str | None
) -> tuple[bytes, list[str]]:
    """Edit the first readable XMP packet, or make one."""
    notes: list[str] = []
    edited = b""
    for carrier in survey.carriers:
        if carrier.kind is not Kind.XMP:
            continue
        if edited:
            notes.append("a further XMP packet has been dropped")
            continue
        try:
            edited = xmp.edit(carrier.content, text, source_type)
        except MetadataError:
            notes.append("the XMP packet was unreadable and has been replaced")
    return edited or xmp.edit(None, text, source_type), list(dict.fromkeys(notes))


def _replaced(earlier: Reading, label: AigcLabel, source_type: str | None) -> list[str]:
    """Say which earlier statements the new ones take the place of."""
    notes = [
        f"an earlier AIGC label has been replaced: {found.place}"
        for found in earlier.labels
        if found.label != label or found.place != "XMP"
    ]
    if source_type is not None:
        notes += [
            f"an earlier source type has been replaced: {value}"
            for value in earlier.source_types
            if value != source_type
        ]
    return notes


def confirm(reading: Reading, label: AigcLabel) -> None:
    """Compare what was read back with what was meant.

    Raises
    ------
    MetadataError
        There is another label, several, or none.
    """
    if reading.state is not State.PRESENT or len(reading.labels) != 1:
        places = ", ".join(found.place for found in reading.labels) or "none"
        raise MetadataError(
            f"the written file does not read back as one AIGC label (found: {places})",
            hint="Write it anew without its earlier metadata.",
        )
    if reading.labels[0].label != label:
        raise MetadataError("the AIGC label reads back with other values")
