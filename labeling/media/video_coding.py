"""How the pictures of a video will be encoded: like the source, or as asked."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ..errors import UnsupportedFormat, UsageError
from .clip import Video

__all__ = ["CODECS", "CONTAINERS", "Coding", "choose"]

_X26X = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast"),
    *("medium", "slow", "slower", "veryslow"),
)
_YUV_8 = ("yuv420p", "yuv422p", "yuv444p")
_YUVJ = ("yuvj420p", "yuvj422p", "yuvj444p")
_YUV_10 = ("yuv420p10le", "yuv422p10le", "yuv444p10le")
_YUV_12 = ("yuv420p12le", "yuv422p12le", "yuv444p12le")
# How far the quality may go down for the sake of size.
_MAX_OCTAVES, _MAX_QUANTIZER = 1.5, 8


@dataclass(frozen=True, slots=True)
class _Codec:
    """An encoder: the pixels that it takes, and the numbers that steer it.

    `limits` are those of its measure of quality, from best to worst; None for a
    coding without loss or without such a measure. `octave` steps of it halve the
    bits; 0 where these fall as it rises. `quick` is a preset for trials.
    """

    encoder: str
    pixel_formats: tuple[str, ...]
    crf: int | None = None
    limits: tuple[int, int] | None = None
    preset: str = ""
    presets: tuple[str, ...] = ()
    octave: int = 0
    quick: str = ""


_CODECS = {
    "h264": _Codec(
        "libx264",
        (*_YUV_8, *_YUVJ, *_YUV_10, "gray"),
        *(18, (0, 51), "medium", _X26X, 6, "veryfast"),
    ),
    "hevc": _Codec(
        "libx265",
        (*_YUV_8, *_YUVJ, *_YUV_10, *_YUV_12),
        *(18, (0, 51), "fast", _X26X, 6, "superfast"),
    ),
    "vp9": _Codec(
        "libvpx-vp9",
        (*_YUV_8, "yuv440p"),
        *(20, (0, 63), "4", tuple(map(str, range(9))), 9, "8"),
    ),
    "vp8": _Codec("libvpx", ("yuv420p",), 12, (4, 63), "4", tuple(map(str, range(17)))),
    "av1": _Codec(
        "libsvtav1",
        ("yuv420p", "yuv420p10le"),
        *(20, (1, 63), "8", tuple(map(str, range(14))), 9, "10"),
    ),
    "mpeg4": _Codec("mpeg4", ("yuv420p",), 3, (1, 31)),
    "mpeg2video": _Codec("mpeg2video", ("yuv420p", "yuv422p"), 3, (1, 31)),
    "flv": _Codec("flv", ("yuv420p",), 3, (1, 31)),
    "mjpeg": _Codec("mjpeg", (*_YUVJ, *_YUV_8), 2, (1, 31)),
    "prores": _Codec("prores_ks", ("yuv422p10le", "yuv444p10le")),
    "ffv1": _Codec(
        "ffv1",
        (*_YUV_8, *_YUV_10, *_YUV_12, "yuv440p", "yuv411p", "yuv410p", "gray"),
    ),
    "huffyuv": _Codec("huffyuv", ("yuv422p",)),
    "ffvhuff": _Codec("ffvhuff", (*_YUV_8, *_YUV_10, *_YUV_12, "gray")),
    "utvideo": _Codec("utvideo", _YUV_8),
    "rawvideo": _Codec("rawvideo", (*_YUV_8, *_YUVJ, "gray")),
}

CODECS = tuple(_CODECS)
"""What can be encoded, by FFmpeg's names."""

_OLD = ("mpeg4", "mpeg2video", "mjpeg")
_EXACT = ("ffv1", "huffyuv", "ffvhuff", "utvideo", "rawvideo")
CONTAINERS = {
    "mp4": ("h264", "hevc", "av1", "vp9", *_OLD),
    "m4v": ("h264", "hevc", "mpeg4"),
    "mov": ("h264", "hevc", *_OLD, "prores", "rawvideo"),
    "mkv": ("h264", "hevc", "av1", "vp9", "vp8", *_OLD, "prores", *_EXACT),
    "webm": ("vp9", "av1", "vp8"),
    "avi": ("h264", *_OLD, *_EXACT),
    "flv": ("h264", "flv"),
}
"""What each container takes, the best choice first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """How pictures will be encoded.

    Parameters
    ----------
    codec : str
        FFmpeg's name of the coding.
    encoder : str
        FFmpeg's name of the encoder.
    crf : int or None
        The measure of quality, None for a coding without one.
    preset : str
        How much work the encoder puts into it; empty for one without a choice.
    notes : tuple of str
        What changes on the way.
    """

    codec: str
    encoder: str
    crf: int | None
    preset: str
    notes: tuple[str, ...] = ()

    @property
    def is_quantizer(self) -> bool:
        """Whether the measure of quality is a plain size of steps."""
        return self.crf is not None and not _CODECS[self.codec].octave

    def quick(self) -> Coding:
        """Return the same with less work."""
        return replace(self, preset=_CODECS[self.codec].quick or self.preset)

    def coarser(self, factor: float) -> Coding:
        """Return the same at a quality that takes fewer bits by about this factor."""
        if self.crf is None:
            return self
        if self.is_quantizer:
            crf = min(_MAX_QUANTIZER, math.ceil(self.crf * factor))
        else:
            octave = _CODECS[self.codec].octave
            crf = self.crf + min(
                round(_MAX_OCTAVES * octave), math.ceil(octave * math.log2(factor))
            )
        return replace(self, crf=crf)


def choose(
    video: Video,
    format: str,
    codec: str | None = None,
    crf: int | None = None,
    preset: str | None = None,
) -> Coding:
    """Choose how to encode the pictures of a video for a container.

    Raises
    ------
    UsageError
        Codec, quality or preset are not among the choices.
    UnsupportedFormat
        The container does not take the codec, or no encoder takes the pixels.
    """
    notes: tuple[str, ...] = ()
    if codec is not None:
        if codec not in _CODECS:
            raise UsageError(
                f"{codec!r} is not a codec", hint=f"Choose one of {', '.join(CODECS)}."
            )
        if codec not in CONTAINERS[format]:
            raise UsageError(
                f"{format} files do not hold {codec} here",
                hint=f"Choose one of {', '.join(CONTAINERS[format])}.",
            )
        problem = _problem(video, codec)
        if problem:
            raise UnsupportedFormat(f"{codec} {problem}", hint="Choose another codec.")
    else:
        codec, notes = _codec(video, format)
    entry = _CODECS[codec]
    if crf is not None:
        if entry.limits is None:
            raise UsageError(f"{codec} has no measure of quality to be set")
        low, high = entry.limits
        if not low <= crf <= high:
            raise UsageError(
                f"the quality of {codec} cannot be {crf}",
                hint=f"Choose {low} (best) to {high} (smallest file).",
            )
    if preset is not None and preset not in entry.presets:
        raise UsageError(
            f"{preset!r} is not a preset of {codec}",
            hint=f"Choose one of {', '.join(entry.presets)}."
            if entry.presets
            else "It has none.",
        )
    return Coding(
        codec=codec,
        encoder=entry.encoder,
        crf=entry.crf if crf is None else crf,
        preset=preset or entry.preset,
        notes=notes,
    )


def _codec(video: Video, format: str) -> tuple[str, tuple[str, ...]]:
    """Return the codec of the source, or what comes closest to it, and notes."""
    if video.codec in CONTAINERS[format] and not _problem(video, video.codec):
        return video.codec, ()
    for codec in CONTAINERS[format]:
        if not _problem(video, codec):
            what = f"{video.codec} of {video.pixel_format} in {format}"
            return codec, (f"{what} cannot be written; the file holds {codec}",)
    raise UnsupportedFormat(
        f"{format} files cannot hold these frames here: {video.codec}, "
        f"{video.pixel_format}, {video.width} x {video.height} pixels",
        hint="Choose Matroska (.mkv) as the output, or convert the video first.",
    )


def _problem(video: Video, codec: str) -> str:
    """Say what keeps a codec from holding frames, in pixels as they are."""
    if video.pixel_format not in _CODECS[codec].pixel_formats:
        return f"cannot hold pixels of {video.pixel_format} here"
    width, height = video.width, video.height
    if codec in ("h264", "hevc"):
        odd = width % 2 if "42" in video.pixel_format else 0
        odd |= height % 2 if "420" in video.pixel_format else 0
        if odd:
            return f"cannot hold {width} x {height} pixels: they must be even"
    if codec == "huffyuv" and width % 2:
        return f"cannot hold {width} x {height} pixels: they must be even"
    least = {"hevc": 16, "av1": 4}.get(codec, 1)
    if min(width, height) < least:
        return f"cannot hold less than {least} x {least} pixels"
    return ""
