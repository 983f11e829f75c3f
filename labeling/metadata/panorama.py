"""What a picture says about being a 360-degree one: the GPano properties in its XMP.

References
----------
Google, Photo Sphere XMP Metadata (namespace ``http://ns.google.com/photos/1.0/
panorama/``).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ..errors import MetadataError, UnsupportedFormat
from . import tree
from .carrier import Kind
from .image import container_of
from .xmp import decoded

__all__ = ["Panorama", "read", "read_packet"]

GPANO = "http://ns.google.com/photos/1.0/panorama/"

_NUMBER = re.compile(r"[+-]?\d{1,9}(\.\d{0,20})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Panorama:
    """A picture that says how it lies on a sphere.

    Parameters
    ----------
    equirectangular : bool
        Whether that is its projection.
    whole : bool
        Whether it spans the whole sphere, not a part of it.
    yaw_deg, pitch_deg, roll_deg : float
        Where viewers look first: to the right of the middle, -180 to 180; up, -90 to
        90; how far the horizon is turned counter-clockwise, -180 to 180.
    fov_deg : float or None
        What the first view spans from left to right, 1 to 179.
    """

    equirectangular: bool
    whole: bool
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    fov_deg: float | None = None


def read(content: bytes) -> Panorama | None:
    """Read what a JPEG, PNG or WebP file says, None for nothing.

    Parameters
    ----------
    content : bytes
        The file, however damaged: metadata that cannot be read says nothing.
    """
    try:
        survey = container_of(content).read_carriers(content)
    except UnsupportedFormat:
        return None
    for carrier in survey.carriers:
        if carrier.kind is Kind.XMP:
            try:
                found = read_packet(carrier.content)
            except MetadataError:
                continue
            if found is not None:
                return found
    return None


def read_packet(packet: bytes) -> Panorama | None:
    """Read what an XMP packet says, None for nothing.

    A number that cannot be meant counts as absent.

    Raises
    ------
    MetadataError
        It is not XML, or goes beyond the limits of `tree.parse`.
    """
    said: dict[str, str] = {}
    _collect(tree.parse(decoded(packet)), said)
    if "ProjectionType" not in said:
        return None
    sizes = [
        (_number(said, f"FullPano{side}Pixels"), _number(said, f"CroppedArea{part}"))
        for side, part in (
            ("Width", "ImageWidthPixels"),
            ("Height", "ImageHeightPixels"),
        )
    ]
    heading = _number(said, "InitialViewHeadingDegrees", 0, 360)
    # Both are compass headings, the latter that of the middle of the picture.
    middle = _number(said, "PoseHeadingDegrees", 0, 360) or 0.0
    return Panorama(
        equirectangular=said["ProjectionType"].strip().lower() == "equirectangular",
        whole=all(full is None or part is None or full == part for full, part in sizes),
        yaw_deg=0.0 if heading is None else (heading - middle + 180) % 360 - 180,
        pitch_deg=_number(said, "InitialViewPitchDegrees", -90, 90) or 0.0,
        roll_deg=_number(said, "InitialViewRollDegrees", -180, 180) or 0.0,
        fov_deg=_number(said, "InitialHorizontalFOVDegrees", 1, 179),
    )


def _collect(element: tree.Element, said: dict[str, str]) -> None:
    """Gather the properties of the namespace at and below an element."""
    for name, value in element.attributes:
        if name.space == GPANO:
            said.setdefault(name.local, value)
    if element.name.space == GPANO and not element.elements:
        text = "".join(child for child in element.children if isinstance(child, str))
        said.setdefault(element.name.local, text)
    for child in element.elements:
        _collect(child, said)


def _number(
    said: dict[str, str], name: str, least: float = 0, most: float = math.inf
) -> float | None:
    text = said.get(name, "").strip()
    if not _NUMBER.fullmatch(text):
        return None
    return value if least <= (value := float(text)) <= most else None
