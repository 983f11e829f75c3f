"""What it takes to lift a mark off one picture and put it onto another.

And whether the detector could tell: by how far the picture itself speaks for the place
of its tile, or by a thumbnail that the issuer kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import cv2
import numpy as np
import tiles
from changes import blur, denoise, jpeg, median, same, scale
from command import progress
from image_quality import psnr
from image_reads import Settings
from report import percent, table
from tiles import Complex, Float, Pixels

from synthmark import embed_image
from synthmark.kernels import spread
from synthmark.labeling.marks.lattice import IMAGE, layout_of, luma_of, resize

__all__ = ["render", "run"]

GAINS = (0.5, 1.0, 2.0)
DENOISERS = {
    "picture less its Gaussian blur, sigma 2": blur(2),
    "picture less its median of 5 pixels": median(5),
    "picture less its non-local means": denoise,
}
DIFFERENCE = "a difference"
GENUINE = "genuine"
OWN_TILE, CHOSEN_TILE = "its folded tile", "its folded tile, where the program would"
LATER = {"": same, ", JPEG 50": jpeg(50), ", half size": scale(0.5)}
CROPPED = ", half of it"
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
TESTS = {
    "host": "Agreement of the unmarked picture with the place of the tile, in "
    "deviations, as nobody can measure it without that picture",
    "agreement": "The same of the marked picture, its mark taken out by the strength "
    "that the program would take",
    "thumbnail": "Correlation with a thumbnail of the marked picture",
}
REDUCTION = 16  # of the thumbnail, from the size at which a picture is marked

Figures = dict[str, Any]


def run(pictures: Mapping[str, Pixels], settings: Settings) -> Figures:
    """Copy each picture's mark onto the next picture."""
    thief, key = tiles.Thief(settings.key(1)), settings.key(0)
    reads: dict[str, dict[float, list[tuple[bool, float]]]] = {}
    told: dict[str, dict[str, list[float]]] = {test: {} for test in TESTS}
    names = list(pictures)
    for name, other in zip(names, names[1:] + names[:1], strict=True):
        progress("copying:", name, "to", other)
        payload = tiles.payload_of(settings.number(name))
        spectrum = layout_of(key, IMAGE).spectrum(payload)
        marked, target = embed_image(pictures[name], payload, key), pictures[other]
        seen = {GENUINE: marked}
        for method, gain, copy in _copies(marked, target, thief):
            exact = tiles.outcome(copy, key, payload) == "payload"
            cells = reads.setdefault(method, {}).setdefault(gain, [])
            cells.append((exact, psnr(target, copy)))
            if exact and gain == 1:
                kind = DIFFERENCE if method in DENOISERS else method
                seen[f"copied, {kind}"] = copy
        thumbnail = _reduced(tiles.small_luma(marked))
        rng = np.random.default_rng(settings.number(name))
        for kind, changed, small in _later(seen, rng):
            agreement = _agreement(changed, small, spectrum, thief)
            told["agreement"].setdefault(kind, []).append(agreement)
            told["thumbnail"].setdefault(kind, []).append(_match(small, thumbnail))
        for kind, pixels in seen.items():
            host = pictures[name] if kind == GENUINE else target
            told["host"].setdefault(kind, []).append(_of_host(host, pixels, spectrum))
    return {
        "reads": {
            method: {
                str(gain): {
                    "exact": sum(exact for exact, _ in cells),
                    "reads": len(cells),
                    "psnr_db": float(np.mean([db for _, db in cells])),
                }
                for gain, cells in rows.items()
            }
            for method, rows in reads.items()
        },
        "told": {
            test: {
                kind: {
                    "pictures": len(values),
                    "quantiles": [float(q) for q in np.quantile(values, QUANTILES)],
                }
                for kind, values in rows.items()
            }
            for test, rows in told.items()
        },
    }


def render(figures: Mapping[str, Any]) -> str:
    """Return the figures as tables in Markdown."""
    head = [" least", *(f" {q:.0%}" for q in QUANTILES[1:-1]), " most"]
    parts = [
        "## Copying",
        "The mark of one picture put onto the next: reads of its payload there, % "
        "(PSNR against the picture it was put onto, dB). Gains are multiples of the "
        "difference, or of what the program would take.",
        table(
            ["what is added", *(f" x {gain}" for gain in GAINS)],
            [
                (
                    method,
                    *(
                        f"{percent(cell['exact'], cell['reads'])} "
                        f"({cell['psnr_db']:.1f})"
                        for cell in rows.values()
                    ),
                )
                for method, rows in figures["reads"].items()
            ],
        ),
    ]
    for test, text in TESTS.items():
        rows = figures["told"][test]
        parts += [
            f"{text}: quantiles.",
            table(
                ["picture", *head, " pictures"],
                [
                    (kind, *(f"{q:.2f}" for q in row["quantiles"]), row["pictures"])
                    for kind, row in rows.items()
                ],
            ),
        ]
    return "\n\n".join(parts)


def _copies(
    marked: Pixels, target: Pixels, thief: tiles.Thief
) -> Iterator[tuple[str, float, Pixels]]:
    """Yield method, gain and the copy."""
    rng = np.random.default_rng(0)
    for method, change in DENOISERS.items():
        residual = tiles.small_luma(marked) - tiles.small_luma(change(marked, rng))
        spread_out = resize(_over(residual, target), *target.shape[:2])
        for gain in GAINS:
            yield method, gain, tiles.changed(target, gain * spread_out)
    own = tiles.phases(tiles.read(marked))
    chosen = tiles.moved(own, tiles.read(target))
    for method, spectrum in ((OWN_TILE, own), (CHOSEN_TILE, chosen)):
        for gain in GAINS:
            yield method, gain, thief.lay(target, spectrum, gain)


def _over(residual: Float, target: Pixels) -> Float:
    """Repeat whole tiles of a residual over a picture, at the size of the mark."""
    rows, columns = (
        size // IMAGE.carriers.tile * IMAGE.carriers.tile for size in residual.shape
    )
    height, width = tiles.small_luma(target).shape
    repeats = (-(-height // rows), -(-width // columns))
    return np.tile(residual[:rows, :columns], repeats)[:height, :width]


def _later(
    seen: Mapping[str, Pixels], rng: np.random.Generator
) -> Iterator[tuple[str, Pixels, Float]]:
    """Yield pictures after everyday changes, and their luma at the size of the mark."""
    for kind, pixels in seen.items():
        small = tiles.small_luma(pixels)
        for name, change in LATER.items():
            changed = change(pixels, rng)
            yield kind + name, changed, resize(luma_of(changed), *small.shape)
        # At whole pixels of that size, so that nothing has to be guessed.
        rows, columns = (round(size * 0.5**0.5) for size in small.shape)
        top = int(rng.integers(small.shape[0] - rows + 1))
        left = int(rng.integers(small.shape[1] - columns + 1))
        part = small[top : top + rows, left : left + columns]
        levels = np.clip(np.rint(part), 0, 255).astype(np.uint8)
        yield kind + CROPPED, levels, part


def _of_host(host: Pixels, marked: Pixels, spectrum: Complex) -> float:
    """Return how far a picture speaks for the place of the mark it will get."""
    placed = tiles.moved(spectrum, tiles.read(marked))
    return _height(tiles.read(host), placed)


def _agreement(
    pixels: Pixels, small: Float, spectrum: Complex, thief: tiles.Thief
) -> float:
    """Return how far a picture, its mark taken out, speaks for the mark's place."""
    placed = tiles.moved(spectrum, tiles.fold(small))
    tile = spread.place(IMAGE.carriers.synthesize(placed), *small.shape)
    rest = small - thief.strength(pixels, small.shape) * tile
    return _height(tiles.fold(rest), placed)


def _height(spectrum: Complex, placed: Complex) -> float:
    """Return the correlation in place, in deviations over all shifts."""
    plane = tiles.correlation(spectrum[None], placed)[0]
    return float(plane[0, 0] / plane.std())


def _reduced(small: Float) -> Float:
    """Return a thumbnail, some 32 x 48 pixels."""
    return resize(small, *(round(size / REDUCTION) for size in small.shape))


def _match(small: Float, thumbnail: Float) -> float:
    """Return the best correlation of a part of the thumbnail with the picture."""
    seen = _reduced(small)
    rows, columns = np.minimum(seen.shape, thumbnail.shape)
    top, left = (np.array(seen.shape) - (rows, columns)) // 2
    part = seen[top : top + rows, left : left + columns]
    return float(cv2.matchTemplate(thumbnail, part, cv2.TM_CCOEFF_NORMED).max())
