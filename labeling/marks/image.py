"""The invisible mark in pictures, scheme ``image-lattice/1``.

A tile of keyed carriers, repeated over the picture at a canonical size, is added to
the luma under a visibility mask. Reading is blind: the picture is whitened, the
geometry is found from the lattice on which the tile repeats, the tiles are folded,
known carriers give orientation and position, and the rest is decoded softly.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ...kernels import dct, masking, spread, sync
from ...kernels.ecc import PolarCode
from ..errors import TooSmallForMark, UsageError
from ..keys import Key, Purpose
from ..model import Detection, Transform
from ..payload import Payload

__all__ = ["SCHEME", "detect_image", "embed_image"]

SCHEME = "image-lattice/1"
P_VALUE_LIMIT = 1e-9

CANONICAL_SIDES = (512, 362, 256)
LEAST_SHARE = 0.66  # of a canonical side that a picture must have to be marked at it
CARRIERS = spread.Carriers(tile=96, low=3, high=18)
SYNC_SHARE, SYNC_ENERGY = 0.15, 0.20
PAYLOAD_BITS = 64
LEAST_SIDE = 96
MOST_CANONICAL = 1 << 26  # pixels

MASK_EXPONENT = 1.0
# Deviation of the mark in flat places, in levels: as much as the picture needs.
STRENGTHS = (0.3, 0.7)
TRIAL_STRENGTH, TRIAL_QUALITY, TRIAL_SNR = 0.55, 30, 0.85

# Short sides at which the lattice is looked for; each level sees the tile at 0.7 to
# 1.46 times its period.
LEVELS = (512, 256, 1024, 128)
MOST_ENLARGED = 4.5
# Pixels of the long side that are looked at: a strip repeats its mark.
MOST_LENGTH = 4096
READS_PER_LEVEL = 12
BAND = 0.25  # cycles per pixel at scale 1; the mark ends at 18 / 96 = 0.19
REACH = 3.4  # periods

Pixels = NDArray[np.uint8]
Float = NDArray[np.float32]


def embed_image(
    pixels: Pixels, payload: Payload, key: Key, *, strength: float = 1.0
) -> Pixels:
    """Hide a payload in a picture.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width) or (height, width, 3 or 4)
        Grey, RGB or RGBA levels. Fully transparent pixels are left as they are.
    payload : Payload
        What to hide.
    key : Key
        Who can find it again.
    strength : float, optional
        Amplitude relative to the default, 0.25 to 4.

    Returns
    -------
    ndarray of uint8
        The marked picture, of the same shape.

    Raises
    ------
    TooSmallForMark
        The short side is below 96 pixels, or the picture is an extremely long strip.
    UsageError
        The array is not a picture, or the strength is out of range.
    """
    _check(pixels)
    if not 0.25 <= strength <= 4:
        raise UsageError(f"strength {strength} is outside 0.25..4")
    height, width = pixels.shape[:2]
    if min(height, width) < LEAST_SIDE:
        raise TooSmallForMark(
            f"{width} x {height} pixels have no room for the mark: it needs a short "
            f"side of {LEAST_SIDE} pixels",
            hint="Label the picture at a larger size.",
        )
    rows, columns = _canonical_size(height, width)
    if rows * columns > MOST_CANONICAL:
        raise TooSmallForMark(
            f"a strip of {width} x {height} pixels is too long for its short side",
            hint="Cut it into pieces and label each.",
        )
    luma = _resize(_luma(pixels), rows, columns)
    layout = _layout(key)
    mark = spread.place(layout.tile(payload), rows, columns)
    mark *= masking.texture(luma, MASK_EXPONENT)
    mark *= strength * _need(luma, mark, layout, payload)
    mark = _resize(mark, height, width)
    out = pixels.copy()
    spread.add(out[..., None] if out.ndim == 2 else out[..., :3], mark)
    if out.ndim == 3 and out.shape[2] == 4:
        hidden = pixels[..., 3] == 0
        out[hidden] = pixels[hidden]
    return out


def detect_image(pixels: Pixels, key: Key | Sequence[Key]) -> Detection:
    """Look for a mark of one of the keys.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width) or (height, width, 3 or 4)
        A picture of any size, which may have been re-encoded, scaled, cropped,
        rotated, mirrored or placed inside a larger picture.
    key : Key or sequence of Key
        Whose marks to look for.

    Returns
    -------
    Detection
        With ``found`` false when there is no mark: that is a result, not an error.

    Raises
    ------
    UsageError
        The array is not a picture, or there is no key.
    """
    _check(pixels)
    keys = [key] if isinstance(key, Key) else list(key)
    if not keys:
        raise UsageError("no key to look for", hint="Give at least one key.")
    reads = 0
    if min(pixels.shape[:2]) >= 16:
        for view in _views(_luma(pixels)):
            for one in keys:
                for weights in view.weights():
                    reads += 1
                    hit = _read(view, weights, _layout(one))
                    if hit is None:
                        continue
                    # Shares of 1 / (k (k + 1)) for the k-th read add up to one.
                    p_value = min(1.0, hit.p_value * reads * (reads + 1))
                    if p_value <= P_VALUE_LIMIT:
                        return Detection(
                            found=True,
                            payload=hit.payload,
                            p_value=p_value,
                            score=hit.score,
                            scheme=SCHEME,
                            key_id=one.id,
                            transform=view.transform(hit.turn),
                        )
    return Detection(found=False, payload=None, p_value=1.0, score=0.0, scheme=SCHEME)


def _need(luma: Float, mark: Float, layout: _Layout, payload: Payload) -> float:
    """Return the amplitude at which a trial mark survives a hard compression.

    The trial is read where it stands; the power of the soft values' signal over
    their noise grows with the square of the amplitude.
    """
    luma, mark = _middle(luma, MOST_LENGTH), _middle(mark, MOST_LENGTH)
    trial = np.clip(np.rint(luma + TRIAL_STRENGTH * mark), 0, 255).astype(np.uint8)
    _, encoded = cv2.imencode(".jpg", trial, (cv2.IMWRITE_JPEG_QUALITY, TRIAL_QUALITY))
    decoded = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.float32)
    tiles = spread.fold(dct.whiten(decoded, BAND), CARRIERS.tile, np.eye(2))
    spectra = CARRIERS.analyze(tiles)
    total, trust = spread.coherence(
        spectra, np.ones(len(spectra), np.float32), CARRIERS.rings
    )
    soft = layout.soft_values(total * trust)
    word = 1.0 - 2.0 * layout.code.encode(_bits(int(payload)))
    agreement, power = max(0.0, float(word @ soft)), float(soft @ soft)
    share = agreement**2 / (power * len(soft)) if power else 0.0
    snr = share / (1 - share)
    need = TRIAL_STRENGTH * math.sqrt(TRIAL_SNR / max(snr, 1e-6))
    # A small picture has fewer pixels to spread the bits over.
    room = math.sqrt(CANONICAL_SIDES[0] / min(luma.shape))
    return min(max(need, STRENGTHS[0]), STRENGTHS[1] * room)


class _Layout:
    """What the key decides: phases, which carriers are known, where bits stand."""

    def __init__(self, key: Key) -> None:
        count = len(CARRIERS.frequencies)
        known = round(SYNC_SHARE * count)
        slots = 2 * (count - known)
        draws = np.frombuffer(
            key.stream(Purpose.IMAGE_LATTICE_1, 4 * (2 * count + 2 * slots)), "<u4"
        )
        order, phases, places, signs = np.split(draws, np.cumsum([count, count, slots]))
        order = np.argsort(order, kind="stable")
        self.sync, self.data = np.sort(order[:known]), np.sort(order[known:])
        self.phases = np.exp(2j * np.pi * phases / 2**32).astype(np.complex64)
        self.places = np.argsort(places, kind="stable")
        self.signs = (1.0 - 2.0 * (signs & 1)).astype(np.float32)
        self.code = PolarCode(PAYLOAD_BITS, slots)

    def tile(self, payload: Payload) -> Float:
        """Return the tile that carries a payload, unit deviation."""
        word = self.code.encode(_bits(int(payload)))
        values = np.empty(self.code.slots, np.float32)
        values[self.places] = 1.0 - 2.0 * word
        values *= self.signs
        spectrum = np.empty(len(CARRIERS.frequencies), np.complex64)
        spectrum[self.sync] = math.sqrt(SYNC_ENERGY / SYNC_SHARE)
        spectrum[self.data] = values.view(np.complex64) * math.sqrt(
            (1 - SYNC_ENERGY) / (1 - SYNC_SHARE) / 2
        )
        return CARRIERS.synthesize(spectrum * self.phases)

    def soft_values(self, spectrum: NDArray[np.complex64]) -> Float:
        """Return the evidence for each code bit, positive for zero."""
        turned = spectrum[self.data] * np.conj(self.phases[self.data])
        values = turned.astype(np.complex64).view(np.float32) * self.signs
        return values[self.places]


@lru_cache(maxsize=64)
def _layout(key: Key) -> _Layout:
    return _Layout(key)


@dataclass(frozen=True)
class _View:
    """A whitened picture seen through one lattice."""

    spectra: NDArray[np.complex64]
    matrix: NDArray[np.float64]  # from tile coordinates to pixels of the picture

    def weights(self) -> Iterator[Float]:
        """Yield tile weights: all equal, then by how well each fits the others."""
        yield np.ones(len(self.spectra), np.float32)
        if len(self.spectra) >= 4:
            yield self.fit

    @cached_property
    def fit(self) -> Float:
        """Leading eigenvector of the tiles' likeness, at most 1."""
        gram = (self.spectra @ self.spectra.conj().T).real.astype(np.float64)
        np.fill_diagonal(gram, 0)
        leading = np.linalg.eigh(gram)[1][:, -1]
        leading = np.maximum(leading * np.sign(leading.sum()), 0)
        return np.asarray(leading / (leading.max() + 1e-9), np.float32)

    def transform(self, turn: NDArray[np.int64]) -> Transform:
        """Describe the geometry, given the orientation on the lattice."""
        matrix = self.matrix @ turn.T
        flipped = bool(np.linalg.det(matrix) < 0)
        upright = matrix @ np.diag([-1, 1]) if flipped else matrix
        angle = math.degrees(math.atan2(-upright[1, 0], upright[0, 0]))
        scale_x, scale_y = np.hypot(*matrix)
        a, b, c, d = (round(float(value), 6) for value in matrix.ravel())
        return Transform(
            rotation_deg=round(angle, 3) + 0.0,  # never minus zero
            scale_x=round(float(scale_x), 5),
            scale_y=round(float(scale_y), 5),
            flipped=flipped,
            matrix=(a, b, c, d),
        )


@dataclass(frozen=True)
class _Hit:
    payload: Payload
    p_value: float
    score: float
    turn: NDArray[np.int64]


def _views(luma: Float) -> Iterator[_View]:
    """Yield the picture through ever less likely lattices."""
    height, width = luma.shape
    short = min(height, width)
    tile = CARRIERS.tile
    for level in LEVELS:
        if level > MOST_ENLARGED * short or level < tile:
            continue
        flat, to_picture = _flat(luma, level)
        if level == CANONICAL_SIDES[0]:
            for side in CANONICAL_SIDES:
                same = (flat, to_picture) if side == level else _flat(luma, side)
                yield _view(*same, np.eye(2))
        found = sync.autocorrelation(
            flat, tile, CARRIERS.high / tile / sync.SCALES[0], round(REACH * tile)
        )
        for row in sync.search(found, tile, READS_PER_LEVEL):
            yield _view(flat, to_picture, row[1:].reshape(2, 2).T / tile)


def _flat(luma: Float, side: int) -> tuple[Float, NDArray[np.float64]]:
    """Whiten the picture at a given short side, within the band it still has.

    Also return the map from the result to the picture, without its offset.
    """
    scale = side / min(luma.shape)
    luma = _middle(luma, round(MOST_LENGTH / scale))
    height, width = luma.shape
    small = _resize(luma, round(height * scale), round(width * scale))
    to_picture = np.diag([width / small.shape[1], height / small.shape[0]])
    return dct.whiten(small, min(BAND, 0.5 / scale)), to_picture


def _middle(plane: Float, most: int) -> Float:
    """Cut what is longer than `most` pixels, at whole tiles from its start."""
    tile = CARRIERS.tile
    top, left = (max(0, size - most) // (2 * tile) * tile for size in plane.shape)
    return plane[top : top + most, left : left + most]


def _view(
    flat: Float, to_picture: NDArray[np.float64], matrix: NDArray[np.float64]
) -> _View:
    tiles = spread.fold(flat, CARRIERS.tile, matrix)
    return _View(CARRIERS.analyze(tiles), to_picture @ matrix)


def _read(view: _View, weights: Float, layout: _Layout) -> _Hit | None:
    """Find orientation and position by the known carriers, then decode."""
    spectrum, trust = spread.coherence(view.spectra, weights, CARRIERS.rings)
    turned = CARRIERS.turn(spectrum * trust)
    planes = CARRIERS.shifts(
        turned[:, layout.sync] * np.conj(layout.phases[layout.sync]), layout.sync
    )
    orientation, y, x = np.unravel_index(np.argmax(planes), planes.shape)
    plane = planes[orientation]
    aligned = CARRIERS.shifted(
        turned[orientation],
        x + _vertex(plane[y, x - 1], plane[y, x], plane[y, (x + 1) % CARRIERS.tile]),
        y + _vertex(plane[y - 1, x], plane[y, x], plane[(y + 1) % CARRIERS.tile, x]),
    )
    soft = layout.soft_values(aligned)
    message = layout.code.decode(soft)
    power = float(soft @ soft)
    if message is None or power == 0:
        return None
    word = 1.0 - 2.0 * layout.code.encode(message)
    agreement = max(0.0, float(word @ soft))
    # Hoeffding's bound for a sum with keyed signs, over every valid codeword.
    exponent = PAYLOAD_BITS * math.log(2) - agreement**2 / (2 * power)
    return _Hit(
        payload=Payload.from_int(int("".join(map(str, message)), 2)),
        p_value=math.exp(min(0.0, exponent)),
        score=agreement / math.sqrt(power * len(soft)),
        turn=spread.ORIENTATIONS[orientation],
    )


def _vertex(before: float, at: float, after: float) -> float:
    """Return where the parabola through three samples peaks, -0.5 to 0.5."""
    bend = before - 2 * at + after
    return float(0.5 * (before - after) / bend) if bend < 0 else 0.0


def _bits(number: int) -> NDArray[np.uint8]:
    return np.array([int(bit) for bit in f"{number:0{PAYLOAD_BITS}b}"], np.uint8)


def _canonical_side(short: int) -> int:
    """Short side at which a picture is marked: small ones go part of the way."""
    return next(
        (side for side in CANONICAL_SIDES if short >= LEAST_SHARE * side),
        CANONICAL_SIDES[-1],
    )


def _canonical_size(height: int, width: int) -> tuple[int, int]:
    """Rows and columns at which a picture is marked."""
    scale = _canonical_side(min(height, width)) / min(height, width)
    return round(height * scale), round(width * scale)


def _luma(pixels: Pixels) -> Float:
    """ITU-R BT.601 luma, 0 to 255."""
    if pixels.ndim == 2:
        return pixels.astype(np.float32)
    return cv2.cvtColor(pixels[..., :3], cv2.COLOR_RGB2GRAY).astype(np.float32)


def _resize(plane: Float, height: int, width: int) -> Float:
    shrinks = height * width < plane.shape[0] * plane.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(plane, (width, height), interpolation=how), np.float32)


def _check(pixels: Iterable[object]) -> None:
    if (
        not isinstance(pixels, np.ndarray)
        or pixels.dtype != np.uint8
        or not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4)))
        or 0 in pixels.shape
    ):
        kind = getattr(pixels, "dtype", type(pixels).__name__)
        shape = getattr(pixels, "shape", "")
        raise UsageError(
            f"a picture is an array of uint8, (height, width) or (height, width, 3 or "
            f"4), not {kind} {shape}",
            hint="Convert it first, for example with numpy.asarray(image).",
        )
