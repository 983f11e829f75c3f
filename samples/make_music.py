"""Play the samples of music and tone: `python samples/make_music.py [folder]`.

Every sound is a function of one seeded generator, so it comes out the same each time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthmark.labeling.media.audio import from_array, write

__all__ = ["SAMPLES", "main"]

Wave = NDArray[np.float64]

SEED = 8
RATE = 44100
PEAK = 0.8

# Four bars of four beats, then a chord that rings out.
BEAT_S = 60 / 88
BARS = 4
MUSIC_S = 12.5

# D, B minor 7, G major 7, A with a fourth, D: MIDI notes from the bass upwards.
CHORDS = (
    (38, 57, 62, 66, 69),
    (35, 57, 62, 66, 71),
    (43, 59, 62, 66, 71),
    (45, 57, 62, 64, 69),
    (38, 57, 62, 66, 69),
)
# Which note of the chord is plucked on each half beat; 0 is the bass.
PATTERN = (0, 2, 3, 4, 1, 3, 4, 2)
# Beat, length in beats and MIDI note.
MELODY = (
    (1.0, 1.5, 78),
    (2.5, 0.5, 76),
    (3.0, 2.0, 74),
    (5.5, 0.5, 76),
    (6.0, 2.0, 78),
    (8.0, 1.0, 83),
    (9.0, 1.5, 81),
    (10.5, 1.5, 78),
    (12.0, 1.0, 76),
    (13.0, 1.0, 81),
    (14.0, 1.5, 79),
    (15.5, 0.5, 76),
    (16.0, 3.0, 78),
)

TONE_S = 5.0
TONE_HZ = 220.0
# Harmonics on which pipes stand, and how loud: the chord is pure, and all of it steady.
PIPES = {1: 1.0, 2: 0.8, 3: 0.7, 4: 0.5, 5: 0.6, 6: 0.4, 8: 0.3}


def music(rng: np.random.Generator) -> Wave:
    """Play plucked strings over a pad, with light percussion, in a room."""
    dry = np.zeros((round(MUSIC_S * RATE), 2))
    room = np.zeros_like(dry)
    for bar, chord in enumerate(CHORDS):
        start = 4 * bar * BEAT_S
        lasts = min(4 * BEAT_S, MUSIC_S - start)
        for note in chord[1:]:
            sound = pad(hertz(note), lasts + 0.6, rng)
            mix(dry, sound, start, 0.03)
            mix(room, sound, start, 0.015)
        steps = PATTERN if bar < BARS else (0, 1, 2, 3, 4)
        step_s = BEAT_S / 2 if bar < BARS else 0.03
        for k, which in enumerate(steps):
            loud = (0.32 if which == 0 else 0.2) * rng.uniform(0.8, 1.1)
            late = rng.uniform(0, 0.012)
            sound = pluck(hertz(chord[which]), 2.6, 0.21, rng)
            place = panned(sound, (which - 2) * 0.25)
            mix(dry, place, start + k * step_s + late, loud)
            mix(room, place, start + k * step_s + late, 0.35 * loud)
    for beat, beats, note in MELODY:
        sound = pluck(hertz(note), beats * BEAT_S + 0.8, 0.13, rng)
        place = panned(sound, 0.15)
        mix(dry, place, beat * BEAT_S, 0.26)
        mix(room, place, beat * BEAT_S, 0.16)
    for half in range(8 * BARS):
        at = half * BEAT_S / 2
        hit = panned(shaker(rng), 0.5)
        mix(dry, hit, at + rng.uniform(0, 0.006), 0.05 if half % 2 else 0.025)
        if half % 8 in (0, 5):
            mix(dry, panned(drum(), 0), at, 0.4)
        if half % 4 == 2:
            stick = panned(rim(rng), -0.4)
            mix(dry, stick, at, 0.12)
            mix(room, stick, at, 0.10)
    return faded(dry + reverberated(room, rng), 0.005, 1.4)


def tone(rng: np.random.Generator) -> Wave:
    """Hold one chord of harmonics of 220 Hz, like an organ without wind or room."""
    t = seconds(TONE_S)
    wave = np.zeros((len(t), 1))
    for root, loud in PIPES.items():
        for k in range(1, 9):
            phase = rng.uniform(0, 2 * np.pi)
            partial = np.sin(2 * np.pi * TONE_HZ * root * k * t + phase)
            wave[:, 0] += loud * k**-1.5 * partial
    return faded(wave, 0.08, 0.2)


def pluck(pitch: float, lasts: float, place: float, rng: np.random.Generator) -> Wave:
    """Pluck a stiff string at a part of its length; high partials die first."""
    t = seconds(lasts)
    wave = np.zeros_like(t)
    for k in range(1, 41):
        at = pitch * k * np.sqrt(1 + 6e-5 * k**2)
        if at > 15000:
            break
        decay = 1.1 + pitch / 300 + 0.09 * k + (at / 4500) ** 2
        loud = np.sin(np.pi * k * place) / k**1.25
        wave += loud * np.exp(-decay * t) * np.sin(2 * np.pi * at * t)
    nail = noise(t, rng) * np.exp(-t / 0.004)
    return faded(wave + 0.05 * nail, 0.0008, 0.08)


def pad(pitch: float, lasts: float, rng: np.random.Generator) -> Wave:
    """Bow softly, on either side three strings that are a little out of tune."""
    t = seconds(lasts)
    wave = np.zeros((len(t), 2))
    for side in range(2):
        for cents in (-5, 0, 5):
            tuned = pitch * 2 ** ((cents + rng.uniform(-1.5, 1.5)) / 1200)
            for k in range(1, 9):
                phase = rng.uniform(0, 2 * np.pi)
                wave[:, side] += np.sin(2 * np.pi * tuned * k * t + phase) / k**1.7
    return faded(wave, 0.7, 0.6)


def drum() -> Wave:
    """Beat a small drum, whose pitch falls."""
    t = seconds(0.35)
    turns = 52 * t + 70 * 0.03 * (1 - np.exp(-t / 0.03))
    return faded(np.sin(2 * np.pi * turns) * np.exp(-t / 0.09), 0.002, 0.05)


def rim(rng: np.random.Generator) -> Wave:
    """Knock on wood."""
    t = seconds(0.12)
    knock = np.sin(2 * np.pi * 1710 * t) + 0.6 * np.sin(2 * np.pi * 2630 * t)
    return (knock + 0.7 * noise(t, rng) * np.exp(-t / 0.003)) * np.exp(-t / 0.014)


def shaker(rng: np.random.Generator) -> Wave:
    """Shake a handful of seeds."""
    t = seconds(0.12)
    bright = np.diff(noise(t, rng), n=2, prepend=[0, 0])
    return 0.4 * bright * np.minimum(t / 0.012, 1) * np.exp(-t / 0.025)


def reverberated(wave: Wave, rng: np.random.Generator) -> Wave:
    """Let a room of wood answer, for low notes longer than for high ones."""
    t = seconds(1.6)
    answer = np.zeros((len(t), 2))
    for side in range(2):
        rough = noise(t, rng)
        soft = np.convolve(rough, np.full(9, 1 / 9), "same")
        answer[:, side] = soft * np.exp(-t / 0.28) + 0.25 * rough * np.exp(-t / 0.09)
    answer[: round(0.012 * RATE)] = 0
    answer /= np.sqrt(np.sum(answer**2, axis=0))
    size = 1 << (len(wave) + len(answer) - 1).bit_length()
    spectrum = np.fft.rfft(wave, size, axis=0) * np.fft.rfft(answer, size, axis=0)
    return np.asarray(np.fft.irfft(spectrum, size, axis=0)[: len(wave)])


def hertz(note: int) -> float:
    """Tell the pitch of a MIDI note."""
    return float(440 * 2 ** ((note - 69) / 12))


def seconds(lasts: float) -> Wave:
    """Count the time from zero, frame by frame."""
    return np.arange(round(lasts * RATE)) / RATE


def noise(t: Wave, rng: np.random.Generator) -> Wave:
    """Hiss as long as a time axis."""
    return rng.standard_normal(len(t))


def panned(wave: Wave, side: float) -> Wave:
    """Place a sound between left (-1) and right (1), equally loud everywhere."""
    angle = np.pi / 4 * (1 + side)
    return wave[:, None] * [np.cos(angle), np.sin(angle)]


def faded(wave: Wave, rise: float, fall: float) -> Wave:
    """Fade both ends of a sound."""
    done = wave.T.copy()
    for end, lasts in ((slice(None), rise), (slice(None, None, -1), fall)):
        ramp = np.sin(np.linspace(0, np.pi / 2, round(lasts * RATE))) ** 2
        done[..., end][..., : len(ramp)] *= ramp
    return done.T


def mix(into: Wave, sound: Wave, start: float, gain: float) -> None:
    """Add a sound from a time on, as far as there is room."""
    part = into[round(start * RATE) :][: len(sound)]
    part += gain * sound[: len(part)]


SAMPLES: dict[str, Callable[[np.random.Generator], Wave]] = {
    "music.flac": music,
    "tone.flac": tone,
}


def main(folder: Path) -> None:
    """Play every sample into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, play in SAMPLES.items():
        wave = play(np.random.default_rng(SEED))
        scaled = np.round(32767 * PEAK / np.abs(wave).max() * wave)
        sound, block = from_array(scaled.astype(np.int16), RATE)
        write(folder / name, [block], sound, format="flac")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
