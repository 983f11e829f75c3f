"""Mark videos: one tile for the whole clip, laid into its frames one by one.

It is as strong as a compressed frame of the clip needs to be read by itself, since
what a codec leaves of a mark stands in its key frames, and not stronger than the eye
and the size of the file allow.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from ...kernels import spread
from ...kernels.threads import single_threaded
from ..errors import TooSmallForMark, UsageError
from ..keys import Key
from ..payload import Payload
from .lattice import VIDEO, View, check, flatten, layout_of, luma_of, resize
from .motion import Hiding, reduce

__all__ = ["LEAST_SIDE", "Luma", "Plan", "VideoWriter", "embed_frames", "plan"]

LEAST_SIDE = 128
LONGEST = 8  # long side over short side

# What plain places get, by that of SDR: a code of HDR is a larger step of light. What
# hides in texture is relative to the texture, in the same codes.
TRANSFERS = {"sdr": 1.0, "hlg": 0.85, "pq": 0.55}

SAMPLES = 12
# Small frames are not made smaller on their way, and lose more of what is fine.
LINES_A_QUALITY = 24  # lines of the frame for each step of the quality
LEAST_QUALITY, MOST_QUALITY = 15, 21
NEEDED_SNR = 0.8  # of a soft value; a frame alone is read from about 0.3
LEAST_GAIN, MOST_GAIN = 0.3, 4.0
TRIALS = 3

Luma: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16]
Float = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a clip is to be marked.

    Parameters
    ----------
    shift : tuple of int
        Pixels to move the tile by, x and y: the one that the clip itself speaks for.
    gain : float
        Strength in texture, relative to the default.
    """

    shift: tuple[int, int] = (0, 0)
    gain: float = 1.0


class VideoWriter:
    """Marks the frames of one clip in place.

    Parameters
    ----------
    height, width : int
        Size of the frames in pixels.
    payload : Payload
        What to hide.
    key : Key
        Who can find it again.
    bits : int, optional
        Bits of a sample, 8 to 16.
    transfer : str, optional
        ``"sdr"``, ``"hlg"`` or ``"pq"``.
    plan : Plan, optional
        From `plan`, of some of the frames.

    Raises
    ------
    TooSmallForMark
        The short side is below 128 pixels, or a strip longer than 8:1.
    UsageError
        The bits or the transfer cannot be meant.
    """

    def __init__(
        self,
        height: int,
        width: int,
        payload: Payload,
        key: Key,
        *,
        bits: int = 8,
        transfer: str = "sdr",
        plan: Plan | None = None,
    ) -> None:
        short = _check(height, width, bits)
        plan = plan or Plan()
        self._bits, self._side = bits, VIDEO.canonical_side(short)
        self._unit = 2.0 ** (bits - 8)
        self._hiding = Hiding(plan.gain, _plain(transfer))
        tile = _tile(layout_of(key, VIDEO).spectrum(payload), plan.shift)
        scale = self._side / short
        rows, columns = round(height * scale), round(width * scale)
        self._mark = resize(spread.place(tile, rows, columns), height, width)

    @single_threaded
    def mark(self, luma: Luma, time_s: float) -> None:
        """Mark the next frame in place.

        Parameters
        ----------
        luma : ndarray of uint8 or uint16, shape (height, width)
            Its luma; more than 8 bits stand in the lower bits of uint16.
        time_s : float
            When it is shown, in seconds.

        Raises
        ------
        UsageError
            The frame has another size than the clip.
        """
        if luma.shape != self._mark.shape:
            raise UsageError(
                f"a frame has the shape {luma.shape} instead of {self._mark.shape}"
            )
        levels = self._hiding.levels(reduce(luma, self._bits, self._side), time_s)
        levels = levels * np.float32(self._unit)
        scale = cv2.resize(levels, luma.shape[::-1], interpolation=cv2.INTER_LINEAR)
        most = (1 << self._bits) - 1
        spread.add_scaled(luma, self._mark, np.asarray(scale, np.float32), most)


def embed_frames(
    frames: Iterable[NDArray[np.uint8]],
    frames_per_s: float,
    payload: Payload,
    key: Key,
    *,
    strength: float = 1.0,
) -> Iterator[NDArray[np.uint8]]:
    """Hide a payload in the frames of a clip on their way through a pipeline.

    Parameters
    ----------
    frames : iterable of ndarray of uint8, shape (height, width) or (height, width, 3)
        Gray or RGB levels, in order. The first second is read ahead, and tells how
        strong the mark must be.
    frames_per_s : float
        How fast they are shown.
    payload : Payload
        What to hide.
    key : Key
        Who can find it again.
    strength : float, optional
        Relative to what the clip needs, 0.25 to 4.

    Yields
    ------
    ndarray of uint8
        The marked frames, of the same shape.

    Raises
    ------
    TooSmallForMark
        As `VideoWriter` raises it.
    UsageError
        There is no frame, one is not a picture or of another size, or the rate or
        strength cannot be meant.
    """
    if not 0 < frames_per_s < math.inf:
        raise UsageError(f"a clip cannot have {frames_per_s:g} frames a second")
    coming = iter(frames)
    ahead = list(islice(coming, math.ceil(min(frames_per_s, 60))))
    for frame in ahead:
        check(frame)
    step = max(1, len(ahead) // SAMPLES)
    chosen = [np.rint(luma_of(frame)).astype(np.uint8) for frame in ahead[::step]]
    tried = plan(chosen, payload, key, strength=strength)
    height, width = chosen[0].shape
    writer = VideoWriter(height, width, payload, key, plan=tried)
    for index, frame in enumerate(chain(ahead, coming)):
        check(frame)
        luma = np.rint(luma_of(frame)).astype(np.uint8)
        before = luma.astype(np.int16)
        writer.mark(luma, index / frames_per_s)
        change = luma - before
        out = frame.copy()
        colors = out[..., None] if out.ndim == 2 else out[..., :3]
        colors[:] = np.clip(colors + change[..., None], 0, 255)
        yield out


@single_threaded
def plan(
    frames: Iterable[Luma],
    payload: Payload,
    key: Key,
    *,
    bits: int = 8,
    transfer: str = "sdr",
    strength: float = 1.0,
) -> Plan:
    """Try the mark on some frames of a clip.

    Parameters
    ----------
    frames : iterable of ndarray of uint8 or uint16, shape (height, width)
        Luma of frames from all over the clip; a dozen is enough, and no more are taken.
    payload : Payload
    key : Key
    bits : int, optional
        Bits of a sample.
    transfer : str, optional
        ``"sdr"``, ``"hlg"`` or ``"pq"``.
    strength : float, optional
        Relative to what the clip needs, 0.25 to 4.

    Returns
    -------
    Plan

    Raises
    ------
    TooSmallForMark
        As `VideoWriter` raises it.
    UsageError
        There is no frame, they differ in size, or bits, transfer or strength cannot be
        meant.

    Notes
    -----
    Frames agree with some of the 16,384 positions of a tile by chance; where a clip
    stands still, choosing the best is worth 2.6 dB. The need is that of frames reduced
    and compressed to JPEG 15 to 30, which costs about what a key frame loses on its
    way through two platforms.
    """
    if not 0.25 <= strength <= 4:
        raise UsageError(f"strength {strength} is outside 0.25..4")
    smalls = []
    for luma in islice(frames, SAMPLES):
        height, width = luma.shape
        short = _check(height, width, bits)
        smalls.append(reduce(luma, bits, VIDEO.canonical_side(short)))
    if not smalls:
        raise UsageError("there is no frame to try the mark on")
    if len({small.shape for small in smalls}) > 1:
        raise UsageError("the frames are not of one size")
    quality = min(max(round(short / LINES_A_QUALITY), LEAST_QUALITY), MOST_QUALITY)
    layout = layout_of(key, VIDEO)
    spectrum = layout.spectrum(payload)
    shift = _shift(smalls, spectrum)
    shape = smalls[0].shape
    mark = spread.place(_tile(spectrum, shift), *shape)
    plain = _plain(transfer)
    word = np.sign(layout.soft_values(spectrum))
    gain = 1.0
    for _ in range(TRIALS):
        shares = []
        for small in smalls:
            change = Hiding(gain, plain).levels(small, 0) * mark
            received = _compressed(small + change, quality)
            flat = flatten(received, min(shape), VIDEO.band)
            total = View.through(flat, VIDEO.carriers).total()
            total = VIDEO.carriers.shifted(total, -shift[0], -shift[1])
            soft = layout.soft_values(total)
            signal, power = max(0.0, float(word @ soft)), float(soft @ soft)
            shares.append(signal**2 / (power * len(soft)) if power else 0.0)
        share = float(np.median(shares))
        step = math.sqrt(NEEDED_SNR * (1 - share) / max(share, 1e-6))
        gain = min(max(gain * step, LEAST_GAIN), MOST_GAIN)
    return Plan(shift=shift, gain=gain * strength)


def _check(height: int, width: int, bits: int) -> int:
    """Return the short side of frames that can be marked."""
    if not 8 <= bits <= 16:
        raise UsageError(f"samples of {bits} bits are outside 8..16")
    short, long = sorted((height, width))
    if short < LEAST_SIDE:
        raise TooSmallForMark(
            f"frames of {width} x {height} pixels have no room for the mark: it needs "
            f"a short side of {LEAST_SIDE} pixels",
            hint="Label the video at a larger size.",
        )
    if long > LONGEST * short:
        raise TooSmallForMark(
            f"frames of {width} x {height} pixels are too long for their short side"
        )
    return short


def _plain(transfer: str) -> float:
    if transfer not in TRANSFERS:
        raise UsageError(
            f"the transfer {transfer!r} is unknown",
            hint=f"Choose one of {', '.join(TRANSFERS)}.",
        )
    return TRANSFERS[transfer]


def _tile(spectrum: NDArray[np.complex64], shift: tuple[int, int]) -> Float:
    return VIDEO.carriers.synthesize(VIDEO.carriers.shifted(spectrum, *shift))


def _shift(smalls: list[Float], spectrum: NDArray[np.complex64]) -> tuple[int, int]:
    """Return where the tile agrees best with what the frames have in common."""
    flats = [flatten(small, min(small.shape), VIDEO.band) for small in smalls]
    flats[0].values[:] = np.mean([flat.values for flat in flats], axis=0)
    total = View.through(flats[0], VIDEO.carriers).total()
    every = np.arange(len(spectrum))
    plane = VIDEO.carriers.shifts((total * np.conj(spectrum))[None], every)[0]
    y, x = np.unravel_index(np.argmax(plane), plane.shape)
    return -int(x), -int(y)


def _compressed(small: Float, quality: int) -> Float:
    levels = np.clip(np.rint(small), 0, 255).astype(np.uint8)
    _, encoded = cv2.imencode(".jpg", levels, (cv2.IMWRITE_JPEG_QUALITY, quality))
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.float32)
