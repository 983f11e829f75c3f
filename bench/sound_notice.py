"""Measure the notice that people hear in sounds: whether it is found, how loud it is.

Run it from a checkout: ``python bench/sound_notice.py FOLDER``.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import clock  # noqa: F401 - decides the number of threads of all that follow

# isort: split
import command
import numpy as np
import sound_reads as reads
from numpy.typing import NDArray
from report import percent, table, upper_bound
from sound_changes import Scene, change

from synthmark.labeling.notices import audio, find_audio, insertion

__all__ = ["NOTICES", "main"]

NOTICES = {
    "zh": audio.AudioNotice(),
    "zh-short": audio.AudioNotice(short=True),
    "en": audio.AudioNotice(language="en"),
    "en-short": audio.AudioNotice(language="en", short=True),
    "rhythm": audio.AudioNotice(kind="rhythm"),
}
AFTER = (
    *("identity", "mp3_128", "mp3_64", "mp3_32", "aac_64", "aac_32"),
    *("opus_64", "opus_24", "opus_12", "vorbis_3", "mu_law", "gsm", "amr_nb"),
    *("rate_8k", "lowpass_3.4k", "white_20", "speaker_mic"),
)
UNMARKED = ("identity", "mp3_64", "gsm")
HEARD_S = 15.0  # of each sound that notices are put into
NEAR_S = 0.15  # of where a notice was put; codecs delay

Sound = NDArray[np.float32]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("folder", type=Path, metavar="FOLDER", help="FLAC and WAV sounds")
    add("--limit", type=int, metavar="N", help="only the first N sounds")
    add("--seed", type=int, metavar="N", default=0, help="default: 0")
    add("--json", type=command.target, metavar="FILE", help="write the figures too")
    options = parser.parse_args(arguments)
    clips = reads.open_folder(options.folder, options.limit)
    if not clips:
        parser.error(f"{options.folder} holds no FLAC or WAV files")
    figures: dict[str, Any] = {"about": command.about()}
    found: dict[tuple[str, str, str], list[bool]] = {}
    levels: dict[str, list[tuple[float, float]]] = {name: [] for name in NOTICES}
    others: dict[str, int] = {}
    seconds = dict.fromkeys(NOTICES, 0.0)
    for clip in clips:
        for name, notice in NOTICES.items():
            samples, placed = _put(clip, notice)
            seconds[name] = placed[0].end_s - placed[0].start_s
            levels[name] += (_levels(samples, clip.rate, one) for one in placed)
            for attack in AFTER:
                command.progress(clip.name, name, attack)
                changed = change(attack, samples, clip.rate, options.seed, Scene())
                heard = find_audio.find([changed], clip.rate)
                others[attack] = others.get(attack, 0) + len(heard)
                for one in placed:
                    hit = _is_found(heard, one)
                    others[attack] -= hit
                    found.setdefault((attack, name, one.place), []).append(hit)
    places = ("start", "middle", "end")
    head = ("after", *(f" {name}" for name in NOTICES), " others found")
    rows: list[list[object]] = [
        [
            attack,
            *(_share([found[attack, name, p] for p in places]) for name in NOTICES),
            others[attack],
        ]
        for attack in AFTER
    ]
    _show(figures, "found", head, rows)
    rows = [
        [p, *(_share([found[a, name, p] for a in AFTER]) for name in NOTICES)]
        for p in places
    ]
    _show(figures, "found by place", ("place", *head[1:-1]), rows)
    _show(figures, "level and pace", LEVELS, list(_loud(levels, seconds)))
    _show(figures, "without a notice", FALSE, list(_false(clips, options.seed)))
    if options.json:
        command.write(figures, options.json)
    return 0


LEVELS = (
    "notice",
    " s",
    " characters or words a minute",
    " over the sound, LU, least",
    " most",
    " stated less ffmpeg's, LU, least",
    " most",
)
FALSE = ("after", " sounds", " minutes", " found", " rate a sound, 95 % bound")


def _show(
    figures: dict[str, Any], name: str, head: Sequence[str], rows: list[list[object]]
) -> None:
    figures[name] = {"head": [cell.strip() for cell in head], "rows": rows}
    command.progress()
    print(f"\n{name.capitalize()}\n\n{table(head, rows)}", flush=True)


def _put(
    clip: reads.Clip, notice: audio.AudioNotice
) -> tuple[Sound, tuple[insertion.PlacedNotice, ...]]:
    """Put a notice before, into and behind the first seconds of a sound."""
    part = clip.samples[: int(HEARD_S * clip.rate)]
    middle = len(part) / clip.rate / 2
    made = insertion.AudioInsertion(
        [part], notice, rate=clip.rate, places=("start", middle, "end")
    )
    samples = np.concatenate(list(made))
    return samples, made.placed


def _is_found(
    heard: Sequence[find_audio.FoundAudioNotice], placed: insertion.PlacedNotice
) -> bool:
    return any(
        (one.kind, one.text) == (placed.kind, placed.text)
        and abs(one.start_s - placed.start_s) < NEAR_S
        for one in heard
    )


def _levels(
    samples: Sound, rate: int, placed: insertion.PlacedNotice
) -> tuple[float, float]:
    """Return how much louder a notice is than its sound, and than ffmpeg says."""
    first, last = (round(s * rate) for s in (placed.start_s, placed.end_s))
    over = 0.0 if placed.content_lufs is None else placed.content_lufs
    measured = _ebu_r128(samples[first:last], rate)
    return placed.level_lufs - over, placed.level_lufs - measured


def _ebu_r128(samples: Sound, rate: int) -> float:
    """Return the integrated loudness that ffmpeg measures, in LUFS."""
    raw = ("-f", "f32le", "-ar", str(rate), "-ac", str(samples.shape[1]), "-i", "-")
    run = subprocess.run(
        ["ffmpeg", "-hide_banner", *raw, "-af", "ebur128", "-f", "null", "-"],
        input=np.ascontiguousarray(samples, "<f4").tobytes(),
        capture_output=True,
        check=True,
    )
    text = run.stderr.decode(errors="replace")
    return float(re.findall(r"I:\s+(-?[\d.]+) LUFS", text)[-1])


def _share(lists: Sequence[Sequence[bool]]) -> str:
    hits = [hit for hits in lists for hit in hits]
    return f"{sum(hits)} of {len(hits)}"


def _loud(
    levels: dict[str, list[tuple[float, float]]], seconds: dict[str, float]
) -> Iterator[list[object]]:
    for name, pairs in levels.items():
        over, beyond = zip(*pairs, strict=True)
        text = audio.TEXTS[name]
        spoken = len(text if NOTICES[name].language == "zh" else re.split("[ -]", text))
        pace = "" if name == "rhythm" else f"{60 * spoken / seconds[name]:.0f}"
        extremes = (
            f"{x:+.2f}" for x in (min(over), max(over), min(beyond), max(beyond))
        )
        yield [name, f"{seconds[name]:.2f}", pace, *extremes]


def _false(clips: Sequence[reads.Clip], seed: int) -> Iterator[list[object]]:
    for attack in UNMARKED:
        count, minutes = 0, 0.0
        for clip in clips:
            command.progress("unmarked", attack, clip.name)
            changed = change(attack, clip.samples, clip.rate, seed, Scene())
            count += bool(find_audio.find([changed], clip.rate))
            minutes += clip.seconds / 60
        bound = percent(round(1000 * upper_bound(count, len(clips))), 1000)
        yield [attack, len(clips), f"{minutes:.1f}", count, f"{bound} %"]


if __name__ == "__main__":
    sys.exit(main())
