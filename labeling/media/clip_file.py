"""Open videos by PyAV, and find the stream of pictures.

Files are opened as file objects, each with the one demuxer that its content calls
for: no playlist, reference or address in a file can make it open another.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from ..errors import UnsupportedFormat
from .clip import MAX_FRAME_PIXELS, check_size
from .decoder import open_container, undecodable

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer
    from av.video.stream import VideoStream

__all__ = ["main_stream", "opened", "packets", "tag_of"]

_DEMUXERS = {
    "mp4": "mov",
    "m4v": "mov",
    "mov": "mov",
    "mkv": "matroska",
    "webm": "matroska",
    "avi": "avi",
    "flv": "flv",
    "ts": "mpegts",
    "gif": "gif",
    "png": "png_pipe",
    "jpeg": "jpeg_pipe",
    "webp": "webp_pipe",
}
_ENCRYPTED = "Use a copy without protection."


@contextmanager
def opened(file: BinaryIO, format: str) -> Iterator[InputContainer]:
    """Lend a file as PyAV's container."""
    # The limit also holds for a size that the header does not tell.
    with open_container(
        file, _DEMUXERS[format], noun="video", max_pixels=str(MAX_FRAME_PIXELS)
    ) as container:
        for stream in container.streams.video:
            if stream.codec_context is not None:
                check_size(max(1, stream.width), max(1, stream.height))
        yield container


def main_stream(container: InputContainer) -> VideoStream:
    """Return the stream of pictures that a player shows.

    Raises
    ------
    UnsupportedFormat
        There is none, or none that can be decoded.
    """
    from av.stream import Disposition

    still = Disposition.attached_pic | Disposition.timed_thumbnails
    streams = [s for s in container.streams.video if not s.disposition & still]
    if not streams:
        found = ["sound"] if container.streams.audio else []
        found += ["a cover picture"] if container.streams.video else []
        what = " and ".join(found)
        raise UnsupportedFormat(
            f"the file holds {what}, but no video" if what else "the file has no video"
        )
    streams.sort(key=lambda s: not s.disposition & Disposition.default)
    stream = streams[0]
    context: Any = stream.codec_context
    if context is None:
        raise UnsupportedFormat(
            "the video is of a coding that is not known",
            hint="Convert it to H.264 first.",
        )
    # FFmpeg reads protected pictures by the codec beneath; the tag tells it.
    if tag_of(context) in ("encv", "drmi"):
        raise UnsupportedFormat("the video is encrypted", hint=_ENCRYPTED)
    return stream


def packets(container: InputContainer, *streams: Any) -> Iterator[Packet[Any]]:
    """Yield packets; errors of reading become ours.

    Raises
    ------
    DamagedMedia
        The file cannot be read on.
    """
    import av

    found = container.demux(*streams)
    while True:
        try:
            packet = next(found)
        except StopIteration:
            return
        except (av.FFmpegError, OSError, OverflowError, ValueError) as error:
            raise undecodable(error, "video") from error
        if packet.has_sidedata("encryption_info"):
            raise UnsupportedFormat("the video is encrypted", hint=_ENCRYPTED)
        yield packet


def tag_of(context: Any) -> str:
    """Return the four letters that a file calls a coding by, empty for other bytes."""
    try:
        tag: str = context.codec_tag
    except UnicodeDecodeError:
        return ""
    return tag
