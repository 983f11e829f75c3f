"""Somebody with the program and a marked clip, but no key, who averages its frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from video_quality import Change
from video_reads import Clip, Marked, search

from synthmark.kernels import spread
from synthmark.labeling.marks.lattice import VIDEO, View, flatten, layout_of, resize
from synthmark.labeling.marks.motion import Hiding, reduce
from synthmark.labeling.media import video as media

__all__ = ["Theft", "steal"]

EVERY_S = 0.1
STRENGTH = 1.5  # of the tile that is laid on, relative to the default

Complex = NDArray[np.complex64]


@dataclass(frozen=True)
class Theft:
    """What he gets.

    Parameters
    ----------
    clip : str
    seconds : float
        Of the clip that were averaged.
    correlation : float
        Of his estimate with the tile.
    removed : bool
        Whether the mark is no longer read once he has taken his estimate off.
    removed_psnr : float
        Of luma beside the marked clip, in dB.
    copied : bool
        Whether another clip reads as this one once he has laid it on.
    copied_psnr : float
        Of luma beside that other clip.
    """

    clip: str
    seconds: float
    correlation: float
    removed: bool
    removed_psnr: float
    copied: bool
    copied_psnr: float


def steal(marked: Marked, other: Clip, folder: Path) -> Theft:
    """Average a marked clip, take its mark off, and lay it onto another clip."""
    estimate = _estimate(marked.clip, marked.path)
    spectrum = layout_of(marked.key, VIDEO).spectrum(marked.payload)
    true = VIDEO.carriers.shifted(spectrum, *marked.plan.shift)
    product = float(np.vdot(true, estimate).real)
    norms = float(np.linalg.norm(true) * np.linalg.norm(estimate))
    target = folder / "stolen.mkv"
    outcomes = []
    for clip, path, sign in ((marked.clip, marked.path, -1), (other, other.path, 1)):
        change = Change()
        lay = _laying(clip, estimate, sign * STRENGTH, change)
        media.write(target, path, clip.video, lay, format="mkv", codec="ffv1")
        hit, _ = search(target, [marked.key])
        outcomes.append((hit.payload == marked.payload, change.psnr))
        target.unlink()
    (left, removed_psnr), (copied, copied_psnr) = outcomes
    return Theft(
        clip=marked.clip.name,
        seconds=marked.clip.video.duration_s,
        correlation=product / norms,
        removed=not left,
        removed_psnr=removed_psnr,
        copied=copied,
        copied_psnr=copied_psnr,
    )


def _estimate(clip: Clip, path: Path) -> Complex:
    """Return the phases that the carriers have on average."""
    side = VIDEO.canonical_side(clip.short)
    flats = (
        flatten(reduce(frame.luma, clip.video.bits, side), side, VIDEO.band)
        for frame in media.frames(path, every_s=EVERY_S)
    )
    mean = next(flats)
    for flat in flats:
        mean.values[:] += flat.values
    total = View.through(mean, VIDEO.carriers).total()
    return np.asarray(total / np.maximum(np.abs(total), 1e-9), np.complex64)


def _laying(
    clip: Clip, spectrum: Complex, strength: float, change: Change
) -> Callable[[media.Frame], None]:
    """Return what adds a tile to frames, as strong as they hide it."""
    video = clip.video
    scale = VIDEO.canonical_side(clip.short) / clip.short
    size = (round(video.height * scale), round(video.width * scale))
    tile = VIDEO.carriers.synthesize(spectrum)
    mark = resize(spread.place(tile, *size), video.height, video.width)
    hiding = Hiding(1.0)
    unit = np.float32(strength * 2.0 ** (video.bits - 8))

    def lay(frame: media.Frame) -> None:
        before = frame.luma.copy()
        small = reduce(frame.luma, video.bits, min(size))
        levels = cv2.resize(
            hiding.levels(small, frame.time_s), (video.width, video.height)
        )
        most = (1 << video.bits) - 1
        spread.add_scaled(frame.luma, mark, np.asarray(levels * unit), most)
        change.add(before, frame.luma, video.bits)

    return lay
