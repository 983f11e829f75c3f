"""Mark clips without loss, change them, read them back, and look for false alarms."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree

import video_attacks
from clock import timed
from spans import overlap
from video_attacks import AROUND_S, Footage
from video_quality import Change

from synthmark import Detection, Key, Payload
from synthmark.labeling.marks.video import EVERY_S, VideoReader
from synthmark.labeling.marks.video_writer import Plan, VideoWriter, plan
from synthmark.labeling.media import video as media

__all__ = [
    "LARGE",
    "WINDOW_S",
    "Clip",
    "Marked",
    "Read",
    "Wrong",
    "footage_of",
    "key_of",
    "mark",
    "open_clip",
    "payload_of",
    "read",
    "search",
    "sizes",
    "windows",
    "wrong_reads",
]

GLIMPSES = 12
LARGE = 720  # short side from which single pictures are expected to be read
WINDOW_S = 1.0  # of what is searched for false alarms
SIZES = (18, 23, 28)
ALL = (0.0, math.inf)


@dataclass(frozen=True)
class Clip:
    """The first seconds of a video of the folder, without loss and without sound."""

    name: str
    path: Path
    video: media.Video

    @property
    def short(self) -> int:
        """Its short side in pixels."""
        return min(self.video.width, self.video.height)


@dataclass
class Marked:
    """A marked clip, without loss, and what that changed and took."""

    clip: Clip
    path: Path
    payload: Payload
    key: Key
    plan: Plan
    plan_ms: float
    mark_ms: float = 0.0
    change: Change = field(default_factory=Change)


@dataclass(frozen=True)
class Read:
    """What one file gave."""

    attack: str
    clip: str
    short: int
    exact: bool
    wrong: bool
    p_value: float
    frames: int
    detect_ms: float
    overlap: float | None = None


@dataclass
class Wrong:
    """Reads that must find nothing."""

    windows: int = 0
    reads: int = 0
    found: int = 0
    least: float = 1.0


def open_clip(path: Path, folder: Path, seconds: float) -> Clip:
    """Decode the beginning of a video into a file without loss, turned upright.

    Raises
    ------
    RuntimeError
        ffmpeg cannot.
    MediaError
        It is not a video that can be written.
    """
    folder.mkdir(exist_ok=True)
    plain = folder / f"{path.name}.plain.mkv"
    output = ("-t", f"{seconds:g}", "-fps_mode", "passthrough", "-c:v", "ffv1")
    video_attacks.run("-i", path, "-map", "0:v:0", "-an", *output, plain)
    return Clip(path.name, plain, media.describe(plain))


def mark(clip: Clip, seed: int, strength: float) -> Marked:
    """Mark a clip, and compare it with what it was."""
    video, key = clip.video, key_of(seed)
    payload = payload_of(seed, clip.name)
    glimpses = media.glimpses(clip.path, video, GLIMPSES)
    samples = [frame.luma.copy() for frame in glimpses]
    tried, spent = timed(
        plan,
        *(samples, payload, key),
        bits=video.bits,
        transfer=video.transfer,
        strength=strength,
    )
    writer = VideoWriter(
        *(video.height, video.width, payload, key),
        bits=video.bits,
        transfer=video.transfer,
        plan=tried,
    )
    path = clip.path.with_suffix(".marked.mkv")
    one = Marked(clip, path, payload, key, tried, spent)

    def change(frame: media.Frame) -> None:
        plain = frame.luma.copy()
        one.mark_ms += timed(writer.mark, frame.luma, frame.time_s)[1]
        one.change.add(plain, frame.luma, video.bits)

    media.write(path, clip.path, video, change, format="mkv", codec="ffv1")
    return one


def search(
    path: Path, keys: Sequence[Key], window: tuple[float, float] = ALL
) -> tuple[Detection, int]:
    """Look for a mark; return what was found and how many frames there were."""
    video = media.describe(path)
    reader = VideoReader(keys)
    for frame in media.frames(path, video, every_s=EVERY_S):
        if window[0] <= frame.time_s < window[1]:
            is_key = bool(frame.picture.key_frame)
            reader.push(frame.luma, frame.time_s, bits=video.bits, is_key=is_key)
    end_s = min(window[1], video.duration_s) or None
    count = video.frames or round(video.duration_s * video.frame_rate) or 1
    return reader.finish(end_s), count


def read(marked: Marked, attack: str, folder: Path, other: Path) -> Iterator[Read]:
    """Attack a marked clip and read what comes out."""
    footage = footage_of(marked.clip, marked.path, other)
    truth = (AROUND_S, AROUND_S + footage.seconds) if attack == "splice" else None
    for path in video_attacks.change(attack, footage, folder / "attacked"):
        (hit, frames), spent = timed(search, path, [marked.key])
        exact = hit.payload == marked.payload
        yield Read(
            attack=attack,
            clip=marked.clip.name,
            short=marked.clip.short,
            exact=exact,
            wrong=hit.payload is not None and not exact,
            p_value=hit.p_value,
            frames=frames,
            detect_ms=spent,
            overlap=None if truth is None else overlap(hit.spans, truth),
        )
    rmtree(folder / "attacked")


def windows(
    marked: Marked, attack: str, lengths: Sequence[float], folder: Path, other: Path
) -> Iterator[tuple[float, bool]]:
    """Read some seconds out of the middle of an attacked clip.

    Yields
    ------
    seconds : float
        One of `lengths` that the clip has.
    exact : bool
    """
    footage = footage_of(marked.clip, marked.path, other)
    (path,) = video_attacks.change(attack, footage, folder / "attacked")
    for length in lengths:
        spare = footage.seconds - length
        if spare > -0.1:
            start = spare / 2 if spare > 0.1 else 0.0
            hit, _ = search(path, [marked.key], (start, start + length))
            yield length, hit.payload == marked.payload
    rmtree(folder / "attacked")


def wrong_reads(
    marked: Marked, attack: str, keys: int, seed: int, folder: Path, other: Path
) -> Wrong:
    """Read an unmarked clip with the key, and a marked one with others."""
    found = Wrong()
    others = [key_of(seed, number) for number in range(keys)]
    cases = [(marked.clip.path, [marked.key, *others]), (marked.path, others)]
    for source, tried in cases:
        if not tried:
            continue
        footage = footage_of(marked.clip, source, other)
        (path,) = video_attacks.change(attack, footage, folder / "attacked")
        for number in range(max(1, int(media.describe(path).duration_s / WINDOW_S))):
            start = number * WINDOW_S
            hit, _ = search(path, tried, (start, start + WINDOW_S))
            found.windows += 1
            found.reads += len(tried)
            found.found += hit.found
            found.least = min(found.least, hit.p_value)
        rmtree(folder / "attacked")
    return found


def sizes(marked: Marked, folder: Path) -> list[float]:
    """Return by how many percent the mark makes H.264 larger, for each of `SIZES`."""
    grown = []
    for crf in SIZES:
        taken = []
        for source in (marked.clip.path, marked.path):
            footage = footage_of(marked.clip, source, source)
            made = video_attacks.change(f"h264_{crf}", footage, folder / "attacked")
            taken.append(made[0].stat().st_size)
            rmtree(folder / "attacked")
        grown.append(100 * (taken[1] / taken[0] - 1))
    return grown


def payload_of(seed: int, name: str) -> Payload:
    """Return the payload for a clip."""
    number = int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:8])
    return Payload(issuer=number >> 44, serial=number & (1 << 40) - 1)


def key_of(seed: int, number: int = -1) -> Key:
    """Return the key of the bench, or one of those that are wrong."""
    return Key.from_bytes(hashlib.sha256(f"bench {seed} {number}".encode()).digest())


def footage_of(clip: Clip, path: Path, other: Path) -> Footage:
    """Return a clip, or what was made from it, as something to be attacked."""
    video = clip.video
    rate = float(video.frame_rate)
    frames = video.frames or max(1, round(video.duration_s * rate))
    seconds = video.duration_s or frames / rate
    return Footage(path, other, video.width, video.height, rate, frames, seconds)
