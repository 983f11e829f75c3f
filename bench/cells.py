"""Label and check every class of service in every medium for every place.

Run it from a checkout: ``python bench/cells.py``. It takes some minutes and needs no
files but the samples of the project. It ends with 1 if a clause is not kept, or if a
file without a label keeps them all where any is asked for.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory
from typing import Any

import command
import cv2
import numpy as np
from PIL import Image
from report import table

from synthmark.labeling.check_view import WHY
from synthmark.labeling.checking import Checked, CheckReport, Outcome, check
from synthmark.labeling.grounds import NO_PERSON
from synthmark.labeling.home import Home
from synthmark.labeling.policy import JURISDICTIONS, MEDIA, SERVICES
from synthmark.labeling.rulebook import ASKS

__all__ = ["Cell", "label", "main"]

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
TEXT = "The weather will be fine tomorrow.\n\nTake a hat with you.\n"
SPHERE = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    'xmlns:GPano="http://ns.google.com/photos/1.0/panorama/" '
    'GPano:ProjectionType="equirectangular"/></rdf:RDF></x:xmpmeta>'
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--media", nargs="*", choices=MEDIA, default=MEDIA, help="default: all")
    add("-o", "--output", type=command.target, metavar="FILE", help="write the tables")
    add("--json", type=command.target, metavar="FILE", help="write every clause")
    options = parser.parse_args(arguments)
    cells: dict[tuple[str, str, str], Cell] = {}
    with TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        for medium, source in _sources(Path(folder)):
            if medium not in options.media:
                continue
            bare = home.detector().detect(source)
            for place, service in product(JURISDICTIONS, SERVICES):
                command.progress(medium, place, service)
                target = source.with_name(f"labeled{source.suffix}")
                label(home, source, target, service, place)
                labeled = home.detector().detect(target)
                cells[place, service, medium] = Cell(
                    labeled=check(labeled, service, (place,)),
                    bare=check(bare, service, (place,)),
                )
    command.progress()
    page = "\n\n".join(_tables(cells, options.media))
    print(page)
    if options.output:
        options.output.write_text(page + "\n", "utf-8")
    if options.json:
        written = [one.to_dict() for one in cells.values()]
        command.write({"about": command.about(), "cells": written}, options.json)
    return 0 if all(one.holds for one in cells.values()) else 1


def label(home: Home, source: Path, target: Path, service: str, place: str) -> None:
    """Label a file as a service must for one place."""
    settings: dict[str, Any] = {
        "service": service,
        "jurisdictions": (place,),
        "consent": NO_PERSON,
        "software_agent": "Example model",
        "software_agent_version": "1.0",
    }
    home.labeler(**settings).label(source, target, overwrite=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A file of one medium, with the label that is due and without any."""

    labeled: CheckReport
    bare: CheckReport

    @property
    def asked(self) -> list[Checked]:
        """The clauses of the place, without what synthmark chooses."""
        report = self.labeled
        places = report.jurisdictions
        return [one for one in report.checks if one.rule.jurisdiction in places]

    @property
    def holds(self) -> bool:
        """Whether the label keeps the rules, and its lack does not."""
        return self.labeled.passed and self.bare.passed == (not self.asked)

    def told(self) -> str:
        """Say how many clauses are kept and left open, and which are not kept."""
        counts = Counter(one.outcome for one in self.asked)
        broken = [one.rule for one in self.asked if one.outcome is Outcome.FAIL]
        named = [f"{rule.asks} ({rule.reference})" for rule in broken]
        named += [f"{one.layer} {one.kind}" for one in self.labeled.findings]
        if named:
            return f"**FAILS** {', '.join(named)}"
        if not self.holds:
            return "**PASSES WITHOUT A LABEL**"
        if not self.asked:
            return "nothing asked"
        return f"{counts[Outcome.PASS]} kept, {counts[Outcome.OPEN]} open"

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return self.labeled.to_dict() | {
            "file": None,
            "told": self.told(),
            "passed_without_label": self.bare.passed,
        }


def _tables(
    cells: Mapping[tuple[str, str, str], Cell], media: Sequence[str]
) -> Iterator[str]:
    """Yield the table of each place, and what is left open in it."""
    for place, facts in JURISDICTIONS.items():
        yield f"### {facts.title}"
        rows = [
            [service, *(cells[place, service, one].told() for one in media)]
            for service in SERVICES
        ]
        yield table(["service", *media], rows)
        left = _left_open(cells[place, x, y] for x, y in product(SERVICES, media))
        if left:
            yield f"Open: {'; '.join(left)}."


def _left_open(cells: Iterable[Cell]) -> list[str]:
    """Return what is left open, of which media, and why."""
    media: dict[tuple[str, str], dict[str, None]] = {}
    for cell in cells:
        for one in cell.asked:
            if one.outcome is Outcome.OPEN:
                why = WHY[one.why] if one.why else "advice"
                named = media.setdefault((ASKS[one.rule.asks].title, why), {})
                named[cell.labeled.medium] = None
    return [
        f"*{title}* of {', '.join(named)} ({why})"
        for (title, why), named in media.items()
    ]


def _sources(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield an unlabeled file of each medium."""
    text = folder / "text.md"
    text.write_text(TEXT, "utf-8")
    yield "text", text
    for medium, name in (
        ("image", "portrait.png"),
        ("audio", "music.flac"),
        ("video", "clip.mp4"),
    ):
        yield medium, Path(copy(SAMPLES / name, folder))
    with Image.open(SAMPLES / "scene.jpg") as scene:
        around = cv2.resize(np.asarray(scene.convert("RGB")), (1600, 800))
    file = io.BytesIO()
    Image.fromarray(around).save(file, "JPEG", quality=92, xmp=SPHERE.encode())
    sphere = folder / "sphere.jpg"
    sphere.write_bytes(file.getvalue())
    yield "scene", sphere


if __name__ == "__main__":
    sys.exit(main())
