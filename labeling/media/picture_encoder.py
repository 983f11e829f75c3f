"""Encoders of pictures, set up like the stream that the pictures come from."""

from __future__ import annotations

import os
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import av
from av.codec.context import Flags

from ..errors import UnsupportedFormat
from .clip import Video
from .clip_file import tag_of
from .light import light_of
from .priority import keeping_priority
from .video_coding import Coding

if TYPE_CHECKING:
    from av import VideoFrame
    from av.video.stream import VideoStream

__all__ = ["lost_data", "open_encoder"]

_THREADS = 8
# Frames that x265 holds back to plan with, half as many as x264: what most memory goes
# into. More made files no smaller.
_LOOK_AHEAD = 10
# Frames between key frames, where nothing is known and at most.
_KEY_INTERVAL, _MAX_KEY_INTERVAL = 250, 600
_MAX_ENTRIES = 100_000
# A bit rate that leaves it to the quantizer.
_PLENTY = 1_000_000_000
# The profiles of ProRes by the tag that a file has.
_PRORES = {"apco": 0, "apcs": 1, "apcn": 2, "apch": 3, "ap4h": 4, "ap4x": 5}
_DOLBY_VISION = {"DOVI_METADATA", "DOVI_RPU_BUFFER"}
_UNSPECIFIED = 2
_COLORS = ("color_range", "color_primaries", "color_trc", "colorspace")


def open_encoder(
    coding: Coding,
    video: Video,
    stream: VideoStream,
    picture: VideoFrame,
    *,
    encoder: Any = None,
    header: bool = True,
) -> Any:
    """Return an encoder that is ready to take pictures.

    Parameters
    ----------
    coding : Coding
        How to encode.
    video : Video
        What the source holds.
    stream : av.VideoStream
        The stream of the source.
    picture : av.VideoFrame
        Its first picture.
    encoder : av.VideoCodecContext, optional
        One to be set up, by default a new one.
    header : bool, optional
        Whether the container holds the headers and the order of display. Without it
        the stream has the headers in itself, and frames in order alone.
    """
    context: Any = encoder or av.CodecContext.create(coding.encoder, "w")
    if header:
        context.flags |= Flags.global_header
    context.width, context.height = picture.width, picture.height
    context.pix_fmt = picture.format.name
    context.time_base = stream.time_base
    context.framerate = video.frame_rate
    if stream.sample_aspect_ratio:
        context.sample_aspect_ratio = stream.sample_aspect_ratio
    for name in _COLORS:
        setattr(context, name, getattr(picture, name))
    context.thread_count = max(1, min(os.cpu_count() or 1, _THREADS))
    context.gop_size, constant = _rhythm(stream, video)
    if coding.is_quantizer:
        context.qmin = context.qmax = coding.crf
        context.bit_rate = _PLENTY
    context.options = _options(coding, stream.codec_context, picture, constant)
    if not header:
        context.max_b_frames = 0
    with keeping_priority():
        context.open()
    return context


def lost_data(picture: VideoFrame, coding: Coding) -> tuple[str, ...]:
    """Say what comes with pictures that an encoder does not take.

    Raises
    ------
    UnsupportedFormat
        The pictures cannot be shown without it.
    """
    parts: Any = picture.side_data
    names = {part.type.name for part in parts}
    lost = []
    if names & _DOLBY_VISION:
        if picture.color_trc == _UNSPECIFIED:
            raise UnsupportedFormat(
                "the video is Dolby Vision that other screens cannot show",
                hint="Convert it to HDR10 or SDR first.",
            )
        lost.append("the data of Dolby Vision were left out")
    if "DYNAMIC_HDR_PLUS" in names:
        lost.append("the data of HDR10+ were left out; those of HDR10 stay")
    if "A53_CC" in names and coding.codec not in ("h264", "hevc"):
        lost.append("the captions within the pictures were left out")
    return tuple(lost)


def _options(
    coding: Coding, source: Any, picture: VideoFrame, constant: bool
) -> dict[str, str]:
    """Return the options of FFmpeg for an encoder."""
    threads = max(1, min(os.cpu_count() or 1, _THREADS))
    crf, preset, light = str(coding.crf), coding.preset, light_of(picture)
    if coding.encoder == "libx264":
        # Times stay as they are; a constant rate is also told in the stream.
        more = ["force-cfr=1"] if constant else []
        more.append(f"rc-lookahead={2 * _LOOK_AHEAD}")
        options = {"crf": crf, "preset": preset}
        options["x264-params"] = ":".join([*more, *light.x264()])
        if source.profile in ("Baseline", "Constrained Baseline", "Main"):
            options["profile"] = source.profile.split()[-1].lower()
        return options
    if coding.encoder == "libx265":
        more = [f"pools={threads}", "frame-threads=1", "log-level=none"]
        more += [f"rc-lookahead={_LOOK_AHEAD}", "bframes=3", *light.x265()]
        return {"crf": crf, "preset": preset, "x265-params": ":".join(more)}
    if coding.encoder == "libsvtav1":
        os.environ.setdefault("SVT_LOG", "1")  # else it prints what it is doing
        more = [f"lp={threads}", *light.svt()]
        return {"crf": crf, "preset": preset, "svtav1-params": ":".join(more)}
    if coding.encoder in ("libvpx-vp9", "libvpx"):
        # VP8 takes its measure of quality for a floor below a bit rate.
        rate = "0" if coding.codec == "vp9" else "100M"
        options = {"crf": crf, "b": rate, "cpu-used": preset, "deadline": "good"}
        if coding.codec == "vp9":
            options["row-mt"] = "1"
        return options
    if coding.codec == "prores":
        profile = _PRORES.get(tag_of(source), 3)
        return {"profile": str(profile), "vendor": "apl0"}
    return {}


def _rhythm(stream: VideoStream, video: Video) -> tuple[int, bool]:
    """Return the frames between key frames, and whether all last equally long.

    As far as the container has an index of them.
    """
    entries = stream.index_entries[:_MAX_ENTRIES]
    unit = stream.time_base
    if len(entries) < 2 or unit is None:
        return _KEY_INTERVAL, False
    times = [entry.timestamp for entry in entries]
    steps = [b - a for a, b in pairwise(times)]
    constant = all(entry.size for entry in entries) and max(steps) - min(steps) <= 1
    keys = [entry.timestamp for entry in entries if entry.is_keyframe]
    if len(keys) < 2:
        return _KEY_INTERVAL, constant
    longest = max(b - a for a, b in pairwise(keys)) * unit * video.frame_rate
    return max(1, min(_MAX_KEY_INTERVAL, round(longest))), constant
