"""The notice around the player of a video: a page to open, a snippet to embed."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from . import policy
from .errors import UnsupportedFormat, UsageError
from .files import write_bytes
from .media import video as media
from .media.clip import STILL
from .notices.frame import FrameForm
from .notices.player import PlayerNotice, surround
from .notices.video import USUAL, VideoNotice
from .notices.wording import WORDINGS

__all__ = ["surround_video"]

# What browsers of these years play; a GIF is shown as a picture.
_FORMATS = ("mp4", "m4v", "mov", "webm")
_CODECS = ("h264", "vp8", "vp9", "av1")


def surround_video(
    source: str | Path,
    target: str | Path | None = None,
    *,
    overwrite: bool = False,
    address: str | None = None,
    wording: str = "en",
    corner: str | None = None,
    over: bool = False,
) -> PlayerNotice:
    """Make the notice around the player of a video (Labeling Measures, Art. 4(4)).

    The video itself stays as it is: `label` draws the notice on its frames.

    Parameters
    ----------
    source : str or Path
        Any video that can be read, labeled or not.
    target : str or Path, optional
        Where the page shall stand; without it nothing is written.
    overwrite : bool, optional
        Whether an existing target may be replaced.
    address : str, optional
        URL of the video as seen from the page. By default where it lies relative to
        the target, or its name where there is no target.
    wording : str, optional
        Language of a standard wording, ``"en"`` or ``"zh"``, or the wording itself.
    corner : str, optional
        Corner of the notice over the picture, by default the usual one of videos.
    over : bool, optional
        Whether the notice is laid over the picture as well: for a video without one
        on its frames.

    Returns
    -------
    PlayerNotice
        The page, the snippet to embed in another one, and a description for players
        that are not in a page.

    Raises
    ------
    MediaError
        It is not a video that can be read, or a single picture.
    UsageError
        Wording, corner or address cannot be meant, or the target is the source.
    OutputError
        The target exists, or cannot be written.
    """
    source = Path(source)
    target = None if target is None else Path(target)
    due = policy.due()
    notice = VideoNotice(
        corner=corner or USUAL,
        text=WORDINGS.get(wording, wording),
        height_fraction=due.notice_height,
    )
    video = media.describe(source)
    if video.format in STILL:
        raise UnsupportedFormat(
            "the file holds a single picture, which has no player",
            hint="Use `label`, which draws the notice on it.",
            path=source,
        )
    form = FrameForm(
        width=video.width,
        height=video.height,
        rotation_deg=video.rotation_deg,
        pixel_aspect=video.pixel_aspect,
    )
    width, height = form.shown_size
    animation = video.format == "gif"
    made = surround(
        notice,
        _address(source, target) if address is None else address,
        width=width,
        height=height,
        over=over,
        animation=animation,
    )
    if not animation and (video.format not in _FORMATS or video.codec not in _CODECS):
        note = f"not every browser plays {video.codec} in {video.format} files"
        made = replace(made, notes=(note,))
    if target is not None:
        if target.exists() and target.samefile(source):
            raise UsageError("the page cannot take the place of the video", path=target)
        write_bytes(target, made.page.encode(), overwrite=overwrite)
    return made


def _address(source: Path, target: Path | None) -> str:
    """Return where the source lies as seen from the target, as a URL."""
    if target is None:
        return _quoted(source.name)
    try:
        path = Path(os.path.relpath(source, target.parent))
    except ValueError:  # on another drive
        return source.absolute().as_uri()
    return "/".join(_quoted(part) for part in path.parts)


def _quoted(name: str) -> str:
    # A name may hold what means something else in a URL, and bytes that are no text.
    return quote(os.fsencode(name), safe="")
