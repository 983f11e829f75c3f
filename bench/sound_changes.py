"""What happens to sounds: codecs, telephones, noise, rooms, cuts, speed and pitch.

Every change takes and returns float32 samples of shape (frames, channels), keeps rate
and channels, and draws what is random from a generator. Codecs and stretching are done
by the command ffmpeg, AMR by sox.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import signal

__all__ = ["ATTACKS", "CURVES", "GROUPS", "Scene", "change", "resample"]

Sound = NDArray[np.float32]
Change = Callable[[Sound, int, np.random.Generator, "Scene"], Sound]


@dataclass(frozen=True)
class Scene:
    """Other sounds to mix with, one channel each, and their rates."""

    speech: tuple[tuple[Sound, int], ...] = ()
    music: tuple[tuple[Sound, int], ...] = ()

    def babble(self, frames: int, rate: int) -> Sound:
        """Return up to four voices at once, shape (frames, 1)."""
        return _overlaid(self.speech[:4], frames, rate)

    def song(self, frames: int, rate: int) -> Sound:
        """Return a piece of music, shape (frames, 1)."""
        return _overlaid(self.music[:1], frames, rate)


def change(name: str, x: Sound, rate: int, seed: int, scene: Scene) -> Sound:
    """Run an attack, or several in a row with "+" between their names."""
    for part in name.split("+"):
        rng = np.random.default_rng([seed, *part.encode()])
        x = np.ascontiguousarray(ATTACKS[part](x, rate, rng, scene), np.float32)
    return x


def resample(x: Sound, old: float, new: float) -> Sound:
    """Change the rate along the first axis, polyphase."""
    ratio = Fraction(new / old).limit_denominator(1000)
    if ratio == 1:
        return x
    out = signal.resample_poly(x, ratio.numerator, ratio.denominator, axis=0)
    return np.asarray(out, np.float32)


def _rms(x: Sound) -> float:
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64)) + 1e-20))


def _mixed(x: Sound, noise: Sound, decibels: float) -> Sound:
    return x + noise * np.float32(_rms(x) / _rms(noise) * 10 ** (-decibels / 20))


def _overlaid(parts: tuple[tuple[Sound, int], ...], frames: int, rate: int) -> Sound:
    out = np.zeros((frames, 1), np.float32)
    for number, (part, own) in enumerate(parts):
        heard = np.resize(resample(part, own, rate), (frames, 1))
        out += np.roll(heard, 7919 * number, axis=0) / _rms(heard)
    return out


def _run(*words: str | Path) -> None:
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


def _through(
    x: Sound, rate: int, suffix: str, *options: str, channels: int | None = None
) -> Sound:
    """Encode 16-bit samples by ffmpeg to a file, and decode it."""
    with tempfile.TemporaryDirectory() as folder:
        source, middle = Path(folder, "in.raw"), Path(folder, f"file.{suffix}")
        target = Path(folder, "out.raw")
        clipped = np.clip(np.round(32768 * x), -32768, 32767).astype("<i2")
        source.write_bytes(clipped.tobytes())
        quiet = ("ffmpeg", "-v", "error", "-y")
        raw = ("-ar", str(rate), "-ac", str(x.shape[1]))
        mixed = ("-ac", str(channels)) if channels else ()
        _run(*quiet, "-f", "s16le", *raw, "-i", source, *mixed, *options, middle)
        _run(*quiet, "-i", middle, *raw, "-f", "f32le", target)
        found = np.frombuffer(target.read_bytes(), "<f4")
    return found.reshape(-1, x.shape[1]).astype(np.float32)


def _codec(suffix: str, *options: str, channels: int | None = None) -> Change:
    return lambda x, rate, rng, scene: _through(
        x, rate, suffix, *options, channels=channels
    )


def _filtered(chain: str) -> Change:
    return lambda x, rate, rng, scene: _through(x, rate, "wav", "-af", chain)


def _amr(x: Sound, rate: int, rng: np.random.Generator, scene: Scene) -> Sound:
    with tempfile.TemporaryDirectory() as folder:
        source, middle = Path(folder, "in.raw"), Path(folder, "file.amr-nb")
        target = Path(folder, "out.raw")
        mono = np.clip(x.mean(axis=1), -1, 1).astype("<f4")
        source.write_bytes(mono.tobytes())
        form = ("-t", "raw", "-e", "floating-point", "-b", "32", "-c", "1")
        best = ("-r", "8000", "-C", "7")
        _run("sox", "-R", *form, "-r", str(rate), source, *best, middle)
        _run("sox", "-R", middle, *form, "-r", "8000", target)
        found = np.frombuffer(target.read_bytes(), "<f4").astype(np.float32)
    return np.repeat(resample(found[:, None], 8000, rate), x.shape[1], axis=1)


def _rate(new: int) -> Change:
    return lambda x, rate, rng, scene: resample(resample(x, rate, new), new, rate)


def _band(kind: str, *edges: float) -> Change:
    def run(x: Sound, rate: int, rng: np.random.Generator, scene: Scene) -> Sound:
        inside = np.minimum(edges, 0.48 * rate)
        if kind == "lowpass" and edges[0] >= 0.48 * rate:
            return x
        taps = signal.butter(6, inside.squeeze(), kind, fs=rate, output="sos")
        return np.asarray(signal.sosfilt(taps, x, axis=0), np.float32)

    return run


def _white(decibels: float) -> Change:
    def run(x: Sound, rate: int, rng: np.random.Generator, scene: Scene) -> Sound:
        return _mixed(x, rng.standard_normal(x.shape, np.float32), decibels)

    return run


def _pink_noise(shape: tuple[int, ...], rng: np.random.Generator) -> Sound:
    spectrum = np.fft.rfft(rng.standard_normal(shape), axis=0)
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))[:, None]
    return np.fft.irfft(spectrum, shape[0], axis=0).astype(np.float32)


def _pink(decibels: float) -> Change:
    return lambda x, rate, rng, scene: _mixed(x, _pink_noise(x.shape, rng), decibels)


def _babble(decibels: float) -> Change:
    def run(x: Sound, rate: int, rng: np.random.Generator, scene: Scene) -> Sound:
        voices = np.repeat(scene.babble(len(x), rate), x.shape[1], axis=1)
        return _mixed(x, voices, decibels)

    return run


def _music(x: Sound, rate: int, rng: np.random.Generator, scene: Scene) -> Sound:
    return _mixed(x, np.repeat(scene.song(len(x), rate), x.shape[1], axis=1), 10)


def _gain(factor: float) -> Change:
    return lambda x, rate, rng, scene: np.clip(np.float32(factor) * x, -1, 1)


def _eight_bits(x: Sound, rate: int, rng: np.random.Generator, scene: Scene) -> Sound:
    return np.round(127 * np.clip(x, -1, 1)) / np.float32(127)


def _echo(x: Sound, rate: int, rng: np.random.Generator, scene: Scene) -> Sound:
    late = np.zeros_like(x)
    late[rate // 10 :] = x[: -(rate // 10)]
    return x + late / np.float32(2)


def _room(seconds: float) -> Change:
    def run(x: Sound, rate: int, rng: np.random.Generator, scene: Scene) -> Sound:
        times = np.arange(int(seconds * rate)) / rate
        answer = rng.standard_normal(len(times)) * 10 ** (-3 * times / seconds)
        answer[times < 0.004] = 0
        answer *= 0.7 / np.linalg.norm(answer)
        answer[0] = 1
        heard = signal.fftconvolve(x, answer[:, None], axes=0)
        return np.asarray(heard[: len(x)], np.float32)

    return run


def _speaker(x: Sound, rate: int, rng: np.random.Generator, scene: Scene) -> Sound:
    """Play by a small loudspeaker in a room, record by a telephone across it."""
    edges = (250.0, min(9000.0, 0.45 * rate))
    taps = signal.butter(2, edges, "bandpass", fs=rate, output="sos")
    played = np.asarray(signal.sosfilt(taps, x, axis=0), np.float32)
    played = 0.6 * np.tanh(1.5 * played / (np.abs(played).max() + 1e-9))
    heard = _room(0.4)(played, rate, rng, scene)
    return _mixed(heard, _pink_noise(heard.shape, rng), 22)


def _shift(x: Sound, rate: int, rng: np.random.Generator, scene: Scene) -> Sound:
    return x[int(rng.integers(1, rate // 2)) :]


def _dropped(x: Sound, rate: int, rng: np.random.Generator, scene: Scene) -> Sound:
    return x[rng.random(len(x)) >= 0.01]


def _spliced(x: Sound, rate: int, rng: np.random.Generator, scene: Scene) -> Sound:
    """Cut five pieces out, a tenth in all, and join what is left over 5 ms."""
    piece, join = len(x) // 50, rate // 200
    starts = np.sort(rng.choice(len(x) // (2 * piece), 5, replace=False)) * 2 * piece
    ramp = np.linspace(0, 1, join, dtype=np.float32)[:, None]
    out = x[: starts[0]]
    for start, stop in zip(starts, [*starts[1:], len(x)], strict=True):
        rest = x[start + piece : stop]
        if len(out) < join:
            out = rest
            continue
        seam = (1 - ramp) * out[-join:] + ramp * rest[:join]
        out = np.concatenate([out[:-join], seam, rest[join:]])
    return out


def _speed(factor: float) -> Change:
    return lambda x, rate, rng, scene: resample(x, factor, 1)


def _tempo(factor: float, engine: str = "atempo") -> Change:
    names = {"atempo": f"atempo={factor}", "rubberband": f"rubberband=tempo={factor}"}
    return _filtered(names[engine])


def _pitch(semitones: float, tempo: float = 1.0) -> Change:
    factor = 2 ** (semitones / 12)
    return _filtered(f"rubberband=pitch={factor:.6f}:tempo={tempo}")


def _mono(x: Sound, rate: int, rng: np.random.Generator, scene: Scene) -> Sound:
    return np.repeat(x.mean(axis=1, keepdims=True), x.shape[1], axis=1)


_COMPRESSOR = (
    "acompressor=threshold=0.06:ratio=6:attack=5:release=80:makeup=3,"
    "alimiter=limit=0.95:level=0"
)
_EQUALIZER = ",".join(
    f"equalizer=f={hertz}:t=o:w=1:g={gain}"
    for hertz, gain in ((120, 6), (400, -6), (1200, 5), (3500, -6))
)
_PHONE = ("-ar", "8000")

GROUPS: dict[str, dict[str, Change]] = {
    "none": {"identity": lambda x, rate, rng, scene: x},
    "codec": {
        **{
            f"mp3_{k}": _codec("mp3", "-c:a", "libmp3lame", "-b:a", f"{k}k")
            for k in (128, 64, 32)
        },
        **{
            f"aac_{k}": _codec("m4a", "-c:a", "aac", "-b:a", f"{k}k")
            for k in (128, 64, 32)
        },
        **{
            f"opus_{k}": _codec("opus", "-c:a", "libopus", "-b:a", f"{k}k")
            for k in (64, 24, 12)
        },
        "vorbis_3": _codec("ogg", "-c:a", "libvorbis", "-q:a", "3"),
    },
    "telephone": {
        "mu_law": _codec("wav", "-c:a", "pcm_mulaw", *_PHONE, channels=1),
        "gsm": _codec("wav", "-c:a", "libgsm_ms", *_PHONE, channels=1),
        "amr_nb": _amr,
    },
    "resampling": {f"rate_{k}k": _rate(1000 * k) for k in (8, 16, 24)},
    "filter": {
        "lowpass_3.4k": _band("lowpass", 3400),
        "highpass_500": _band("highpass", 500),
        "bandpass_phone": _band("bandpass", 300, 3400),
        "equalizer": _filtered(_EQUALIZER),
    },
    "noise": {
        "white_30": _white(30),
        "white_20": _white(20),
        "white_10": _white(10),
        "pink_20": _pink(20),
        "babble_10": _babble(10),
        "music_10": _music,
    },
    "level": {
        "gain_0.1": _gain(0.1),
        "gain_2_clipped": _gain(2.0),
        "compressor": _filtered(_COMPRESSOR),
        "eight_bits": _eight_bits,
    },
    "room": {"echo": _echo, "room_0.5": _room(0.5), "speaker_mic": _speaker},
    "edit": {"shift": _shift, "drop_1%": _dropped, "splice": _spliced},
    "channel": {
        "mono": _mono,
        "polarity": lambda x, rate, rng, scene: -x,
        "swap": lambda x, rate, rng, scene: x[:, ::-1],
    },
    "speed": {f"speed_{s}": _speed(s) for s in (0.8, 0.9, 0.99, 1.01, 1.1, 1.25)},
    "tempo": {
        **{f"tempo_{t}": _tempo(t) for t in (0.9, 0.95, 1.05, 1.1)},
        "tempo_1.1_smooth": _tempo(1.1, "rubberband"),
    },
    "pitch": {"pitch_-1": _pitch(-1), "pitch_1": _pitch(1)},
    "both": {
        f"pitch_{p:g}_tempo_{t}": _pitch(p, t)
        for p, t in ((-1, 0.9), (-0.5, 1.1), (0.7, 0.93), (1, 1.1))
    },
}
"""Names carry their parameters: kbit/s, kHz, dB over noise, factors, semitones."""

_BETWEEN: dict[str, Change] = {
    **{f"white_{db}": _white(db) for db in (25, 15, 5, 0)},
    **{f"babble_{db}": _babble(db) for db in (20, 15, 5, 0)},
    **{
        f"mp3_{k}": _codec("mp3", "-c:a", "libmp3lame", "-b:a", f"{k}k")
        for k in (24, 16)
    },
    **{f"aac_{k}": _codec("m4a", "-c:a", "aac", "-b:a", f"{k}k") for k in (24, 16)},
    **{f"opus_{k}": _codec("opus", "-c:a", "libopus", "-b:a", f"{k}k") for k in (8, 6)},
    **{f"speed_{s}": _speed(s) for s in (0.77, 0.85, 0.95, 1.05, 1.15, 1.2, 1.29)},
}

ATTACKS = _BETWEEN | {
    name: run for group in GROUPS.values() for name, run in group.items()
}

CURVES: dict[str, dict[str, tuple[float, ...]]] = {
    "signal to noise, dB": {
        "white": (30, 25, 20, 15, 10, 5, 0),
        "babble": (20, 15, 10, 5, 0),
    },
    "kbit/s": {
        "mp3": (128, 64, 32, 24, 16),
        "aac": (128, 64, 32, 24, 16),
        "opus": (64, 24, 12, 8, 6),
    },
    "speed": {
        "speed": (0.77, 0.8, 0.85, 0.9, 0.95, 1.05, 1.1, 1.15, 1.2, 1.25, 1.29),
    },
}
"""By axis and kind, the parameters from which names of attacks are made."""
