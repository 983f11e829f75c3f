"""What a video says about being a 360-degree one.

References
----------
Google, Spherical Video V2 RFC: the box ``sv3d``, and Projection in Matroska.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, BinaryIO

from ..errors import UnsupportedFormat
from .clip import Sphere
from .extent import index_of

if TYPE_CHECKING:
    from av import VideoFrame

__all__ = [
    "FORMATS",
    "check_kept",
    "drop_second_mapping",
    "is_spherical",
    "sphere_of",
]

FORMATS = ("mp4", "m4v", "mkv", "webm")
"""The containers that can tell how frames lie on a sphere."""

# FFmpeg's AVSphericalMapping: projection, three angles as 16.16, four bounds.
_MAPPING = struct.Struct("=4i4I")
_EQUIRECTANGULAR = 0
# Between the names of two boxes that follow each other.
_FAR = 256


def is_spherical(picture: VideoFrame) -> bool:
    """Tell whether a decoded picture comes with a mapping to a sphere."""
    return _mapping(picture) is not None


def sphere_of(picture: VideoFrame) -> Sphere | None:
    """Read what comes with a decoded picture.

    Returns
    -------
    Sphere or None
        None for flat pictures, cube maps, parts of a sphere, and two pictures for two
        eyes.
    """
    stored = _mapping(picture)
    if stored is None or any(_part(picture, "STEREO3D", 4)[:4]):
        return None
    projection, yaw, pitch, roll, *bounds = _MAPPING.unpack_from(stored)
    if projection != _EQUIRECTANGULAR or any(bounds):
        return None
    if abs(picture.width - 2 * picture.height) > 2:
        return None
    # The sphere is turned around the viewer: what was below comes to the middle when
    # it is turned up. A yaw turns it to the left.
    return Sphere(
        yaw_deg=_angle(yaw, 180),
        pitch_deg=_angle(-pitch, 90),
        roll_deg=_angle(-roll, 180),
    )


def check_kept(picture: VideoFrame, format: str, same_codec: bool) -> None:
    """Refuse to write a 360-degree video as a flat one.

    Raises
    ------
    UnsupportedFormat
        The container cannot tell how its frames lie on a sphere, or another coding
        would lose it.
    """
    if not is_spherical(picture):
        return
    if format not in FORMATS:
        raise UnsupportedFormat(
            f"a 360-degree video would become a flat one in {format}",
            hint="End the name in .mp4 or .mkv.",
        )
    if not same_codec:
        raise UnsupportedFormat(
            "a 360-degree video would become a flat one in another coding",
            hint="Leave --codec away.",
        )


def drop_second_mapping(file: BinaryIO) -> None:
    """Make a mapping without angles that FFmpeg adds to MP4 files a free box.

    It writes the box ``vexu`` behind ``sv3d``, and then reads the former alone.

    Parameters
    ----------
    file : binary file
        An MP4 file, open for reading and writing.
    """
    at, size = index_of(file)
    file.seek(at)
    index = file.read(size)
    mapping = index.find(b"sv3d")
    second = index.find(b"vexu", mapping, mapping + _FAR)
    if mapping >= 0 and second >= 0:
        file.seek(at + second)
        file.write(b"free")


def _mapping(picture: VideoFrame) -> bytes | None:
    return _part(picture, "SPHERICAL", _MAPPING.size) or None


def _part(picture: VideoFrame, name: str, least: int) -> bytes:
    """Return what comes with a picture under a name, nothing if it is too short."""
    parts: Any = picture.side_data
    for part in parts:
        if part.type.name == name and part.buffer_size >= least:
            return bytes(part)
    return b""


def _angle(stored: int, most: float) -> float:
    """Return an angle in degrees; one that cannot be meant counts as none."""
    degrees = stored / 65536
    return degrees if abs(degrees) <= most else 0.0
