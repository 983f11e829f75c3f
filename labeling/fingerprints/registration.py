"""Lay one small map of a picture over another, however it was cut, turned or scaled.

A map holds the sign of a picture's local contrast at some thousand places. Two maps of
the same content agree in many places once they lie over each other rightly; those of
different content agree by chance only, at whatever pose is best for them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypedDict, Unpack

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Agreement", "Known", "Pose", "best_agreement"]

HIGH_PASS_SIGMA = 1.25  # pixels of the map: neighbors farther off count by themselves
LEAST_COMMON = 64.0  # places that count as disagreeing in every overlap
TURNS_DEG = 5.0
SCALES = tuple(1.1**step for step in range(-8, 9))
WIDE, CLOSE = (2.0, 1.04), (1.0, 1.02)  # steps in degrees and scale of closer looks
KEPT, CLIMBED = 6, 2  # poses of the grid that are looked at closely, and followed
STEPS = 3
SLACK_DEG = 7.5  # by which a turn that a mark shows may be off
CLEAR = 26.0  # score that needs no better pose
LEAST_OVERLAP, NORMAL_90 = 0.25, 1.645  # of shifts that tell how chance agrees

Float = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pose:
    """How the first map lies on the second, or on its mirror image.

    Parameters
    ----------
    turn_deg, scale : float
        The first is turned counter-clockwise, and scaled by that.
    flipped : bool
        Whether it lies on the mirror image.
    stretched : bool
        Whether its frame is then stretched to the other's, whatever their shapes.
    """

    turn_deg: float
    scale: float = 1.0
    flipped: bool = False
    stretched: bool = False

    def near(self, other: Pose) -> bool:
        """Tell whether a close look at one pose covers the other."""
        apart = _apart(self.turn_deg, other.turn_deg) * min(self.scale, 1 / self.scale)
        ratio = abs(math.log(self.scale / other.scale))
        return self.flipped == other.flipped and apart < 6 and ratio < 0.12


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well two maps agree in a pose.

    `score` is in deviations of what chance gives there, and `correlation` is taken
    where both lie.
    """

    score: float
    correlation: float
    pose: Pose


class Sheet:
    """A map at one size, and its transforms."""

    def __init__(self, values: Float) -> None:
        self.values = _flat(values)
        self._transforms: dict[tuple[int, int, int], NDArray[np.complex64]] = {}

    def laid(self, turn_deg: float, scale: float) -> Float:
        """Return the map turned counter-clockwise and scaled down."""
        height, width = self.values.shape
        turn = math.radians(turn_deg)
        c, s = scale * math.cos(turn), scale * math.sin(turn)
        columns = math.ceil(abs(c) * width + abs(s) * height)
        rows = math.ceil(abs(s) * width + abs(c) * height)
        matrix = np.array([[c, s, 0], [-s, c, 0]])
        middle = np.array([width - 1, height - 1]) / 2
        matrix[:, 2] = np.array([columns - 1, rows - 1]) / 2 - matrix[:, :2] @ middle
        values = self.values
        if scale < 0.9:
            blur = 0.5 * math.sqrt(scale**-2 - 1)
            values = np.asarray(cv2.GaussianBlur(values, (0, 0), blur), np.float32)
        return _flat(np.asarray(cv2.warpAffine(values, matrix, (columns, rows))))

    def transform(self, shape: tuple[int, int], power: int) -> NDArray[np.complex64]:
        """Return the spectrum of the map, or of its square, padded with zeros."""
        key = (*shape, power)
        if key not in self._transforms:
            spectrum = np.fft.rfft2(self.values**power, shape)
            self._transforms[key] = spectrum.astype(np.complex64)
        return self._transforms[key]


class Known(TypedDict, total=False):
    """What is known of a pose beforehand."""

    turn_deg: float
    flipped: bool


def best_agreement(first: Float, second: Float, **known: Unpack[Known]) -> Agreement:
    """Find the pose in which two maps agree best.

    Parameters
    ----------
    first, second : ndarray of float32, shape (height, width)
        Maps: signs, 0 where there is no contrast.
    turn_deg, flipped : float and bool, optional
        What is known of the pose. Other turns and reflections are left out.
    """
    turn_deg, flipped = known.get("turn_deg"), known.get("flipped")
    flips = (False, True) if flipped is None else (flipped,)
    fine = _Pair(first, second)
    start = Pose(turn_deg or 0.0, flipped=flips[0])
    found = [fine.agreement(start)]
    if found[0].score < CLEAR:
        found += [
            fine.agreement(Pose(turn, 1.0, flip, stretched=True))
            for turn in (0.0, 90.0, 180.0, 270.0)
            for flip in flips
            if turn_deg is None or _apart(turn, turn_deg) <= SLACK_DEG
        ]
    if max(one.score for one in found) < CLEAR:
        half = _Pair(_half(first), _half(second))
        found += fine.climb(half.promising(turn_deg, flips))
    return fine.tempered(max(found, key=lambda one: one.score))


class _Pair:
    """Two maps, the second also in the mirror."""

    def __init__(self, first: Float, second: Float) -> None:
        self.first = Sheet(first)
        self.seconds = Sheet(second), Sheet(np.ascontiguousarray(second[:, ::-1]))
        diagonals = math.hypot(*first.shape), math.hypot(*second.shape)
        self.canvas = (
            _fast(max(first.shape[0] + diagonals[1], second.shape[0] + diagonals[0])),
            _fast(max(first.shape[1] + diagonals[1], second.shape[1] + diagonals[0])),
        )

    def roles(self, pose: Pose) -> tuple[Sheet, Sheet, float, float]:
        """Return which map is moved, which stays, and the turn and scale for it.

        Only ever is a map scaled down: the finer one holds what the other lacks.
        """
        second = self.seconds[pose.flipped]
        if pose.scale <= 1:
            return self.first, second, pose.turn_deg, pose.scale
        return second, self.first, -pose.turn_deg, 1 / pose.scale

    def promising(self, turn_deg: float | None, flips: Iterable[bool]) -> list[Pose]:
        """Return the best poses of a grid, one of each neighborhood.

        One transform serves two turns: correlating, and convolving, which is
        correlating with the map upside down. The common energy is taken for that of
        the smaller map, which ranks well enough.
        """
        scores: list[tuple[float, Pose]] = []
        for flip in flips:
            for scale in SCALES:
                for turn in np.arange(0.0, 180.0, TURNS_DEG).tolist():
                    poses = [Pose(turn, scale, flip), Pose(turn + 180, scale, flip)]
                    if turn_deg is not None:
                        poses = [p for p in poses if self._fits(p, turn_deg)]
                    if poses:
                        scores += self._glance(turn, scale, flip, poses)
        scores.sort(key=lambda pair: -pair[0])
        chosen: list[Pose] = []
        for _, pose in scores:
            if len(chosen) == KEPT:
                break
            if not any(pose.near(other) for other in chosen):
                chosen.append(pose)
        return chosen

    @staticmethod
    def _fits(pose: Pose, turn_deg: float) -> bool:
        return _apart(pose.turn_deg, turn_deg) <= SLACK_DEG

    def _glance(
        self, turn: float, scale: float, flip: bool, poses: list[Pose]
    ) -> list[tuple[float, Pose]]:
        moved, still, turned, scaled = self.roles(Pose(turn, scale, flip))
        laid = moved.laid(turned, scaled)
        common = min(moved.values.size * scaled**2, still.values.size)
        spectrum = np.fft.rfft2(laid, self.canvas)
        other = still.transform(self.canvas, 1)
        out = []
        for pose in poses:
            one = spectrum if pose.turn_deg >= 180 else np.conj(spectrum)
            peak = float(np.fft.irfft2(one * other, self.canvas).max())
            out.append((peak / math.sqrt(common + LEAST_COMMON / 4), pose))
        return out

    def climb(self, poses: list[Pose]) -> list[Agreement]:
        """Look closely around poses, and follow the best of them uphill."""
        found = [self.agreement(near) for pose in poses for near in _around(pose, WIDE)]
        found.sort(key=lambda one: -one.score)
        tops = []
        for best in found[:CLIMBED]:
            for _ in range(STEPS):
                tried = [self.agreement(near) for near in _around(best.pose, CLOSE)]
                top = max(tried, key=lambda one: one.score)
                if top.score <= best.score:
                    break
                best = top
            tops.append(best)
        return tops

    def agreement(self, pose: Pose) -> Agreement:
        """Return how well the maps agree in a pose, at the best shift."""
        sums, squares = self._shifts(*self._laid(pose))
        return Agreement(float(_scores(sums, squares).max()), 0.0, pose)

    def tempered(self, found: Agreement) -> Agreement:
        """Lower the score by what the other shifts give, and add the correlation.

        In stripes, pages and lone shapes neighbors are not independent: such maps
        agree by chance in many places at once. Dividing by the spread itself would
        be right for the chance of two such pictures, and unjust to two copies of one;
        its root keeps both apart.
        """
        laid, still = self._laid(found.pose)
        sums, squares = self._shifts(laid, still)
        scores = _scores(sums, squares)
        wide = np.abs(scores[squares >= LEAST_OVERLAP * squares.max()])
        spread = float(np.quantile(wide, 0.9)) / NORMAL_90
        return Agreement(
            found.score / math.sqrt(max(1.0, spread)),
            _correlation(laid, still.values, int(np.argmax(scores)), self.canvas),
            found.pose,
        )

    def _laid(self, pose: Pose) -> tuple[Float, Sheet]:
        """Return the map that is moved, as it lies, and the one that stays."""
        if pose.stretched:
            still = self.seconds[pose.flipped]
            turned = np.rot90(self.first.values, round(pose.turn_deg / 90))
            size = still.values.shape[::-1]
            return _flat(cv2.resize(turned, size, interpolation=cv2.INTER_AREA)), still
        moved, still, turn_deg, scale = self.roles(pose)
        return moved.laid(turn_deg, scale), still

    def _shifts(self, laid: Float, still: Sheet) -> tuple[Float, Float]:
        """Return at all shifts the agreement, and the sum of its squared terms."""
        shape = self.canvas
        spectrum = np.conj(np.fft.rfft2(laid, shape))
        power = np.conj(np.fft.rfft2(laid * laid, shape))
        sums = np.fft.irfft2(spectrum * still.transform(shape, 1), shape)
        squares = np.fft.irfft2(power * still.transform(shape, 2), shape)
        return np.asarray(sums, np.float32), np.maximum(squares, 0).astype(np.float32)


def _around(pose: Pose, step: tuple[float, float]) -> list[Pose]:
    """Return nine poses: one, and those a step in degrees or scale away."""
    return [
        replace(
            pose,
            turn_deg=pose.turn_deg + turn * step[0],
            scale=pose.scale * step[1] ** size,
        )
        for turn in (0, -1, 1)
        for size in (0, -1, 1)
    ]


def _scores(sums: Float, squares: Float) -> Float:
    return np.asarray(sums / np.sqrt(squares + np.float32(LEAST_COMMON)), np.float32)


def _correlation(
    laid: Float, still: Float, place: int, canvas: tuple[int, int]
) -> float:
    """Return the correlation where both maps lie, at a place of the shifts."""
    parts = []
    for shift, size, length, other in zip(
        np.unravel_index(place, canvas), canvas, laid.shape, still.shape, strict=True
    ):
        start = int(shift) if shift < other else int(shift) - size
        parts.append(
            (
                slice(max(0, -start), max(0, min(length, other - start))),
                slice(max(0, start), max(0, min(other, length + start))),
            )
        )
    a = laid[parts[0][0], parts[1][0]]
    b = still[parts[0][1], parts[1][1]]
    norm = math.sqrt(float(np.square(a).sum()) * float(np.square(b).sum()))
    return max(0.0, float((a * b).sum()) / norm) if norm > 0 else 0.0


def _apart(a: float, b: float) -> float:
    return abs((a - b + 180) % 360 - 180)


def _half(values: Float) -> Float:
    height, width = values.shape
    size = (max(2, width // 2), max(2, height // 2))
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA))


def _flat(values: NDArray[np.generic]) -> Float:
    """Take off what neighbors share, and bring the rest to a deviation of 1."""
    plane = np.asarray(values, np.float32)
    smooth = cv2.GaussianBlur(
        plane, (0, 0), HIGH_PASS_SIGMA, borderType=cv2.BORDER_REFLECT
    )
    plane = plane - np.asarray(smooth, np.float32)
    level = float(np.sqrt(np.square(plane).mean()))
    return plane / np.float32(level) if level > 1e-6 else np.zeros_like(plane)


def _fast(length: float) -> int:
    """Return the next length that transforms quickly."""
    size = math.ceil(length)
    while True:
        rest = size
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1 and size % 2 == 0:
            return size
        size += 1
