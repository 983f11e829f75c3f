"""Samples as numbers, and as the bytes that stand in WAV and AIFF files.

The byte order says which of the two it is: ``"<"`` for WAV, whose 8-bit samples have
no sign, and ``">"`` for AIFF, whose have one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .sound import Samples

__all__ = ["from_bytes", "sample_width", "to_bytes", "to_integers"]

_WIDTHS = {
    "int8": 1,
    "int16": 2,
    "int24": 3,
    "int32": 4,
    "float32": 4,
    "float64": 8,
    "alaw": 1,
    "mulaw": 1,
}


def sample_width(sample_type: str) -> int:
    """Return the bytes of one sample in a file."""
    return _WIDTHS[sample_type]


def from_bytes(content: bytes, sample_type: str, order: str) -> Samples:
    """Turn stored samples into numbers, full scale 1.

    Parameters
    ----------
    content : bytes
        Whole samples.
    sample_type : str
        As in `Sound`.
    order : str
        ``"<"`` or ``">"``.

    Returns
    -------
    ndarray of float32, shape (samples,)
        Exact for up to 24 bits.
    """
    if sample_type == "int24":
        wide = np.zeros((len(content) // 3, 4), np.uint8)
        triples = np.frombuffer(content, np.uint8).reshape(-1, 3)
        wide[:, 1:] = triples if order == "<" else triples[:, ::-1]
        return (wide.view("<i4")[:, 0] / 2.0**31).astype(np.float32)
    if sample_type in _LAWS:
        return _LAWS[sample_type]()[np.frombuffer(content, np.uint8)]
    stored = np.frombuffer(content, _dtype(sample_type, order))
    if sample_type == "int8" and order == "<":
        stored = stored ^ -128  # as signed numbers
    if sample_type[0] == "i":
        scale = 2.0 ** (8 * sample_width(sample_type) - 1)
        return (stored / scale).astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        return stored.astype(np.float32)


def to_bytes(samples: Samples, sample_type: str, order: str) -> bytes:
    """Turn numbers into stored samples: rounded once, and cut off at full scale."""
    flat = np.asarray(samples, np.float32).reshape(-1)
    if sample_type in _LAWS:
        return _nearest(flat, sample_type).tobytes()
    if sample_type.startswith("float"):
        return flat.astype(_dtype(sample_type, order)).tobytes()
    whole = to_integers(flat, 8 * sample_width(sample_type))
    if sample_type == "int24":
        quads = whole.astype(order + "i4").view(np.uint8).reshape(-1, 4)
        return (quads[:, :3] if order == "<" else quads[:, 1:]).tobytes()
    stored = whole.astype(_dtype(sample_type, order))
    if sample_type == "int8" and order == "<":
        stored = stored ^ -128
    return stored.tobytes()


def to_integers(samples: Samples, bits: int) -> NDArray[np.int64]:
    """Round samples to integers of so many bits; full scale is cut off."""
    scale = float(1 << (bits - 1))
    scaled = np.rint(samples.astype(np.float64) * scale)
    return np.clip(scaled, -scale, scale - 1).astype(np.int64)


def _dtype(sample_type: str, order: str) -> np.dtype[np.generic]:
    return np.dtype(f"{order}{sample_type[0]}{sample_width(sample_type)}")


def _alaw() -> Samples:
    """Return the values of the 256 codes of A-law (ITU-T G.711)."""
    code = np.arange(256) ^ 0x55
    exponent, mantissa = code >> 4 & 7, (code & 15) << 4
    large = (mantissa + 0x108) << np.maximum(exponent - 1, 0)
    size = np.where(exponent, large, mantissa + 8)
    return (np.where(code & 128, size, -size) / 32768).astype(np.float32)


def _mulaw() -> Samples:
    """Return the values of the 256 codes of mu-law (ITU-T G.711)."""
    code = ~np.arange(256) & 255
    size = (((code & 15) << 3) + 0x84 << (code >> 4 & 7)) - 0x84
    return (np.where(code & 128, -size, size) / 32768).astype(np.float32)


_LAWS: dict[str, Callable[[], Samples]] = {"alaw": _alaw, "mulaw": _mulaw}


def _nearest(samples: Samples, law: str) -> NDArray[np.uint8]:
    """Return the codes whose values lie next to the samples."""
    values = _LAWS[law]()
    order = np.argsort(values, kind="stable").astype(np.uint8)
    values = values[order]
    return order[np.searchsorted((values[1:] + values[:-1]) / 2, samples)]
