"""What marked pictures of one key tell together to somebody without it.

Averages of their tiles show what they have in common. The code is linear: the product
of three tiles, sign by sign, is the tile of a payload that was never issued.
"""

from __future__ import annotations

import functools
import operator
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import tiles
from command import progress
from image_quality import psnr
from image_reads import Settings
from numpy.typing import NDArray
from report import percent, table
from tiles import Complex, Pixels

from synthmark import Key, Payload, detect_image, embed_image
from synthmark.labeling.marks.lattice import IMAGE, layout_of

__all__ = ["render", "run"]

COUNTS = (10, 100, 1000)
SIDE = 512  # of the pictures that are averaged
POOLS = {
    "one issuer": 1,
    "random bits": 1,
    "one payload": 1,
    "one issuer, pool of 16": 16,
}
GAINS = (0.25, 0.5, 1.0)
SHARED_SAMPLE = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Haul:
    """Tiles of marked pictures and what was hidden in them."""

    spectra: list[Complex]
    payloads: list[Payload]


def run(
    pictures: Mapping[str, Pixels], settings: Settings, counts: Sequence[int] = COUNTS
) -> list[dict[str, Any]]:
    """Average tiles of cuts from every other picture; use them on the rest."""
    levels = list(pictures.values())
    sources, targets = levels[::2], levels[1::2] or levels
    rows = []
    for kind in POOLS:
        rng = np.random.default_rng((settings.seed, 1))
        haul = _haul(kind, sources, settings, max(counts), rng)
        for count in counts:
            progress("averaging:", kind, str(count))
            rows.append(_row(kind, haul, count, targets, settings))
    return rows


def render(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the figures as tables in Markdown."""
    patterns = [
        (
            row["payloads"],
            row["pictures"],
            f"{row['naive']:.2f}",
            f"{row['aligned']:.2f}",
            f"{row['naive_known']:.2f}",
            f"{row['aligned_known']:.2f}",
            f"{row['chance']:.2f}",
            row["used"],
        )
        for row in rows
    ]
    uses = [
        (
            row["payloads"],
            row["pictures"],
            *(
                f"{percent(cell['exact'], row['targets'])} ({cell['psnr_db']:.1f})"
                for cell in row["subtracted"].values()
            ),
            _reads(row["added"]),
            _reads(row["forged"]) if row["forged"] else "-",
            row["targets"],
        )
        for row in rows
    ]
    head = ["payloads", " pictures"]
    return "\n\n".join(
        (
            "## Averaging",
            "Correlation of an estimated tile with what all tiles share, and with the "
            "known carriers alone, at the best shift; averaged as they stand, and "
            "aligned first. Last, how many tiles found a place.",
            table(
                [
                    *head,
                    *(" as they stand", " aligned", " as they stand, known carriers"),
                    *(" aligned, known carriers", " chance", " aligned tiles"),
                ],
                patterns,
            ),
            "What the aligned average does to pictures that were not among them. "
            "Subtracted from a marked picture, at a multiple of a mark's strength: "
            "exact reads left, % (PSNR against the marked picture, dB). Added to an "
            "unmarked picture: reads of a payload that one of the pictures holds / of "
            "any other. Forged from three tiles: reads of the sum of their payloads / "
            "of any other.",
            table(
                [
                    *head,
                    *(f" minus {gain}" for gain in GAINS),
                    *(" added", " forged", " of pictures"),
                ],
                uses,
            ),
        )
    )


def _reads(outcomes: Mapping[str, int]) -> str:
    return f"{outcomes.get('payload', 0)}/{outcomes.get('another', 0)}"


def _haul(
    kind: str,
    sources: Sequence[Pixels],
    settings: Settings,
    count: int,
    rng: np.random.Generator,
) -> Haul:
    haul = Haul(spectra=[], payloads=[])
    for number in range(count):
        progress("averaging:", kind, f"{number}/{count}")
        payload = _payload(kind, rng)
        marked = embed_image(_cut(sources, rng), payload, _key(kind, settings, rng))
        haul.spectra.append(tiles.read(marked))
        haul.payloads.append(payload)
    return haul


def _payload(kind: str, rng: np.random.Generator) -> Payload:
    if kind == "one payload":
        return tiles.payload_of(99)
    number = int(rng.integers(1 << 64, dtype=np.uint64))
    if kind == "random bits":
        return Payload.from_int(number)
    return tiles.payload_of(number)


def _pool(kind: str, settings: Settings) -> list[Key]:
    """Return the keys that mark: a pool of layouts is a pool of keys."""
    return [settings.key(1000 * number) for number in range(POOLS[kind])]


def _key(kind: str, settings: Settings, rng: np.random.Generator) -> Key:
    return _pool(kind, settings)[rng.integers(POOLS[kind])]


def _cut(sources: Sequence[Pixels], rng: np.random.Generator) -> Pixels:
    """Return a random square of a picture, scaled and mirrored at random."""
    pixels = sources[int(rng.integers(len(sources)))]
    short = min(pixels.shape[:2])
    side = int(rng.integers(min(SIDE // 2, short), short, endpoint=True))
    top, left = (int(rng.integers(size - side + 1)) for size in pixels.shape[:2])
    part = np.ascontiguousarray(pixels[top : top + side, left : left + side])
    how = cv2.INTER_AREA if side > SIDE else cv2.INTER_CUBIC
    part = cv2.resize(part, (SIDE, SIDE), interpolation=how).astype(np.uint8)
    flips = rng.choice([-1, 1], 2)
    return np.ascontiguousarray(part[:: flips[0], :: flips[1]])


def _row(
    kind: str, haul: Haul, count: int, targets: Sequence[Pixels], settings: Settings
) -> dict[str, Any]:
    rng = np.random.default_rng((settings.seed, 2))
    sample = [_payload(kind, rng) for _ in range(SHARED_SAMPLE)]
    shared, known = [], []
    for layout in (layout_of(one, IMAGE) for one in _pool(kind, settings)):
        shared.append(np.mean([layout.spectrum(one) for one in sample], axis=0))
        known.append(np.zeros_like(shared[-1]))
        known[-1][layout.sync] = shared[-1][layout.sync]
    naive = np.sum(haul.spectra[:count], axis=0)
    aligned = tiles.align(haul.spectra[:count])
    estimate = aligned.sum(axis=0)
    noise = rng.normal(size=(50, 2 * estimate.size)).astype(np.float32)

    def best(spectrum: Complex, patterns: Sequence[Complex]) -> float:
        return max(tiles.likeness(spectrum, pattern) for pattern in patterns)

    return {
        "payloads": kind,
        "pictures": count,
        "naive": best(naive, shared),
        "aligned": best(estimate, shared),
        "naive_known": best(naive, known),
        "aligned_known": best(estimate, known),
        "chance": float(
            np.mean([best(row, shared) for row in noise.view(np.complex64)])
        ),
        "used": int(aligned.any(axis=1).sum()),
        "targets": len(targets),
        **_uses(kind, aligned, haul.payloads[:count], targets, settings),
    }


def _uses(
    kind: str,
    aligned: Complex,
    payloads: Sequence[Payload],
    targets: Sequence[Pixels],
    settings: Settings,
) -> dict[str, Any]:
    """Return what aligned tiles do to new pictures."""
    thief, key = tiles.Thief(settings.key(1)), settings.key(0)
    rng = np.random.default_rng((settings.seed, 3))
    estimate = aligned.sum(axis=0)
    fitting = np.flatnonzero(aligned.any(axis=1))
    forging = POOLS[kind] == 1 and kind != "one payload" and len(fitting) > 2
    subtracted: dict[float, list[tuple[bool, float]]] = {gain: [] for gain in GAINS}
    added: Counter[str] = Counter()
    forged: Counter[str] = Counter()
    for pixels in targets:
        new, marking = _payload(kind, rng), _key(kind, settings, rng)
        marked, host = embed_image(pixels, new, marking), tiles.read(pixels)
        own = tiles.moved(estimate, tiles.read(marked))
        for gain, cells in subtracted.items():
            attacked = thief.lay(marked, own, -gain)
            exact = tiles.outcome(attacked, marking, new) == "payload"
            cells.append((exact, psnr(marked, attacked)))
        fake = thief.lay(pixels, tiles.moved(estimate, host), 1.0)
        added[_seen(fake, key, payloads)] += 1
        if forging:
            tile, three = _forged(aligned, fitting, rng)
            number = functools.reduce(operator.xor, (int(payloads[i]) for i in three))
            fake = thief.lay(pixels, tiles.moved(tile, host), 1.0)
            forged[tiles.outcome(fake, key, Payload.from_int(number))] += 1
    return {
        "subtracted": {
            str(gain): {
                "exact": sum(exact for exact, _ in cells),
                "psnr_db": float(np.mean([db for _, db in cells])),
            }
            for gain, cells in subtracted.items()
        },
        "added": dict(added),
        "forged": dict(forged) if forging else None,
    }


def _seen(pixels: Pixels, key: Key, payloads: Sequence[Payload]) -> str:
    found = detect_image(pixels, key).payload
    if found is None:
        return "none"
    return "payload" if found in payloads else "another"


def _forged(
    aligned: Complex, fitting: NDArray[np.int64], rng: np.random.Generator
) -> tuple[Complex, NDArray[np.int64]]:
    """Return a tile that nobody with the key made, and the tiles it is made of.

    Each carrier stands at one of four phases; the fourth power, the same for all four,
    tells which they are without the key. Then a tile shows two signs per carrier.
    """
    rows = tiles.phases(aligned[fitting])
    fourth = (rows**4 * np.abs(aligned[fitting])).sum(axis=0)
    frame = np.exp(0.25j * np.angle(-fourth))
    points = rows * np.conj(frame)
    signs = np.sign(points.real) + 1j * np.sign(points.imag)
    fit = (points * np.conj(signs)).real.mean(axis=1)
    clearest = np.argsort(-fit)[: max(3, len(fit) // 4)]
    three = rng.choice(clearest, 3, replace=False)
    product = signs[three].real.prod(axis=0) + 1j * signs[three].imag.prod(axis=0)
    return (product * frame).astype(np.complex64), fitting[three]
