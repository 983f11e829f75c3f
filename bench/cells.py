"""Label and check every class of service in every medium for every place.

Run it from a checkout: ``python bench/cells.py``. It takes some minutes, needs no
files but the samples of the project, and ends with 1 if a rule is not kept.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import command
import cv2
import numpy as np
from PIL import Image
from report import table

from synthmark.labeling.checking import CheckReport, Outcome, check
from synthmark.labeling.grounds import NO_PERSON
from synthmark.labeling.home import Home
from synthmark.labeling.policy import JURISDICTIONS, MEDIA, SERVICES

__all__ = ["main"]

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
    add("--json", type=command.target, metavar="FILE", help="write every clause")
    options = parser.parse_args(arguments)
    cells: dict[tuple[str, str, str], CheckReport] = {}
    with TemporaryDirectory() as folder:
        sources = dict(_sources(Path(folder)))
        for place in JURISDICTIONS:
            for service in SERVICES:
                for medium in options.media:
                    command.progress(place, service, medium)
                    cells[place, service, medium] = _cell(
                        sources[medium], Path(folder), service, place
                    )
    command.progress()
    for place, facts in JURISDICTIONS.items():
        rows = [
            [service, *(_told(cells[place, service, one]) for one in options.media)]
            for service in SERVICES
        ]
        print(f"\n### {facts.title}\n\n{table(['service', *options.media], rows)}")
    if options.json:
        written = [one.to_dict() | {"file": None} for one in cells.values()]
        command.write({"about": command.about(), "cells": written}, options.json)
    return 0 if all(one.passed for one in cells.values()) else 1


def _sources(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield an unlabeled file of each medium."""
    text = folder / "text.md"
    text.write_text(TEXT, "utf-8")
    yield "text", text
    yield "image", SAMPLES / "portrait.png"
    yield "audio", SAMPLES / "music.flac"
    yield "video", SAMPLES / "clip.mp4"
    with Image.open(SAMPLES / "scene.jpg") as scene:
        around = cv2.resize(np.asarray(scene.convert("RGB")), (1600, 800))
    file = io.BytesIO()
    Image.fromarray(around).save(file, "JPEG", quality=92, xmp=SPHERE.encode())
    sphere = folder / "sphere.jpg"
    sphere.write_bytes(file.getvalue())
    yield "scene", sphere


def _cell(source: Path, folder: Path, service: str, place: str) -> CheckReport:
    """Label a file as a service must, and check what came out."""
    home = Home(folder / "home")
    target = folder / f"labeled{source.suffix}"
    settings: dict[str, Any] = {
        "service": service,
        "jurisdictions": (place,),
        "consent": NO_PERSON,
        "software_agent": "Example model",
        "software_agent_version": "1.0",
    }
    home.labeler(**settings).label(source, target, overwrite=True)
    return check(home.detector().detect(target), service, (place,))


def _told(report: CheckReport) -> str:
    """Say how many clauses are kept and left open, and name those that are not kept."""
    counts = Counter(one.outcome for one in report.checks)
    broken = [one.rule for one in report.checks if one.outcome is Outcome.FAIL]
    kept = f"{counts[Outcome.PASS]} kept, {counts[Outcome.OPEN]} open"
    if report.passed:
        return kept
    return f"**FAILS** {', '.join(f'{one.asks} ({one.reference})' for one in broken)}"


if __name__ == "__main__":
    sys.exit(main())
