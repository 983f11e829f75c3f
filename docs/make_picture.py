"""Draw the picture of the README from a real run: `python docs/make_picture.py`.

Needs the command `synthmark` and the font DejaVu Sans Mono.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parent.parent
MONO = "DejaVuSansMono.ttf"
CHINESE = ROOT / "labeling/notices/fonts/synthmark-notice.otf"
SIZE, LINE = 21, 32
PAPER, WINDOW = (246, 247, 249), (24, 26, 31)
TEXT, COMMAND, GOOD, WARNING = (
    (212, 216, 222),
    (255, 255, 255),
    (126, 211, 150),
    (245, 190, 105),
)
WIDTH, HEIGHT, SIDE = 1200, 436, 330


def run(folder: str, *arguments: str) -> str:
    """Return what the command prints, in a home of its own."""
    environment = {
        **os.environ,
        "SYNTHMARK_HOME": f"{folder}/home",
        "LANG": "C.UTF-8",
    }
    done = subprocess.run(
        ["synthmark", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    return done.stdout


def terminal(command: str, output: str) -> Image.Image:
    """Return a terminal window that shows a command and its output."""
    window = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(window)
    draw.rounded_rectangle((0, 0, WIDTH - 1, HEIGHT - 1), 14, fill=WINDOW)
    for index, line in enumerate([f"$ {command}", *output.splitlines()]):
        color = TEXT
        if index == 0:
            color = COMMAND
        elif index == 1:
            color = GOOD if "CONFIRMED" in line else WARNING
        elif line.startswith("  !"):
            color = WARNING
        write(draw, 26, 22 + index * LINE, line, color)
    return window


def write(
    draw: ImageDraw.ImageDraw, x: float, y: int, text: str, color: tuple[int, int, int]
) -> None:
    """Write one line, the Chinese characters in the notice's own font."""
    mono = ImageFont.truetype(MONO, SIZE)
    chinese = ImageFont.truetype(str(CHINESE), SIZE)
    for character in text:
        font = chinese if ord(character) > 0x2E80 else mono
        draw.text((x, y + SIZE), character, font=font, fill=color, anchor="ls")
        x += font.getlength(character)


def fitted(path: Path) -> Image.Image:
    """Return a picture that fits the height of a window."""
    with Image.open(path) as picture:
        found = picture.convert("RGB")
    found.thumbnail((SIDE, HEIGHT), Image.Resampling.LANCZOS)
    return found


def main() -> None:
    """Label the portrait, mistreat a copy, and show what the detector says of both."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        labeled, copy = Path(folder, "labeled.png"), Path(folder, "screenshot.jpg")
        portrait = ROOT / "samples/portrait.png"
        run(folder, "label", str(portrait), "-o", "labeled.png")
        with Image.open(labeled) as source:
            turned = source.convert("RGB").rotate(8, Image.Resampling.BICUBIC)
        wide, high = turned.size
        crop = turned.crop((wide // 8, high // 9, wide * 7 // 8, high * 3 // 4))
        crop.resize((crop.width * 3 // 5, crop.height * 3 // 5)).save(copy, quality=50)
        for path in (labeled, copy):
            shown = terminal(
                f"synthmark detect {path.name}", run(folder, "detect", path.name)
            )
            rows.append((fitted(path), shown))
    sheet = Image.new("RGB", (SIDE + WIDTH + 20, 2 * HEIGHT + 20), PAPER)
    for index, (picture, window) in enumerate(rows):
        top = index * (HEIGHT + 20)
        left = (SIDE - picture.width) // 2
        sheet.paste(picture, (left, top + (HEIGHT - picture.height) // 2))
        sheet.paste(window, (SIDE + 20, top))
    sheet.save(ROOT / "docs/readme.png", optimize=True)


if __name__ == "__main__":
    main()
