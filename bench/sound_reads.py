"""Mark sounds, change them, read windows of them back, and look for false alarms."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from clock import timed
from numpy.typing import NDArray
from sound_changes import Scene, change, resample
from sound_quality import Flutter, flutter, pesq_wb, visqol
from spans import overlap

from synthmark import Detection, Key, Payload, detect_audio, embed_audio
from synthmark.kernels import bands
from synthmark.kernels.chance import rarity
from synthmark.labeling.marks.listening import UNCHANGED, Chunk, looks
from synthmark.labeling.marks.timeline import timeline_of
from synthmark.labeling.media import audio

__all__ = [
    "LEVELS",
    "SPEECH",
    "Clip",
    "Marked",
    "Read",
    "Wrong",
    "calibrate",
    "mark",
    "open_folder",
    "place",
    "read",
    "scene_without",
    "wrong_reads",
]

SPEECH = ("sp", "tts")
MUSIC = ("mu",)
LEVELS = tuple(10.0**-k for k in range(1, 7))
WORDS = 64  # payloads that are compared with each look
PAD_S = 12.0

Sound = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Clip:
    """A sound of a folder; the first part of its name tells the genre."""

    name: str
    samples: Sound
    rate: int

    @property
    def genre(self) -> str:
        """What kind of sound it is."""
        return self.name.partition("_")[0]

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate


@dataclass(frozen=True, eq=False)
class Marked:
    """A marked clip and what that changed."""

    clip: Clip
    samples: Sound
    payload: Payload
    key: Key
    embed_ms: float
    flutter: Flutter
    pesq: float | None = None
    visqol: float | None = None


@dataclass(frozen=True)
class Read:
    """What one window gave."""

    attack: str
    exact: bool
    found: bool
    wrong: bool
    seconds: float
    detect_ms: float
    overlap: float | None = None


@dataclass
class Wrong:
    """Reads that must find nothing."""

    reads: int = 0
    found: int = 0
    least: float = 1.0
    by_genre: Counter[str] = field(default_factory=Counter)


def open_folder(folder: Path, limit: int | None = None) -> list[Clip]:
    """Read the FLAC and WAV files of a folder."""
    files = sorted(p for p in folder.iterdir() if p.suffix in (".flac", ".wav"))
    clips = []
    for path in files[:limit]:
        samples = np.concatenate(list(audio.blocks(path)))
        clips.append(Clip(path.name, samples, audio.describe(path).rate_hz))
    return clips


def scene_without(clips: Sequence[Clip], clip: Clip) -> Scene:
    """Return the other clips, to mix with."""

    def of(kinds: tuple[str, ...]) -> tuple[tuple[Sound, int], ...]:
        return tuple(
            (one.samples.mean(axis=1, keepdims=True), one.rate)
            for one in clips
            if one is not clip and one.genre in kinds
        )

    return Scene(of(SPEECH), of(MUSIC))


def mark(clip: Clip, seed: int, strength: float, compare: bool = True) -> Marked:
    """Mark a clip, and compare it with what it was."""
    number = int.from_bytes(hashlib.sha256(f"{seed} {clip.name}".encode()).digest()[:8])
    payload = Payload(issuer=number >> 44, serial=number & (1 << 40) - 1)
    key = _key(seed)
    samples, spent = timed(
        embed_audio, clip.samples, clip.rate, payload, key, strength=strength
    )
    pair = clip.samples, samples, clip.rate
    return Marked(
        clip=clip,
        samples=np.clip(samples, -1, 1),
        payload=payload,
        key=key,
        embed_ms=spent,
        flutter=flutter(*pair),
        pesq=pesq_wb(*pair) if compare and clip.genre in SPEECH else None,
        visqol=visqol(*pair) if compare else None,
    )


def read(
    marked: Marked, attack: str, seconds: float, windows: int, seed: int, scene: Scene
) -> Iterator[Read]:
    """Change a marked clip and read windows of it."""
    rate = marked.clip.rate
    changed = change(attack, marked.samples, rate, seed, scene)
    for window in _windows(marked.clip, changed, seconds, windows, seed):
        hit, spent = timed(detect_audio, window, rate, marked.key)
        yield _read(marked, attack, hit, len(window) / rate, spent)


def place(
    marked: Marked, attack: str, seed: int, scene: Scene, other: tuple[Sound, int]
) -> Read:
    """Put a marked clip into a longer sound, change that, and find it."""
    rate = marked.clip.rate
    pad = int(PAD_S * rate)
    unmarked = np.resize(resample(other[0], other[1], rate), (2 * pad, 1))
    level = np.sqrt(np.mean(marked.samples**2) / np.mean(unmarked**2))
    unmarked = np.repeat(level * unmarked, marked.samples.shape[1], axis=1)
    whole = np.concatenate([unmarked[:pad], marked.samples, unmarked[pad:]])
    whole = change(attack, np.clip(whole, -1, 1), rate, seed, scene)
    hit, spent = timed(detect_audio, whole, rate, marked.key)
    truth = (PAD_S, PAD_S + marked.clip.seconds)
    seconds = len(whole) / rate
    return _read(marked, attack, hit, seconds, spent, overlap(hit.spans, truth))


def wrong_reads(
    marked: Marked, attack: str, seconds: float, keys: int, seed: int, scene: Scene
) -> Wrong:
    """Read an unmarked window with the key, and a marked one with other keys."""
    found = Wrong()
    rate, clip = marked.clip.rate, marked.clip
    others = [_key(seed, number) for number in range(keys)]
    for samples, tried in (
        (clip.samples, [marked.key, *others]),
        (marked.samples, others),
    ):
        changed = change(attack, samples, rate, seed, scene)
        window = next(_windows(clip, changed, seconds, 1, seed))
        hit = detect_audio(window, rate, tried)
        found.reads += len(tried)
        found.found += hit.found
        found.least = min(found.least, hit.p_value)
        found.by_genre[clip.genre] += len(tried)
    return found


def calibrate(
    clip: Clip, keys: int, seconds: float, seed: int
) -> tuple[int, list[int]]:
    """Count how often random payloads agree with a sound that holds none.

    Returns
    -------
    int
        Number of comparisons.
    list of int
        Those with a stated p-value up to each of `LEVELS`, for a single payload.
    """
    window = next(_windows(clip, clip.samples, seconds, 1, seed))
    size = len(bands.window(clip.rate))
    ticks = np.arange(len(window) * bands.TICKS // clip.rate)
    power = np.zeros((len(ticks), size // 2 + 1), np.float32)
    for channel in window.T:
        power += np.abs(bands.spectra(channel, 0, ticks, clip.rate)) ** 2
    chunk = Chunk(bands.loudness(power, clip.rate), clip.rate / size)
    cells = chunk.cells(UNCHANGED)
    rng = np.random.default_rng(seed)
    total, counts = 0, [0] * len(LEVELS)
    for number in range(keys):
        timeline = timeline_of(_key(seed, number))
        for look in looks(cells, UNCHANGED, [timeline])[:2]:
            folded = look.folded()
            for _ in range(WORDS):
                payload = Payload.from_int(int(rng.integers(1 << 63)))
                nats = rarity(*timeline.evidence(folded, payload))
                total += 1
                for index, level in enumerate(LEVELS):
                    counts[index] += nats >= -math.log(level)
    return total, counts


def _key(seed: int, number: int = -1) -> Key:
    return Key.from_bytes(hashlib.sha256(f"bench {seed} {number}".encode()).digest())


def _windows(
    clip: Clip, samples: Sound, seconds: float, count: int, seed: int
) -> Iterator[Sound]:
    length = round(seconds * clip.rate)
    room = len(samples) - length
    if room <= 0:
        yield samples
        return
    rng = np.random.default_rng([seed, *clip.name.encode()])
    for start in rng.integers(0, room + 1, count).tolist():
        yield samples[start : start + length]


def _read(
    marked: Marked,
    attack: str,
    hit: Detection,
    seconds: float,
    spent: float,
    overlap: float | None = None,
) -> Read:
    exact = hit.payload == marked.payload
    wrong = hit.payload is not None and not exact
    return Read(attack, exact, hit.found, wrong, seconds, spent, overlap)
