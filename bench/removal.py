"""What it takes to remove a mark: with the key, without it, and by force."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import cv2
import numpy as np
import tiles
from changes import Change, blur, chain, denoise, jpeg, median
from command import progress
from image_quality import compare, psnr
from image_reads import Settings
from numpy.typing import NDArray
from report import percent, table
from tiles import Pixels

from synthmark import Key, Payload, embed_image
from synthmark.labeling.marks.lattice import IMAGE, layout_of

__all__ = ["render", "run"]

GAINS = (0.5, 1.0, 1.5)
MIDDLE = 320  # pixels, where FLIP is taken: of the whole it takes long


def _strong_denoise(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Take non-local means at twice the strength of `changes.denoise`."""
    levels = cv2.fastNlMeansDenoisingColored(pixels, None, 12, 12, 5, 15)
    return np.asarray(levels, np.uint8)


def _warp(deviation: float, reach: float) -> Change:
    """Move every pixel by a smooth random field, deviation and reach in pixels."""

    def change(pixels: Pixels, rng: np.random.Generator) -> Pixels:
        fields = rng.normal(size=(2, *pixels.shape[:2]))
        x, y = (cv2.GaussianBlur(field, (0, 0), reach) for field in fields)
        return _remap(pixels, x * (deviation / x.std()), y * (deviation / y.std()))

    return change


def _jitter(deviation: float) -> Change:
    """Move every row and every column by a random part of a pixel."""

    def change(pixels: Pixels, rng: np.random.Generator) -> Pixels:
        height, width = pixels.shape[:2]
        x = np.broadcast_to(rng.normal(0, deviation, (height, 1)), (height, width))
        y = np.broadcast_to(rng.normal(0, deviation, (1, width)), (height, width))
        return _remap(pixels, x, y)

    return change


def _drop(every: int) -> Change:
    """Leave out one of so many rows and columns, at random places."""

    def change(pixels: Pixels, rng: np.random.Generator) -> Pixels:
        height, width = pixels.shape[:2]
        rows = np.sort(rng.choice(height, height - height // every, replace=False))
        columns = np.sort(rng.choice(width, width - width // every, replace=False))
        return np.asarray(pixels[rows][:, columns], np.uint8)

    return change


def _remap(pixels: Pixels, x: NDArray[Any], y: NDArray[Any]) -> Pixels:
    rows, columns = np.indices(pixels.shape[:2], np.float32)
    moved = cv2.remap(
        pixels,
        (columns + x).astype(np.float32),
        (rows + y).astype(np.float32),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT,
    )
    return np.asarray(moved, np.uint8)


FORCE: dict[str, Change] = {
    "blur, sigma 2": blur(2),
    "blur, sigma 3": blur(3),
    "median of 5 pixels": median(5),
    "non-local means, 6": denoise,
    "non-local means, 12": _strong_denoise,
    "non-local means, 12, then JPEG 50": chain(_strong_denoise, jpeg(50)),
    **{
        f"smooth warp, {deviation} px over {reach}": _warp(deviation, reach)
        for reach in (8, 32)
        for deviation in (0.5, 1, 2)
    },
    "smooth warp, 1 px over 8, then JPEG 50": chain(_warp(1, 8), jpeg(50)),
    "rows and columns moved by 0.5 px": _jitter(0.5),
    "rows and columns moved by 1 px": _jitter(1),
    "1 of 100 rows and columns left out": _drop(100),
    "1 of 20 rows and columns left out": _drop(20),
}


def run(pictures: Mapping[str, Pixels], settings: Settings) -> list[dict[str, Any]]:
    """Try to remove the mark of every picture in every way."""
    thief, key = tiles.Thief(settings.key(1)), settings.key(0)
    rows: dict[str, list[tuple[str, tuple[float, float] | None]]] = {}
    for name, pixels in pictures.items():
        number = settings.number(name)
        payload = tiles.payload_of(number)
        marked = embed_image(pixels, payload, key)
        for attack, attacked in _attacked(marked, payload, key, thief, number):
            progress("removal:", name, attack)
            result = tiles.outcome(attacked, key, payload)
            seen: tuple[float, float] | None = None
            if attacked.shape == marked.shape and attacked is not marked:
                flip = compare(_middle(marked), _middle(attacked)).flip
                seen = psnr(marked, attacked), flip
            rows.setdefault(attack, []).append((result, seen))
    return [
        {
            "attack": attack,
            "exact": sum(result == "payload" for result, _ in cells),
            "other": sum(result == "another" for result, _ in cells),
            "reads": len(cells),
            **_means([seen for _, seen in cells if seen]),
        }
        for attack, cells in rows.items()
    ]


def render(rows: list[dict[str, Any]]) -> str:
    """Return the figures as a table in Markdown."""
    return "\n\n".join(
        (
            "## Removal",
            "Exact reads left, and what the attack did to the marked picture; FLIP in "
            f"its middle {MIDDLE} pixels. Tiles "
            "are subtracted at multiples of what the program would take.",
            table(
                ["attack", " exact, %", " another payload", " PSNR, dB", " FLIP"],
                [
                    (
                        row["attack"],
                        percent(row["exact"], row["reads"]),
                        row["other"],
                        _number(row["psnr_db"], ".1f"),
                        _number(row["flip"], ".3f"),
                    )
                    for row in rows
                ],
            ),
        )
    )


def _attacked(
    marked: Pixels, payload: Payload, key: Key, thief: tiles.Thief, number: int
) -> Iterator[tuple[str, Pixels]]:
    yield "none", marked
    seen = tiles.read(marked)
    layout = layout_of(key, IMAGE)
    own = tiles.phases(seen)
    exact = tiles.moved(layout.spectrum(payload), seen)
    known = np.zeros_like(exact)
    known[layout.sync] = exact[layout.sync]
    for text, spectrum in (
        ("without the key: its own folded tile", own),
        ("with the key: the tile", exact),
        ("with the key: the known carriers", known),
    ):
        for gain in GAINS:
            # Synthesis makes the tile's deviation one, however many carriers it has.
            share = float(np.linalg.norm(spectrum) / np.linalg.norm(exact))
            scaled = gain * min(1.0, share)
            yield f"{text} x {gain}", thief.lay(marked, spectrum, -scaled)
    for attack, change in FORCE.items():
        yield attack, change(marked, np.random.default_rng(number))


def _middle(pixels: Pixels) -> Pixels:
    top, left = (max(0, size - MIDDLE) // 2 for size in pixels.shape[:2])
    return np.ascontiguousarray(pixels[top : top + MIDDLE, left : left + MIDDLE])


def _means(seen: list[tuple[float, float]]) -> dict[str, float | None]:
    if not seen:  # of another size than before: there is nothing to compare
        return {"psnr_db": None, "flip": None}
    psnr_db, flip = np.mean(seen, axis=0)
    return {"psnr_db": float(psnr_db), "flip": float(flip)}


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
