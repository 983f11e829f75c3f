"""The part of the fingerprint bench on sounds and videos."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import av
import command
import numpy as np
import sound_changes
import sound_reads
import video_attacks
from numpy.typing import NDArray

from synthmark.labeling.fingerprints.audio import fingerprint_audio
from synthmark.labeling.fingerprints.comparison import compare
from synthmark.labeling.fingerprints.fingerprint import Comparison, Fingerprint
from synthmark.labeling.fingerprints.video import fingerprint_video

__all__ = ["sound_rows", "video_rows"]

SOUNDS = (
    "identity",
    "mp3_64",
    "mp3_32",
    "opus_24",
    "rate_8k",
    "bandpass_phone",
    "gain_0.1",
    "white_20",
    "white_10",
    "babble_10",
    "speaker_mic",
    "tempo_0.95",
    "tempo_1.05",
    "speed_1.05",
)
VIDEOS = (
    "identity",
    "h264_33",
    "h264_43",
    "360p",
    "crop_80",
    "crop_50",
    "aspect_0.8",
    "rotate_5",
    "rotate_90",
    "flip",
    "letterbox",
    "fps_0.5",
    "speed_1.25",
    "trim_1",
    "gamma",
    "logo",
    "screen",
)
CUT_S = 10.0

Row = tuple[object, ...]
Worst = Callable[[Iterator[float]], float]


def sound_rows(folder: Path, seed: int) -> Iterator[Row]:
    """Change every sound, keep ten seconds of it, compare; then different sounds."""
    clips = sound_reads.open_folder(folder)
    prints = {clip.name: fingerprint_audio(clip.samples, clip.rate) for clip in clips}
    for attack in SOUNDS:
        found = []
        for clip in clips:
            command.progress(attack, clip.name)
            scene = sound_reads.scene_without(clips, clip)
            changed = sound_changes.change(attack, clip.samples, clip.rate, seed, scene)
            length = round(CUT_S * clip.rate)
            start = max(0, len(changed) - length) // 3
            part = fingerprint_audio(changed[start : start + length], clip.rate)
            found.append(compare(part, prints[clip.name]))
        yield _row(f"{attack}, 10 s", found)
    yield _row("different sounds", _pairs(prints.values()), min)


def video_rows(folder: Path) -> Iterator[Row]:
    """Change every video and compare; then different videos."""
    paths = sorted(p for p in folder.iterdir() if p.suffix in (".mp4", ".webm", ".mkv"))
    prints = {path: fingerprint_video(_frames(path)) for path in paths}
    with tempfile.TemporaryDirectory() as scratch:
        for attack in VIDEOS:
            found = []
            for path in paths:
                command.progress(attack, path.name)
                made = video_attacks.change(
                    attack, _footage(path), Path(scratch, "attacked")
                )
                at_hand = fingerprint_video(_frames(made[0]))
                found.append(compare(at_hand, prints[path]))
            yield _row(attack, found)
    yield _row("different videos", _pairs(prints.values()), min)


def _row(name: str, found: list[Comparison], worst: Worst = max) -> Row:
    verdicts = [one.same for one in found]
    counts = [verdicts.count(verdict) for verdict in (True, None, False)]
    return name, *counts, f"{worst(one.p_value for one in found):.0e}"


def _pairs(prints: Iterable[Fingerprint]) -> list[Comparison]:
    return [compare(a, b) for a, b in itertools.combinations(prints, 2)]


def _frames(path: Path) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.time is not None:
                yield frame.time, frame.to_ndarray(format="gray").astype(np.uint8)


def _footage(path: Path) -> video_attacks.Footage:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        rate = float(stream.average_rate or 25)
        seconds = float((container.duration or 0) / av.time_base)
        width, height = stream.codec_context.width, stream.codec_context.height
    frames = max(1, round(seconds * rate))
    return video_attacks.Footage(path, path, width, height, rate, frames, seconds)
