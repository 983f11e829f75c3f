"""A printed page: headings, running text, a table and a chart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from brushes import Picture
from PIL import Image, ImageDraw, ImageFont

__all__ = ["document"]

WIDTH, HEIGHT, MARGIN = 850, 1100, 84
INK, GRAY, RULE, ACCENT = "#1d2530", "#6b7480", "#c9ced6", "#1f6f78"
SERIES = (ACCENT, "#d98a3d", "#9aa5b1")

INTRODUCTION = (
    "A picture made by a machine should be able to say so. The label may be read by a "
    "person who scrolls past it, by a platform that receives it, or by an editor who "
    "looks for its source years later. No single label serves all three, because each "
    "way a picture travels removes a different kind of information."
)
LAYERS = (
    "A visible notice survives all that keeps the picture legible, yet it can be "
    "cropped. Metadata is exact and cheap, and is lost with the first screenshot. A "
    "signed manifest proves who made a statement, but only while it stays attached. An "
    "invisible mark carries little, and carries it through compression and scaling. "
    "Used together, the layers cover for one another."
)
READING = (
    "Missing evidence is not evidence of innocence. When two layers disagree, the "
    "disagreement itself is a finding: a mark without its manifest suggests that the "
    "file has been re-encoded, and a manifest over altered pixels that it has been "
    "edited after signing."
)
TABLE = (
    ("Layer", "Read by", "Lost when", "Size"),
    ("Visible notice", "everyone", "cropped away", "a few words"),
    ("Invisible mark", "a detector with the key", "heavily edited", "64 bits"),
    ("Metadata field", "any program", "re-encoded", "1 kilobyte"),
    ("Signed manifest", "any verifier", "re-encoded", "10 kilobytes"),
    ("Record log", "the provider", "its store is lost", "one row"),
)
CAPTION = "Figure 1. Share of labels still readable; invented numbers."
CHART = (
    ("Original file", (96, 99, 98)),
    ("Messenger", (93, 91, 12)),
    ("Screenshot", (90, 78, 2)),
    ("Print and scan", (81, 46, 0)),
)


@dataclass(slots=True, kw_only=True)
class Page:
    """A white sheet that is written on from the top down."""

    draw: ImageDraw.ImageDraw
    y: float = 0

    def write(
        self, x: float, text: str, size: float, ink: str = INK, *, bold: bool = False
    ) -> None:
        """Put one line of text at `x` on the present line."""
        font = ImageFont.load_default(size)
        # The built-in font has one weight; a second strike stands in for bold.
        for shift in (0, 0.6) if bold else (0,):
            self.draw.text((x + shift, self.y), text, ink, font)

    def heading(self, text: str) -> None:
        """Start a section."""
        self.y += 20
        self.write(MARGIN, text, 19, ACCENT, bold=True)
        self.y += 32

    def paragraph(self, text: str) -> None:
        """Set a text across the page, justified but for its last line."""
        font = ImageFont.load_default(15)
        room = WIDTH - 2 * MARGIN
        lines: list[list[str]] = [[]]
        for word in text.split():
            if font.getlength(" ".join([*lines[-1], word])) > room:
                lines.append([])
            lines[-1].append(word)
        for line in lines:
            lengths = [font.getlength(word) for word in line]
            gap = (room - sum(lengths)) / max(len(line) - 1, 1)
            gap = font.getlength(" ") if line is lines[-1] else gap
            x = float(MARGIN)
            for word, length in zip(line, lengths, strict=True):
                self.write(x, word, 15)
                x += length + gap
            self.y += 22

    def rule(self, ink: str = RULE, width: int = 1) -> None:
        """Draw a line across the page."""
        self.draw.line((MARGIN, self.y, WIDTH - MARGIN, self.y), ink, width)

    def table(self, rows: tuple[tuple[str, ...], ...]) -> None:
        """Set rows of text between rules, the first as the head."""
        columns = (MARGIN + 10, MARGIN + 180, MARGIN + 388, MARGIN + 560)
        for k, row in enumerate(rows):
            if k % 2:
                box = (MARGIN, self.y, WIDTH - MARGIN, self.y + 27)
                self.draw.rectangle(box, "#f3f6f8")
            self.rule(INK if k < 2 else RULE)
            self.y += 5
            for x, text in zip(columns, row, strict=True):
                self.write(x, text, 14, bold=k == 0)
            self.y += 22
        self.rule(INK)

    def chart(self, groups: tuple[tuple[str, tuple[int, ...]], ...]) -> None:
        """Draw grouped bars of percentages with their axis and legend."""
        top, tall, left = self.y + 28, 150, MARGIN + 44.0
        for x, text, ink in zip(
            (left, left + 148, left + 296),
            ("Notice", "Mark", "Metadata"),
            SERIES,
            strict=True,
        ):
            self.draw.rectangle((x, self.y + 4, x + 11, self.y + 15), ink)
            self.write(x + 18, text, 13, GRAY)
        for share in range(0, 101, 25):
            self.y = top + tall * (1 - share / 100)
            self.draw.line((left, self.y, WIDTH - MARGIN, self.y), RULE)
            self.y -= 9
            self.write(MARGIN, f"{share:3d} %", 13, GRAY)
        step = (WIDTH - MARGIN - left) / len(groups)
        for k, (name, values) in enumerate(groups):
            for j, (value, ink) in enumerate(zip(values, SERIES, strict=True)):
                x = left + k * step + 26 + j * 36
                box = (x, top + tall * (1 - value / 100), x + 28, top + tall)
                self.draw.rectangle(box, ink)
            self.y = top + tall + 8
            self.write(left + k * step + 30, name, 13, INK)
        self.y += 24


def document(rng: np.random.Generator) -> Picture:
    """Set a page about the labeling of synthetic media."""
    del rng
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    page = Page(draw=ImageDraw.Draw(image), y=64)
    page.write(MARGIN, "How a picture says where it came from", 31, bold=True)
    page.y += 46
    page.write(MARGIN, "A short guide to labeling synthetic media in layers", 16, GRAY)
    page.y += 34
    page.rule(ACCENT, 3)
    page.y += 18
    page.paragraph(INTRODUCTION)
    page.heading("1   What each layer is for")
    page.paragraph(LAYERS)
    page.y += 14
    page.table(TABLE)
    page.y += 14
    page.heading("2   What remains after sharing")
    page.chart(CHART)
    page.write(MARGIN, CAPTION, 13, GRAY)
    page.y += 22
    page.heading("3   How to read the result")
    page.paragraph(READING)
    page.y = HEIGHT - 46
    page.write(WIDTH / 2 - 4, "1", 13, GRAY)
    return np.asarray(image)
