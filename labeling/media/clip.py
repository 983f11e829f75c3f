"""What is known of a video before its frames are, and the limits that it must keep."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ..errors import DamagedMedia, MediaTooLarge, UnsupportedFormat
from .frame import luma_bits
from .sound import Sound

__all__ = [
    "MAX_FRAME_PIXELS",
    "MAX_SECONDS",
    "MEDIA_TYPES",
    "MP4_FAMILY",
    "STILL",
    "SUFFIXES",
    "Sphere",
    "Video",
    "check_size",
    "check_writable",
]

MEDIA_TYPES = {
    "mp4": "video/mp4",
    "m4v": "video/mp4",
    "mov": "video/quicktime",
    "mkv": "video/matroska",
    "webm": "video/webm",
    "avi": "video/x-msvideo",
    "flv": "video/x-flv",
    "ts": "video/mp2t",
    "gif": "image/gif",
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
}
"""The containers, and their names on the Internet."""

SUFFIXES = {
    ".mp4": "mp4",
    ".m4v": "m4v",
    ".mov": "mov",
    ".mkv": "mkv",
    ".webm": "webm",
    ".avi": "avi",
    ".flv": "flv",
}
"""The suffixes of files that can be written, and their containers."""

MP4_FAMILY = ("mp4", "m4v", "mov")
STILL = ("png", "jpeg", "webp")

# A frame of 8192 x 4320, the larger of the two that are called 8K.
MAX_FRAME_PIXELS = 8192 * 4320
MAX_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Sphere:
    """A whole sphere on equirectangular frames, and where viewers look first.

    Parameters
    ----------
    yaw_deg : float
        To the right of the middle of the frames, -180 to 180.
    pitch_deg : float
        Up from the horizon, -90 to 90.
    roll_deg : float
        How far the horizon is turned counter-clockwise, -180 to 180.
    """

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """A video in a file.

    Parameters
    ----------
    format : str
        ``"mp4"``, ``"m4v"``, ``"mov"``, ``"mkv"``, ``"webm"``, ``"avi"`` or ``"flv"``;
        for reading also ``"ts"``, ``"gif"``, ``"png"``, ``"jpeg"`` and ``"webp"``. A
        single picture counts as a video of one frame.
    codec : str
        FFmpeg's name of the coding, for example ``"h264"``.
    width, height : int
        Size of a frame in pixels as stored.
    pixel_format : str
        FFmpeg's name, for example ``"yuv420p10le"``.
    bits : int
        Bits of a sample of luma: 8, 10 or 12, rarely 9, 14 or 16.
    full_range : bool
        Whether the codes go from 0 to the last, not from 16 to 235 of 255.
    transfer : str
        ``"sdr"``, ``"pq"`` or ``"hlg"``.
    matrix : str
        How colors become luma and chroma: ``"bt601"``, ``"bt709"`` or ``"bt2020"``;
        by the size where the file does not say.
    primaries : str
        ``"bt601"``, ``"bt709"``, ``"bt2020"`` or ``"p3"``; as `matrix` where the file
        does not say.
    rotation_deg : int
        Clockwise turn of the stored frame that shows it upright: 0, 90, 180 or 270.
    flipped : bool
        Whether it is mirrored left to right before that.
    pixel_aspect : Fraction
        Width of a stored pixel by its height.
    frame_rate : Fraction
        Frames a second, as a mean.
    frames : int or None
        Their number as the file states it.
    duration_s : float
        Length as the file states it, 0 where it does not.
    interlaced : bool
        Whether frames are made of two fields.
    alpha : bool
        Whether it can be seen through.
    bit_rate : int
        Bits a second of the pictures alone, 0 where unknown.
    sphere : Sphere or None
        How the frames lie on a sphere, where they span a whole one.
    sound : Sound or None
        The sound that a player plays with it. Its `format` is that of the sound files
        that usually hold such a coding.
    notes : tuple of str
        What a careful user wants to know about reading or writing it.
    """

    format: str
    codec: str
    width: int
    height: int
    pixel_format: str
    bits: int = 8
    full_range: bool = False
    transfer: str = "sdr"
    matrix: str = "bt709"
    primaries: str = "bt709"
    rotation_deg: int = 0
    flipped: bool = False
    pixel_aspect: Fraction = Fraction(1)
    frame_rate: Fraction = Fraction(25)
    frames: int | None = None
    duration_s: float = 0.0
    interlaced: bool = False
    alpha: bool = False
    bit_rate: int = 0
    sphere: Sphere | None = None
    sound: Sound | None = None
    notes: tuple[str, ...] = ()

    @property
    def media_type(self) -> str:
        """Its name on the Internet, for example ``"video/mp4"``."""
        return MEDIA_TYPES[self.format]


def check_size(width: int, height: int) -> None:
    """Refuse frames that no honest file has.

    Raises
    ------
    DamagedMedia
        A side is not positive.
    MediaTooLarge
        There are more pixels than in 8192 x 4320.
    """
    if width < 1 or height < 1:
        raise DamagedMedia(f"the header tells frames of {width} x {height} pixels")
    if width * height > MAX_FRAME_PIXELS:
        raise MediaTooLarge(
            f"the frames have {width} x {height} pixels, more than "
            f"{MAX_FRAME_PIXELS / 1e6:.1f} million",
            hint="Scale the video down first.",
        )


def check_writable(video: Video) -> None:
    """Refuse what would not come out as it went in.

    Raises
    ------
    UnsupportedFormat
        The frames are interlaced, can be seen through, or hold no plane of luma.
    """
    if video.interlaced:
        raise UnsupportedFormat(
            "the video is interlaced",
            hint="Deinterlace it first, for example with FFmpeg's filter bwdif.",
        )
    if video.alpha:
        raise UnsupportedFormat(
            "the video can be seen through, which would be lost",
            hint="Put it on a background first.",
        )
    if luma_bits(video.pixel_format) not in (8, 10, 12):
        raise UnsupportedFormat(
            f"the frames are stored as {video.pixel_format}",
            hint="Convert it to planes of luma and chroma (YUV) of 8 to 12 bits first.",
        )
