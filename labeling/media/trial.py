"""Try a coding on parts of a video, so that its files do not grow out of bounds."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO

import av

from ..errors import MediaError
from .clip import Video
from .clip_file import main_stream, opened, packets
from .clip_reader import decoded
from .picture_encoder import open_encoder
from .video_coding import Coding

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

__all__ = ["MAX_GROWTH", "fitted"]

MAX_GROWTH = 2.0
"""How many times the bits of the source the pictures may take, about."""

_PLACES = (0.0, 0.4, 0.75)
_PACKETS = 32


def fitted(file: BinaryIO, video: Video, coding: Coding) -> Coding:
    """Return a coding with its quality lowered as far as the size asks for.

    A source that is compressed hard costs many bits to be kept as it is, defects
    included. Some groups of frames are encoded with a quick preset and set against
    the packets that they came from.

    Parameters
    ----------
    file : binary file
        The source.
    video : Video
        What it holds.
    coding : Coding
        The coding to begin from.
    """
    if coding.crf is None:
        return coding
    before = after = 0
    places = _PLACES if video.duration_s * video.frame_rate > 4 * _PACKETS else (0.0,)
    try:
        with opened(file, video.format) as container:
            stream = main_stream(container)
            context: Any = stream.codec_context
            context.thread_count = 1
            for place in places:
                if place:
                    unit = stream.time_base or Fraction(1)
                    start = (stream.start_time or 0) + int(
                        place * video.duration_s / unit
                    )
                    container.seek(start, stream=stream)
                    context.flush_buffers()
                taken, given = _try(container, stream, video, coding.quick())
                before += taken
                after += given
    except (MediaError, av.FFmpegError):
        return coding  # the true run will tell what is wrong
    growth = after / max(1, before) / MAX_GROWTH
    if growth <= 1:
        return coding
    coarser = coding.coarser(growth)
    note = (
        f"{coding.codec} with a quality of {coarser.crf} instead of {coding.crf}, so "
        f"that the frames take no more than about {MAX_GROWTH:g} times their bits"
    )
    return replace(coarser, notes=(*coarser.notes, note))


def _try(
    container: InputContainer, stream: VideoStream, video: Video, coding: Coding
) -> tuple[int, int]:
    """Encode a group of frames; return its bytes in the source and encoded."""
    taken = given = count = 0
    encoder: Any = None
    for packet in packets(container, stream):
        count += 1
        last = count == _PACKETS or not packet.size
        taken += packet.size
        found = decoded(packet, stream)
        if count == _PACKETS and packet.size:
            found += stream.codec_context.decode(None)
        for picture in found:
            if picture is None:
                continue
            if encoder is None:
                encoder = open_encoder(coding, video, stream, picture)
            picture.pict_type = 0
            given += sum(part.size for part in encoder.encode(picture))
        if last:
            break
    if encoder is not None:
        given += sum(part.size for part in encoder.encode(None))
    return taken, given
