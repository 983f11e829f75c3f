"""Where viewers look first in a 360-degree picture or video, as its file says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .metadata import panorama
from .notices.view import FOV_RANGE, View

if TYPE_CHECKING:
    from .media.video import Video

__all__ = ["clip_view", "default_view"]


def default_view(content: bytes) -> View | None:
    """Return the first view of a 360-degree picture, None for another picture.

    Parameters
    ----------
    content : bytes
        A JPEG, PNG or WebP file. What counts is its XMP (GPano), not its form: many a
        flat picture is twice as wide as high.
    """
    said = panorama.read(content)
    if said is None or not (said.equirectangular and said.whole):
        return None
    least, most = FOV_RANGE
    return View(
        yaw_deg=said.yaw_deg,
        pitch_deg=said.pitch_deg,
        roll_deg=said.roll_deg,
        fov_deg=min(max(said.fov_deg or View().fov_deg, least), most),
    )


def clip_view(video: Video) -> View | None:
    """Return the first view of a 360-degree video, None for another video."""
    if video.sphere is None:
        return None
    return View(
        yaw_deg=video.sphere.yaw_deg,
        pitch_deg=video.sphere.pitch_deg,
        roll_deg=video.sphere.roll_deg,
    )
