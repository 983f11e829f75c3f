"""Measure whether notices in other fonts are read, and none where there is none.

Run it from a checkout: ``python bench/notice_like.py FOLDER --videos FOLDER``.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import clock

# isort: split
import changes
import command
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from report import percent, table, upper_bound

from synthmark.labeling.media import video as media
from synthmark.labeling.notices.find_like import NoticeLike, find_like
from synthmark.labeling.notices.plate import luminance

__all__ = ["main"]

Pixels = NDArray[np.uint8]

# Files of the packages fonts-noto-cjk, fonts-wqy-zenhei, fonts-arphic-ukai,
# fonts-dejavu-core and fonts-liberation, below one folder.
FONTS = Path("/usr/share/fonts")
CHINESE = {
    "Noto Sans": "opentype/noto/NotoSansCJK-Regular.ttc",
    "Noto Sans bold": "opentype/noto/NotoSansCJK-Bold.ttc",
    "Noto Serif": "opentype/noto/NotoSerifCJK-Regular.ttc",
    "Zen Hei": "truetype/wqy/wqy-zenhei.ttc",
    "Kai": "truetype/arphic/ukai.ttc",
}
LATIN = {
    "DejaVu Sans": "truetype/dejavu/DejaVuSans.ttf",
    "DejaVu Sans bold": "truetype/dejavu/DejaVuSans-Bold.ttf",
    "Liberation Serif": "truetype/liberation/LiberationSerif-Regular.ttf",
}
WORDINGS = {
    "AI生成": CHINESE,
    "内容由AI生成": CHINESE,
    "豆包AI生成": CHINESE,
    "AI-generated": LATIN,
    "Made with AI": LATIN,
}
STYLES = ("plain", "with a shadow", "half transparent")
CORNERS = ("top-left", "top-right", "bottom-left", "bottom-right")
SIZES = (0.02, 0.03, 0.04, 0.05, 0.06)
MARGIN = 0.03

# Below these a person does not read it either.
LEAST_PX = 9
LEAST_CONTRAST = 1.5

AFTER = {
    "as drawn": changes.same,
    "JPEG 50": changes.jpeg(50),
    "half the size": changes.scale(0.5),
    "both": changes.chain(changes.scale(0.5), changes.jpeg(50)),
}
FRAMES = 6


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A notice as it was drawn: height and box in pixels, contrast as of WCAG."""

    pixels: Pixels
    height_px: float
    contrast: float
    center: tuple[float, float]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = command.parser(__doc__.partition("\n")[0])
    parser.add_argument("--videos", type=Path, metavar="FOLDER")
    parser.add_argument("--json", type=command.target, metavar="FILE")
    options = parser.parse_args(arguments)
    wordings = _wordings()
    if not wordings:
        parser.error(f"there are no fonts in {FONTS} to draw with")
    drawn: Counter[str] = Counter()
    found: Counter[tuple[str, str]] = Counter()
    false: dict[str, list[str]] = {way: [] for way in AFTER}
    missed, heights, spent, looked, left_out = [], [], [], 0, 0
    find_like(np.zeros((64, 64, 3), np.uint8))
    for name, pixels in command.load(options.files[: options.limit]):
        if isinstance(pixels, OSError):
            print(f"{name}: {pixels}", file=sys.stderr)
            continue
        looked += 1
        rng = np.random.default_rng([options.seed, *name.encode()])
        for way, change in AFTER.items():
            hits, ms = clock.timed(find_like, change(pixels, rng))
            spent.append(ms)
            false[way] += [f"{name}: {hit.text}" for hit in hits]
        for size, style in product(SIZES, STYLES):
            wording = str(rng.choice(list(wordings)))
            font = str(rng.choice(list(wordings[wording])))
            corner = str(rng.choice(CORNERS))
            look = f"{wording}, {font}, {size:.0%}, {style}, {corner}"
            command.progress(name, look)
            notice = draw(
                pixels, wording, FONTS / wordings[wording][font], size, style, corner
            )
            if notice.height_px < LEAST_PX or notice.contrast < LEAST_CONTRAST:
                left_out += 1
                continue
            kinds = (f"{size:.0%}", style, wording, font, "all")
            drawn.update(kinds)
            for way, change in AFTER.items():
                hit = _hit(change(notice.pixels, rng), notice, pixels)
                if hit is None:
                    missed.append(f"{name}: {look}, {way}")
                    continue
                found.update((kind, way) for kind in kinds)
                heights.append(
                    hit.height_fraction * min(pixels.shape[:2]) / notice.height_px
                )
    command.progress()
    sizes = [f"{size:.0%}" for size in SIZES]
    rows = [
        [kind, drawn[kind], *(percent(found[kind, way], drawn[kind]) for way in AFTER)]
        for kind in (*sizes, *STYLES, *WORDINGS, *CHINESE, *LATIN, "all")
        if drawn[kind]
    ]
    print(table(("read, %", " drawn", *(f" {way}" for way in AFTER)), rows))
    print(f"\nLeft out, as people would not read them: {left_out}.")
    if options.videos:
        frames = list(_frames(options.videos))
        false["frames"] = [
            f"{name}: {hit.text}" for name, frame in frames for hit in find_like(frame)
        ]
    alarms = []
    for way, names in false.items():
        count = len(frames) if way == "frames" else looked
        bound = f"{100 * upper_bound(len(names), count):.0f} %"
        alarms.append([way, count, len(names), bound])
    print("\n" + table(("unmarked", " pictures", " alarms", " 95 % bound"), alarms))
    for names in false.values():
        print(*names, sep="\n", end="\n" if names else "")
    low, middle, high = np.percentile(heights, (5, 50, 95)) if heights else [np.nan] * 3
    print(f"\nHeight by the drawn one: {middle:.2f} ({low:.2f} to {high:.2f}).")
    print(f"Time: {np.median(spent):.0f} ms, at most {max(spent):.0f} ms.")
    if options.json:
        figures = {"about": command.about("rapidocr", "onnxruntime"), "read": rows}
        command.write(figures | {"false": false, "missed": missed}, options.json)
    return 0


def _wordings() -> dict[str, dict[str, str]]:
    """Return the wordings with those of their fonts that are on this machine."""
    usable = {
        text: {name: file for name, file in fonts.items() if (FONTS / file).is_file()}
        for text, fonts in WORDINGS.items()
    }
    return {text: fonts for text, fonts in usable.items() if fonts}


def draw(
    pixels: Pixels, text: str, font: Path, size: float, style: str, corner: str
) -> Drawn:
    """Draw white text of a height by the shorter side into a corner."""
    height, width = pixels.shape[:2]
    short = min(height, width)
    letter = "生" if "生" in text else "A"
    top, bottom = ImageFont.truetype(font, 200).getbbox(letter)[1::2]
    face = ImageFont.truetype(font, 200 * size * short / (bottom - top))
    left, top, right, bottom = face.getbbox(text)
    margin = MARGIN * short
    x = margin - left if "left" in corner else width - margin - right
    y = margin - top if "top" in corner else height - margin - bottom
    ink = Image.new("L", (width, height))
    ImageDraw.Draw(ink).text((x, y), text, font=face, fill=255)
    ground = Image.fromarray(pixels)
    if style == "with a shadow":
        offset = size * short / 16
        shadow = Image.new("L", ink.size)
        ImageDraw.Draw(shadow).text((x + offset, y + offset), text, 180, font=face)
        shadow = shadow.filter(ImageFilter.GaussianBlur(offset))
        ground.paste((0, 0, 0), mask=shadow)
    mask = ink.point(lambda level: level // 2) if style == "half transparent" else ink
    shown = ground.copy()
    shown.paste((255, 255, 255), mask=mask)
    result = np.asarray(shown)
    strokes = np.asarray(ink) > 200
    return Drawn(
        pixels=result,
        height_px=size * short,
        contrast=_contrast(result, np.asarray(ground), strokes),
        center=(x + (left + right) / 2, y + (top + bottom) / 2),
    )


def _contrast(shown: Pixels, ground: Pixels, strokes: NDArray[np.bool_]) -> float:
    if not strokes.any():
        return 1.0
    light, dark = (
        float(luminance(np.median(levels[strokes], axis=0)))
        for levels in (shown, ground)
    )
    return (light + 0.05) / (dark + 0.05)


def _hit(seen: Pixels, notice: Drawn, pixels: Pixels) -> NoticeLike | None:
    """Return the text that holds the middle of the drawn one."""
    scale = seen.shape[0] / pixels.shape[0]
    x, y = (at * scale for at in notice.center)
    for one in find_like(seen):
        box = one.box
        if box.left < x < box.left + box.width and box.top < y < box.top + box.height:
            return one
    return None


def _frames(folder: Path) -> Iterator[tuple[str, Pixels]]:
    for path in sorted(folder.iterdir()):
        if path.suffix in {".mp4", ".webm"}:
            video = media.describe(path)
            for frame in media.glimpses(path, video, FRAMES):
                yield (
                    path.name,
                    np.asarray(frame.picture.to_ndarray(format="rgb24"), np.uint8),
                )


if __name__ == "__main__":
    sys.exit(main())
