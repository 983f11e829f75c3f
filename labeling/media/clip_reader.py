"""Read videos by PyAV: what they are, and their frames."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO

from ..errors import DamagedMedia, MediaError, MediaTooLarge, UnsupportedFormat
from .clip import MAX_SECONDS, STILL, Video, check_size
from .clip_file import main_stream, opened, packets
from .extent import is_cut_off
from .frame import Clock, Frame, frame_of, luma_bits
from .sound_track import describe_sound
from .sphere import sphere_of

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

__all__ = [
    "check_length",
    "check_same",
    "decode",
    "decoded",
    "display_matrix",
    "first_picture",
    "survey",
]

# Numbers of ISO/IEC 23091-2, as FFmpeg has them.
_TRANSFERS = {16: "pq", 18: "hlg"}
_MATRICES = {1: "bt709", 4: "bt601", 5: "bt601", 6: "bt601", 9: "bt2020", 10: "bt2020"}
_PRIMARIES = {
    **{1: "bt709", 4: "bt601", 5: "bt601", 6: "bt601", 7: "bt601"},
    **{9: "bt2020", 11: "p3", 12: "p3"},
}
# The length of one track of Matroska, which its header tells for all together.
_TOLD_DURATION = re.compile(r"(\d{1,3}):(\d\d):(\d\d(?:\.\d{1,9})?)")
_PROGRESSIVE = (0, 1)
_FULL_RANGE = 2
# Sizes up to those of television before HD mean its colors, unless stated.
_SD_HEIGHT = 576
_INCOMPLETE = "Get a complete copy of the file."
# How many packets without a frame are too many at the start.
_MAX_TRIES = 1000
_ROUNDING_S = 0.0005
# From how many frames between samples on those that no other needs are skipped.
_SPARSE = 4


def survey(file: BinaryIO, format: str) -> Video:
    """Describe a video; its first frame is decoded for that.

    Raises
    ------
    MediaError
        The file holds no video, or one that is damaged, encrypted, too large, or of a
        coding that is not handled.
    """
    sound, sound_notes = describe_sound(file, format)
    with opened(file, format) as container:
        stream = main_stream(container)
        context: Any = stream.codec_context
        context.thread_count = 1
        picture = first_picture(container, stream)
        check_size(picture.width, picture.height)
        bits = luma_bits(picture.format.name)
        rotation, flipped, crooked = _orientation(picture)
        notes = [*sound_notes]
        if crooked:
            notes.append("the turn for display is not by a right angle")
        if is_cut_off(file, format, container):
            notes.append("the file is cut off")
        default = "bt601" if picture.height <= _SD_HEIGHT else "bt709"
        matrix = _MATRICES.get(picture.colorspace, default)
        return Video(
            format=format,
            codec=_codec_name(context.name),
            width=picture.width,
            height=picture.height,
            pixel_format=picture.format.name,
            bits=bits or 8,
            full_range=bits is None
            or picture.color_range == _FULL_RANGE
            or picture.format.name.startswith("yuvj"),
            transfer=_TRANSFERS.get(picture.color_trc, "sdr"),
            matrix=matrix,
            primaries=_PRIMARIES.get(picture.color_primaries, matrix),
            rotation_deg=rotation,
            flipped=flipped,
            pixel_aspect=_pixel_aspect(stream),
            frame_rate=_frame_rate(stream),
            frames=1 if format in STILL else stream.frames or None,
            duration_s=_duration_s(container, stream),
            interlaced=picture.interlaced_frame
            or context.field_order not in _PROGRESSIVE,
            alpha=any(part.is_alpha for part in picture.format.components)
            or stream.metadata.get("alpha_mode") == "1",
            bit_rate=max(0, stream.bit_rate or 0),
            sphere=sphere_of(picture),
            sound=sound,
            notes=tuple(notes),
        )


def decode(file: BinaryIO, video: Video, every_s: float) -> Iterator[Frame]:
    """Yield frames in the order of display, not closer than `every_s`.

    A key frame may follow an ordinary one more closely.

    Raises
    ------
    DamagedMedia
        After all frames that can be had: some could not be decoded, or are missing.
    """
    seen = False
    with opened(file, video.format) as container:
        stream = main_stream(container)
        context: Any = stream.codec_context
        context.thread_count = 1
        sparse = every_s * video.frame_rate >= _SPARSE
        clock = Clock(
            *(stream.time_base or Fraction(1, 1000), video.frame_rate),
            in_order=video.format == "avi" and not sparse,
        )
        lost, due_s, key_due_s = 0, -math.inf, -math.inf
        for packet in packets(container, stream):
            clock.feed(packet)
            for picture in decoded(packet, stream):
                if picture is None:
                    lost += 1
                    continue
                check_same(picture, video)
                if not seen and sparse:
                    context.skip_frame = "NONREF"
                seen = True
                time_s = clock.seconds(clock.time(picture))
                check_length(time_s)
                is_due_key = bool(picture.key_frame) and time_s >= key_due_s
                if time_s >= due_s or is_due_key:
                    # Times are rounded, so none is due a little before its time.
                    due_s = time_s + every_s - min(_ROUNDING_S, every_s / 2)
                    if picture.key_frame:
                        key_due_s = due_s
                    yield frame_of(picture, time_s)
        cut_off = is_cut_off(file, video.format, container)
    if lost or cut_off or not seen:
        what = f"{lost} packets" if lost else "the file is cut off"
        raise DamagedMedia(
            f"parts of the video cannot be decoded ({what})", hint=_INCOMPLETE
        )


def glimpses(file: BinaryIO, video: Video, count: int) -> Iterator[Frame]:
    """Yield up to `count` frames from all over a video, fast: key frames.

    Parts that cannot be read are passed over.
    """
    import av

    with opened(file, video.format) as container:
        stream = main_stream(container)
        stream.codec_context.thread_count = 1
        base = stream.time_base or Fraction(1, 1000)
        seen = set()
        for index in range(count):
            at = round(video.duration_s * index / count / base)
            try:
                container.seek(at + (stream.start_time or 0), stream=stream)
                picture = first_picture(container, stream)
            except (av.FFmpegError, MediaError):
                continue
            check_same(picture, video)
            if picture.pts not in seen:
                seen.add(picture.pts)
                yield frame_of(picture, 0.0)


def decoded(packet: Packet[Any], stream: VideoStream) -> list[VideoFrame | None]:
    """Return the pictures that come out when a packet goes in."""
    import av

    try:
        return [*stream.codec_context.decode(packet if packet.size else None)]
    except EOFError:
        return []
    except av.FFmpegError:
        return [None]


def check_same(picture: VideoFrame, video: Video) -> None:
    """Refuse a picture that is not like those before.

    Raises
    ------
    UnsupportedFormat
        Its size or pixel format is another one.
    """
    found = (picture.width, picture.height, picture.format.name)
    if found != (video.width, video.height, video.pixel_format):
        raise UnsupportedFormat(
            f"the video changes midway from {video.width} x {video.height} "
            f"{video.pixel_format} to {found[0]} x {found[1]} {found[2]}",
            hint="Convert it to one size first.",
        )


def check_length(time_s: float) -> None:
    """Refuse a video that goes on for more than a day.

    Raises
    ------
    MediaTooLarge
        It does.
    """
    if time_s > MAX_SECONDS:
        raise MediaTooLarge(
            f"the video is longer than {MAX_SECONDS // 3600} hours",
            hint="Cut it into parts.",
        )


def _frame_rate(stream: VideoStream) -> Fraction:
    """Return the mean rate of a stream, or what comes closest to it."""
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and rate > 0:
            return rate
    return Fraction(25)


def display_matrix(picture: VideoFrame) -> tuple[int, ...] | None:
    """Return the nine numbers that turn a frame for display, None for no turn."""
    parts: Any = picture.side_data
    for data in parts:
        if data.type.name == "DISPLAYMATRIX" and data.buffer_size >= 36:
            return struct.unpack("=9i", bytes(data)[:36])
    return None


def first_picture(container: InputContainer, stream: VideoStream) -> VideoFrame:
    """Return the first picture of a stream that can be decoded.

    Raises
    ------
    DamagedMedia
        There is none.
    """
    for tries, packet in enumerate(packets(container, stream)):
        for picture in decoded(packet, stream):
            if picture is not None:
                return picture
        if tries > _MAX_TRIES:
            break
    raise DamagedMedia("no frame can be decoded", hint=_INCOMPLETE)


def _orientation(picture: VideoFrame) -> tuple[int, bool, bool]:
    """Return the clockwise turn, whether a flip comes before it, and whether neither.

    A point (x, y) goes to (a x + c y, b x + d y), y down (FFmpeg's display matrix).
    """
    matrix = display_matrix(picture)
    if matrix is None:
        return 0, False, False
    a, b, _, c, d = matrix[:5]
    flipped = a * d - b * c < 0
    if flipped:
        a, b = -a, -b
    angle = math.degrees(math.atan2(b - c, a + d))
    turn = round(angle / 90) * 90
    return turn % 360, flipped, abs(angle - turn) > 1


def _pixel_aspect(stream: VideoStream) -> Fraction:
    aspect = stream.sample_aspect_ratio
    if not aspect or not Fraction(1, 16) <= aspect <= 16:
        return Fraction(1)
    return aspect


def _duration_s(container: InputContainer, stream: VideoStream) -> float:
    if stream.duration and stream.time_base:
        return max(0.0, float(stream.duration * stream.time_base))
    whole = max(0.0, (container.duration or 0) / 1e6)
    told = _TOLD_DURATION.fullmatch(stream.metadata.get("DURATION", ""))
    if told is None:
        return whole
    hours, minutes, seconds = map(float, told.groups())
    return min(whole, 3600 * hours + 60 * minutes + seconds)


def _codec_name(decoder: str) -> str:
    return {"libdav1d": "av1", "libvpx": "vp8", "libvpx-vp9": "vp9"}.get(
        decoder, decoder
    )
