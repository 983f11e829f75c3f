"""Measure the invisible audio mark on a folder of sounds, and print tables.

Run it from a checkout: ``python bench/audio_mark.py FOLDER``. Names of the files begin
with the genre: ``sp_`` and ``tts_`` for speech, ``mu_`` for music, or any other.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import clock  # noqa: F401 - decides the number of threads of all that follow

# isort: split
import command
import sound_reads as reads
from report import percent, table, upper_bound
from sound_changes import ATTACKS, GROUPS
from sound_quality import flutter, steady_tones, visqol

from synthmark import detect_audio, embed_audio

__all__ = ["SETS", "main"]

CODECS = ("opus_24", "mp3_32", "gsm")
SETS: dict[str, tuple[str, ...]] = {
    "table": tuple(name for group in GROUPS.values() for name in group),
    "hard": ("opus_12", "gsm", "amr_nb", "speaker_mic", "white_20", "babble_10"),
    "chains": tuple(
        f"{scale}+{codec}"
        for scale in ("speed_0.9", "tempo_1.1", "pitch_1")
        for codec in CODECS
    ),
    "quick": ("identity", "mp3_64", "opus_12", "gsm", "white_20", "speed_0.9"),
}
FALSE = ("identity", "mp3_64", "white_20", "speed_0.9", "gsm")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("folder", type=Path, metavar="FOLDER", help="FLAC and WAV sounds")
    add("--limit", type=int, metavar="N", help="only the first N sounds")
    add("--seed", type=int, metavar="N", default=0, help="default: 0")
    add("--strength", type=float, default=1.0, help="of the mark (default: 1)")
    sets = f"by name, with + in a row, or {', '.join(SETS)} (default: table)"
    add("--attacks", type=_names, metavar="A,B", default=SETS["table"], help=sets)
    add("--seconds", type=float, default=5.0, help="that are read (default: 5)")
    add("--windows", type=int, default=2, help="read of each sound (default: 2)")
    add("--no-quality", action="store_true", help="leave PESQ and ViSQOL out")
    add("--tones", action="store_true", help="measure flutter of steady tones")
    add("--places", action="store_true", help="find marked parts of longer sounds")
    add("--unmarked", type=int, metavar="KEYS", default=0, help="look for false alarms")
    add("--calibrate", type=int, metavar="KEYS", default=0, help="look at p-values")
    add("--json", type=command.target, metavar="FILE", help="write the figures too")
    options = parser.parse_args(arguments)
    clips = reads.open_folder(options.folder, options.limit)
    if not clips:
        parser.error(f"{options.folder} holds no FLAC or WAV files")
    _warm_up(clips[0], options.seed)
    figures: dict[str, Any] = {"about": command.about()}
    marked = []
    for clip in clips:
        command.progress("mark", clip.name)
        marked.append(
            reads.mark(clip, options.seed, options.strength, not options.no_quality)
        )
    _show(figures, "quality", QUALITY, [_quality(one) for one in marked])
    if options.tones:
        rows = list(_tones(options.strength, options.seed))
        _show(figures, "steady tones", TONES, rows)
    found: list[reads.Read] = []
    for one in marked:
        scene = reads.scene_without(clips, one.clip)
        for attack in options.attacks:
            command.progress(one.clip.name, attack)
            found += reads.read(
                one, attack, options.seconds, options.windows, options.seed, scene
            )
    _show(figures, "reads", READS, list(_rows(found)))
    if options.places:
        _show(figures, "places", PLACES, list(_places(marked, clips, options.seed)))
    if options.unmarked:
        rows = list(_unmarked(marked, clips, options))
        _show(figures, "without a mark", UNMARKED, rows)
    if options.calibrate:
        rows = list(_calibration(clips, options))
        _show(figures, "p-values without a mark", CALIBRATION, rows)
    command.progress()
    if options.json:
        command.write(figures, options.json)
    return 0


QUALITY = (
    "sound",
    " s",
    " PESQ-WB",
    " ViSQOL",
    " flutter, mean dB",
    " own, mean dB",
    " embed, x real time",
)
TONES = (
    "tone",
    " most dB",
    " mean dB",
    " most, steady bands",
    " most / own, other bands",
    " ViSQOL",
    "read from 5 s",
)
READS = ("attack", " reads", " exact", " %", " wrong", " detect, x real time")
PLACES = ("attack", " reads", " exact", " IoU, mean", " least")
UNMARKED = ("attack", " reads", " found", " least p-value", " rate, 95 % bound")
CALIBRATION = ("genre", " compared", *(f" p <= {level:g}" for level in reads.LEVELS))


def _show(
    figures: dict[str, Any], name: str, head: Sequence[str], rows: list[list[object]]
) -> None:
    figures[name] = {"head": [cell.strip() for cell in head], "rows": rows}
    command.progress()
    print(f"\n{name.capitalize()}\n\n{table(head, rows)}", flush=True)


def _quality(one: reads.Marked) -> list[object]:
    return [
        one.clip.name,
        f"{one.clip.seconds:.1f}",
        "" if one.pesq is None else f"{one.pesq:.2f}",
        "" if one.visqol is None else f"{one.visqol:.2f}",
        f"{one.flutter.mean:.2f}",
        f"{one.flutter.own.mean():.1f}",
        f"{1000 * one.clip.seconds / one.embed_ms:.0f}",
    ]


def _tones(strength: float, seed: int) -> Iterable[list[object]]:
    rate = 44_100
    for name, tone in steady_tones(rate).items():
        one = reads.mark(reads.Clip(name, tone, rate), seed, strength, compare=False)
        found = flutter(tone, one.samples, rate)
        hit = detect_audio(one.samples[: 5 * rate], rate, one.key)
        yield [
            name,
            f"{found.most:.2f}",
            f"{found.mean:.2f}",
            f"{found.worst_steady:.2f}",
            f"{found.worst_ratio:.2f}",
            f"{visqol(tone, one.samples, rate):.2f}",
            "yes" if hit.payload == one.payload else "no",
        ]


def _rows(found: Sequence[reads.Read]) -> Iterable[list[object]]:
    by_attack: dict[str, list[reads.Read]] = defaultdict(list)
    for one in found:
        by_attack[one.attack].append(one)
    for attack, some in [*by_attack.items(), ("all", list(found))]:
        exact = sum(one.exact for one in some)
        seconds = sum(one.seconds for one in some)
        spent = sum(one.detect_ms for one in some) / 1000
        yield [
            attack,
            len(some),
            exact,
            percent(exact, len(some)),
            sum(one.wrong for one in some),
            f"{seconds / max(spent, 1e-9):.0f}",
        ]


def _places(
    marked: Sequence[reads.Marked], clips: Sequence[reads.Clip], seed: int
) -> Iterable[list[object]]:
    for attack in ("identity", "opus_12"):
        some = []
        for one in marked:
            scene = reads.scene_without(clips, one.clip)
            others = scene.speech + scene.music
            if not others:
                continue
            other = others[0]
            some.append(reads.place(one, attack, seed, scene, other))
        if not some:
            continue
        overlaps = [one.overlap or 0.0 for one in some]
        yield [
            attack,
            len(some),
            sum(one.exact for one in some),
            f"{sum(overlaps) / len(overlaps):.3f}",
            f"{min(overlaps):.3f}",
        ]


def _unmarked(
    marked: Sequence[reads.Marked],
    clips: Sequence[reads.Clip],
    options: argparse.Namespace,
) -> Iterable[list[object]]:
    for attack in FALSE:
        total = reads.Wrong()
        for one in marked:
            command.progress("unmarked", attack, one.clip.name)
            scene = reads.scene_without(clips, one.clip)
            found = reads.wrong_reads(
                one, attack, options.seconds, options.unmarked, options.seed, scene
            )
            total.reads += found.reads
            total.found += found.found
            total.least = min(total.least, found.least)
        bound = upper_bound(total.found, total.reads)
        yield [attack, total.reads, total.found, f"{total.least:.1e}", f"{bound:.1e}"]


def _calibration(
    clips: Sequence[reads.Clip], options: argparse.Namespace
) -> Iterable[list[object]]:
    totals: dict[str, list[int]] = defaultdict(lambda: [0] * (1 + len(reads.LEVELS)))
    for clip in clips:
        command.progress("calibrate", clip.name)
        total, counts = reads.calibrate(
            clip, options.calibrate, options.seconds, options.seed
        )
        for genre in (clip.genre, "all"):
            sums = totals[genre]
            totals[genre] = [a + b for a, b in zip(sums, [total, *counts], strict=True)]
    for genre, (total, *counts) in sorted(totals.items()):
        yield [genre, total, *(f"{count / total:.1e}" for count in counts)]


def _warm_up(clip: reads.Clip, seed: int) -> None:
    """Compile everything that is timed."""
    part = clip.samples[: 4 * clip.rate]
    one = reads.mark(reads.Clip(clip.name, part, clip.rate), seed, 1.0, compare=False)
    embed_audio(one.samples, clip.rate, one.payload, one.key)
    detect_audio(one.samples, clip.rate, one.key)
    detect_audio(part, clip.rate, one.key)


def _names(text: str) -> tuple[str, ...]:
    chosen: list[str] = []
    for word in text.split(","):
        chosen += SETS.get(word, (word,))
    unknown = {part for name in chosen for part in name.split("+")} - set(ATTACKS)
    if unknown:
        known = ", ".join((*SETS, *GROUPS, *ATTACKS))
        raise argparse.ArgumentTypeError(f"no attack {unknown}; there are: {known}")
    return tuple(dict.fromkeys(chosen))


if __name__ == "__main__":
    sys.exit(main())
