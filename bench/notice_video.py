"""Measure whether notices on videos are found again, and none where there is none.

Run it from a checkout: ``python bench/notice_video.py FOLDER``; it needs the command
ffmpeg.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import clock  # noqa: F401 - decides the number of threads of all that follow

# isort: split
import command
import video_reads as reads
from report import percent, table
from video_attacks import change

from synthmark.labeling.clip_notice import ClipNotice
from synthmark.labeling.errors import SynthmarkError
from synthmark.labeling.footage import ClipSubject
from synthmark.labeling.media import video as media
from synthmark.labeling.notices.find_video import FoundVideoNotice
from synthmark.labeling.notices.video import VideoNotice
from synthmark.labeling.notices.wording import WORDINGS

__all__ = ["main"]

AFTER = ("identity", "h264_28", "scale_0.5", "platforms")
LOOKS: dict[str, dict[str, Any]] = {
    "calm corner": {"corner": "auto"},
    "bottom right, 2 s": {"corner": "bottom-right", "seconds": 2.0},
    "top right, AI": {"corner": "top-right", "text": WORDINGS["en"]},
    "left, column": {"corner": "left", "vertical": True},
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("folder", type=Path, metavar="FOLDER", help="videos")
    add("--limit", type=int, metavar="N", help="only the first N clips")
    add("--seconds", type=float, default=4.0, help="of each clip (default: 4)")
    add("--json", type=command.target, metavar="FILE", help="write the figures too")
    options = parser.parse_args(arguments)
    files = [p for p in options.folder.iterdir() if p.suffix.lower() in media.SUFFIXES]
    found: Counter[tuple[str, str]] = Counter()
    drawn: Counter[str] = Counter()
    missed, alarms, looked = [], [], 0
    for path in sorted(files)[: options.limit]:
        with TemporaryDirectory() as name:
            folder = Path(name)
            clip = reads.open_clip(path, folder, options.seconds)
            looked += 1
            for attack in AFTER:
                command.progress(path.name, attack)
                hits = _found(clip, clip.path, attack, folder)
                alarms += [f"{path.name}, {attack}: {hit.text}" for hit in hits]
            for look, how in LOOKS.items():
                try:
                    labeled = _labeled(clip, folder, VideoNotice(**how))
                except SynthmarkError as error:
                    print(f"{path.name}, {look}: {error}", file=sys.stderr)
                    continue
                drawn[look] += 1
                for attack in AFTER:
                    command.progress(path.name, look, attack)
                    hits = _found(clip, labeled, attack, folder)
                    is_there = any(not hit.faults for hit in hits)
                    found[look, attack] += is_there
                    if not is_there:
                        faults = [hit.faults for hit in hits]
                        missed.append(f"{path.name}, {look}, {attack}: {faults}")
    command.progress()
    rows: list[list[Any]] = [
        [look, drawn[look], *(found[look, attack] for attack in AFTER)]
        for look in LOOKS
    ]
    total = sum(drawn.values())
    shares = [percent(sum(found[x, one] for x in LOOKS), total) for one in AFTER]
    rows.append(["share, %", total, *shares])
    print(f"\n{table(['notice', ' drawn', *(f' {one}' for one in AFTER)], rows)}")
    print(f"\nUnmarked: {len(alarms)} alarms in {looked * len(AFTER)} files.")
    for line in (*missed, *alarms):
        print(f"- {line}")
    if options.json:
        figures = {"about": command.about("av"), "found": rows}
        command.write(figures | {"missed": missed, "alarms": alarms}, options.json)
    return 0


def _labeled(clip: reads.Clip, folder: Path, notice: VideoNotice) -> Path:
    """Draw a notice on a clip, without loss of anything else."""
    target = folder / "labeled.mkv"
    target.unlink(missing_ok=True)
    drawing = ClipNotice(notice, clip.path, clip.video)
    media.write(target, clip.path, clip.video, drawing.draw, format="mkv", codec="ffv1")
    return target


def _found(
    clip: reads.Clip, path: Path, attack: str, folder: Path
) -> list[FoundVideoNotice]:
    """Look for notices on what an attack leaves."""
    footage = reads.footage_of(clip, path, clip.path)
    (changed,) = change(attack, footage, folder / "attacked")
    return [*ClipSubject(changed, None).find_notices()]


if __name__ == "__main__":
    sys.exit(main())
