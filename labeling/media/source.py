"""Where a picture comes from: a file, its bytes, an array or a Pillow image.

Sounds and videos come from files alone: the bytes of one are put into a temporary
file.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from ..errors import MediaError, MediaTooLarge, SynthmarkError, UsageError
from .image import Picture, Pixels, from_array, from_pil, read
from .probe import (
    AUDIO_HEAD_BYTES,
    MAX_BYTES,
    MAX_PIXELS,
    is_audio,
    is_video,
    open_file,
)

__all__ = ["Source", "lent_stream", "load", "read_file"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A picture and where it came from.

    Parameters
    ----------
    picture : Picture
        The decoded picture.
    content : bytes or None
        The file's bytes, when it came from a file or bytes.
    path : Path or None
        The file, when it came from one.
    """

    picture: Picture
    content: bytes | None = None
    path: Path | None = None

    @property
    def sha256(self) -> str:
        """Digest in hex: of the file, or of the raw pixels where there is none."""
        content = self.content
        if content is None:
            content = self.picture.pixels.tobytes()
        return hashlib.sha256(content).hexdigest()


def load(
    source: str | Path | bytes | Image.Image | Pixels, *, max_pixels: int = MAX_PIXELS
) -> Source:
    """Take a picture from any of the four kinds of sources.

    Parameters
    ----------
    source : str, Path, bytes, PIL.Image.Image or ndarray
        A file (text is always a path), the bytes of one, or a picture in memory.
    max_pixels : int, optional
        Refuse files with larger pictures.

    Raises
    ------
    MediaError
        The file cannot be read, or does not hold a picture that can be used.
    UsageError
        The source is of another type, or an array of the wrong type or shape.
    """
    if isinstance(source, np.ndarray):
        return Source(picture=from_array(source))
    if isinstance(source, Image.Image):
        return Source(picture=from_pil(source))
    if isinstance(source, bytes | bytearray | memoryview):
        content = bytes(source)
        return Source(picture=read(content, max_pixels=max_pixels), content=content)
    if not isinstance(source, str | os.PathLike):
        raise UsageError(
            f"a picture cannot be taken from {type(source).__name__}",
            hint="Give a path, the bytes of a file, a Pillow image or a numpy array.",
        )
    path = Path(source)
    content = read_file(path)
    try:
        picture = read(content, max_pixels=max_pixels)
    except MediaError as error:
        error.path = path
        raise
    return Source(picture=picture, content=content, path=path)


@contextmanager
def lent_stream(source: object) -> Iterator[tuple[Path, bool] | None]:
    """Lend the path of a sound or video; None for what is neither.

    Parameters
    ----------
    source : str, Path, bytes or anything else
        A file, or the bytes of one, which are put into a temporary file.

    Yields
    ------
    path : Path
    is_video : bool
        False for a sound.

    Raises
    ------
    MediaError
        There is no such file, it is a folder or device, or may not be read.
    MediaTooLarge
        The bytes are more than 512 MiB.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        head = bytes(source[:AUDIO_HEAD_BYTES])
        if not (is_audio(head) or is_video(head)):
            yield None
            return
        if len(source) > MAX_BYTES:
            raise MediaTooLarge(
                f"the content has more than {MAX_BYTES:,} bytes",
                hint="Give its path: a file may be of any size.",
            )
        with TemporaryDirectory(prefix="synthmark-") as folder:
            path = Path(folder) / "stream"
            path.write_bytes(source)
            try:
                yield path, _holds_pictures(path, head)
            except SynthmarkError as error:
                if error.path == path:
                    error.path = None
                raise
    elif isinstance(source, str | os.PathLike):
        path = Path(source)
        with open_file(path) as file:
            head = file.read(AUDIO_HEAD_BYTES)
        if is_audio(head) or is_video(head):
            yield path, _holds_pictures(path, head)
        else:
            yield None
    else:
        yield None


def _holds_pictures(path: Path, head: bytes) -> bool:
    """Tell a video from a sound in a container of both."""
    if not is_video(head):
        return False
    if not is_audio(head):
        return True
    from .video import has_pictures

    return has_pictures(path)


def read_file(path: Path | str) -> bytes:
    """Return the content of a media file.

    Raises
    ------
    MediaError
        There is no such file, it is a folder or device, or may not be read.
    MediaTooLarge
        It has more than 512 MiB.
    """
    with open_file(path) as file:
        try:
            content = file.read(MAX_BYTES + 1)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise MediaError(f"cannot be read: {reason}", path=path) from error
    if len(content) > MAX_BYTES:
        raise MediaTooLarge(f"has more than {MAX_BYTES:,} bytes", path=path)
    return content
