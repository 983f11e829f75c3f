"""Measure fingerprints: what handling does to them, what chance does, and how fast.

    python bench/fingerprints.py FOLDER [--others FOLDER] [--entries 10000000]

Prints Markdown tables. With the package iscc-lib installed, the 256-bit image code of
ISO 24138 is measured beside the look-up codes on the same pictures.
"""

from __future__ import annotations

import base64
import itertools
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import attacks
import command
import cv2
import numpy as np
from fingerprint_streams import sound_rows, video_rows
from numpy.typing import NDArray

from synthmark.labeling.fingerprints.audio import fingerprint_audio
from synthmark.labeling.fingerprints.codes import asked_codes, stored_codes
from synthmark.labeling.fingerprints.comparison import compare
from synthmark.labeling.fingerprints.fingerprint import IMAGE, Comparison, Fingerprint
from synthmark.labeling.fingerprints.image import fingerprint_image
from synthmark.labeling.fingerprints.index import MAX_DISTANCE, FingerprintIndex

__all__ = ["main"]

HANDLING = (
    "jpeg_q90",
    "jpeg_q30",
    "resize_0.25",
    "resize_2.0",
    "aspect_1.2x",
    "crop_keep80",
    "crop_keep50",
    "crop_keep25",
    "rot2_inside",
    "rot10_inside",
    "rot20_inside",
    "rot45_black",
    "rot90",
    "hflip",
    "perspective_mild",
    "brightness_0.5",
    "contrast_1.5",
    "gamma_2",
    "hue_0.1",
    "grayscale",
    "palette_16",
    "blur_s3",
    "noise_s30",
    "overlay_10pct",
    "overlay_25pct",
    "letterbox_20pct",
    "meme_top_20pct",
    "collage_half",
    "screenshot",
    "social",
    "rot7+crop60",
)
STREAM_HEADS = ("attack", "same", "cannot tell", "differs", "worst p")
VERDICTS = {"same": True, "cannot tell": None, "differs": False}
CHANCES = (0.1, 0.01, 0.001)
SHARES = (0.5, 0.01, 0.001)

Pixels = NDArray[np.uint8]
Prints = dict[str, Fingerprint]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = command.parser("Measure fingerprints.")
    add = parser.add_argument
    add("--others", type=command.pictures, metavar="FOLDER", help="more for chance")
    add("--pairs", type=int, metavar="N", default=300, help="of different content")
    add("--entries", type=int, metavar="N", default=0, help="of a made-up index")
    add("--sounds", type=Path, metavar="FOLDER", help="FLAC and WAV sounds")
    add("--videos", type=Path, metavar="FOLDER", help="video files")
    options = parser.parse_args(arguments)
    pictures = dict(_read(options.files[: options.limit]))
    others = {**pictures, **dict(_read(options.others or []))}
    prints = {name: fingerprint_image(pixels) for name, pixels in pictures.items()}
    _speed(pictures)
    _handling(pictures, prints, options.seed)
    _chance(others, options.pairs, options.seed)
    if options.entries:
        _index(options.entries, pictures, prints, options.seed)
    if options.sounds:
        rows = sound_rows(options.sounds, options.seed)
        _table("sounds", STREAM_HEADS, rows)
    if options.videos:
        rows = video_rows(options.videos)
        _table("videos", STREAM_HEADS, rows)
    return 0


def _read(files: Sequence[Path]) -> Iterator[tuple[str, Pixels]]:
    """Yield pictures that can be read, at most 1,024 pixels long."""
    for name, pixels in command.load(files):
        if isinstance(pixels, OSError):
            print(f"{name}: {pixels}", file=sys.stderr)
            continue
        factor = 1024 / max(pixels.shape[:2])
        if factor < 1:
            size = [round(factor * side) for side in pixels.shape[1::-1]]
            small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
            yield name, np.asarray(small, np.uint8)
        else:
            yield name, pixels


def _table(title: str, heads: Sequence[str], rows: Any) -> None:
    command.progress()
    print(f"\n## {title}\n\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |", flush=True)


def _cpu_ms(action: Callable[[], object], times: int) -> float:
    action()
    start = time.process_time()
    for _ in range(times):
        action()
    return 1000 * (time.process_time() - start) / times


def _speed(pictures: dict[str, Pixels]) -> None:
    first = next(iter(pictures.values()))
    large = np.asarray(cv2.resize(first, (1024, 1024)), np.uint8)
    blocks = [np.random.default_rng(0).normal(0, 0.1, (48_000, 2)).astype(np.float32)]
    sound = _cpu_ms(lambda: fingerprint_audio(30 * blocks, 48_000), 2) / 30
    a, b = [fingerprint_image(p) for p in itertools.islice(pictures.values(), 2)]
    picture = _cpu_ms(lambda: fingerprint_image(large), 20)
    copies = _cpu_ms(partial(compare, a, a), 3)
    strangers = _cpu_ms(partial(compare, a, b), 3)
    rows = [
        ("picture of 1 megapixel, ms", f"{picture:.2f}"),
        ("sound, 48 kHz stereo, times real time", f"{1000 / sound:.0f}"),
        ("comparing two copies, ms", f"{copies:.1f}"),
        ("comparing different pictures, ms", f"{strangers:.0f}"),
        ("bytes of a picture's fingerprint", max(len(a.value), len(b.value))),
    ]
    _table("speed (CPU time)", ("what", "figure"), rows)


def _distance(first: Fingerprint, second: Fingerprint) -> int:
    codes = stored_codes(second)
    asked = asked_codes(first)
    if not len(codes) or not len(asked):
        return 256
    return int(np.bitwise_count(asked[:, None] ^ codes).sum(axis=2).min())


def _iscc(pixels: Pixels) -> int:
    """Return the image code of ISO 24138, 256 bits, as a number."""
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(gray, (32, 32), interpolation=cv2.INTER_AREA)
    made = import_module("iscc_lib").gen_image_code_v0(small.tobytes(), 256)
    text = str(made["iscc"]).removeprefix("ISCC:")
    content = base64.b32decode(text + "=" * (-len(text) % 8))
    return int.from_bytes(content[2:], "big")


def _handling(pictures: dict[str, Pixels], prints: Prints, seed: int) -> None:
    peer = find_spec("iscc_lib") is not None
    codes = {name: _iscc(p) for name, p in pictures.items()} if peer else {}

    def rows() -> Iterator[tuple[object, ...]]:
        for attack in HANDLING:
            found: list[Comparison] = []
            distances, theirs = [], []
            for name, pixels in pictures.items():
                command.progress(attack, name)
                changed = attacks.apply(attack, pixels, seed)
                at_hand = fingerprint_image(changed)
                found.append(compare(at_hand, prints[name]))
                distances.append(_distance(at_hand, prints[name]))
                if peer:
                    theirs.append((_iscc(changed) ^ codes[name]).bit_count())
            verdicts = [one.same for one in found]
            yield (
                attack,
                *(verdicts.count(verdict) for verdict in (True, None, False)),
                f"{max(one.p_value for one in found):.0e}",
                f"{np.median(distances):.0f}",
                sum(distance <= MAX_DISTANCE for distance in distances),
                *((f"{np.median(theirs):.0f}",) if peer else ()),
            )

    heads = ["attack", "same", "cannot tell", "differs", "greatest p"]
    heads += ["median distance", f"within {MAX_DISTANCE}"]
    _table(
        f"{len(pictures)} pictures, handled",
        [*heads, "median distance of ISCC"] if peer else heads,
        rows(),
    )


def _chance(pictures: dict[str, Pixels], count: int, seed: int) -> None:
    prints = {name: fingerprint_image(pixels) for name, pixels in pictures.items()}
    pairs = list(itertools.combinations(prints, 2))
    np.random.default_rng(seed).shuffle(pairs)
    found = []
    for a, b in pairs[:count]:
        command.progress(a, b)
        found.append((compare(prints[a], prints[b]), a, b))
    verdicts = [one.same for one, _, _ in found]
    values = np.array([one.p_value for one, _, _ in found])
    distances = [_distance(prints[a], prints[b]) for a, b in pairs]
    rows: list[tuple[object, ...]] = [
        ("pairs compared", len(found)),
        *((name, verdicts.count(same)) for name, same in VERDICTS.items()),
        *((f"share with p <= {p}", f"{(values <= p).mean():.4f}") for p in CHANCES),
        ("pairs of codes", len(distances)),
        *(
            (f"distance that {share:.1%} reach", f"{np.quantile(distances, share):.0f}")
            for share in SHARES
        ),
    ]
    _table("different content", ("what", "figure"), rows)
    for one, a, b in sorted(found, key=lambda item: item[0].p_value)[:5]:
        print(f"\nmost alike: {a} and {b}, p {one.p_value:.1e}, same {one.same}")


def _index(
    entries: int, pictures: dict[str, Pixels], prints: Prints, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    tail = next(iter(prints.values())).value[32:]

    def pairs() -> Iterator[tuple[int, Fingerprint]]:
        for start in range(0, entries, 50_000):
            hashes = rng.bytes(32 * 50_000)
            for i in range(min(50_000, entries - start)):
                value = hashes[32 * i : 32 * i + 32] + tail
                yield start + i, Fingerprint(algorithm=IMAGE, value=value)
        yield from enumerate(prints.values(), entries)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "index")
        start = time.process_time()
        made = FingerprintIndex.build(path, pairs(), algorithm=IMAGE)
        built = time.process_time() - start
        opened = _cpu_ms(lambda: FingerprintIndex(path), 1)
        one = next(iter(prints.values()))
        rows: list[tuple[object, ...]] = [
            ("entries", len(made)),
            ("building, s", f"{built:.0f}"),
            ("megabytes", f"{path.stat().st_size / 1e6:.0f}"),
            ("opening and checking, ms", f"{opened:.0f}"),
        ]
        for threads in (1, 2):
            times = [
                _wall_ms(partial(made.nearest, one, threads=threads)) for _ in range(7)
            ]
            name = f"look-up, {threads} thread(s), ms, best and median of 7"
            rows.append((name, f"{min(times):.0f}, {np.median(times):.0f}"))
        rows.append(("look-up, CPU ms", f"{_cpu_ms(lambda: made.nearest(one), 3):.0f}"))
        _table("index", ("what", "figure"), rows)

        def recall() -> Iterator[tuple[object, ...]]:
            for attack in HANDLING:
                right = wrong = 0
                for number, pixels in enumerate(pictures.values(), entries):
                    command.progress(attack, str(number))
                    at_hand = fingerprint_image(attacks.apply(attack, pixels, seed))
                    best = made.nearest(at_hand, 1, threads=2)
                    right += bool(best) and best[0].number == number
                    wrong += bool(best) and best[0].number != number
                yield attack, right, wrong, len(pictures) - right - wrong

        heads = ("attack", "right", "wrong", "none")
        _table("first found at that size", heads, recall())


def _wall_ms(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    raise SystemExit(main())
