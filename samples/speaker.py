"""A computer that speaks: the Kokoro-82M voices, from phonemes to sound.

`labeling/notices/voices/README.md` says where model, vocabulary and voices come from.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

__all__ = ["RATE", "Sound", "Speaker", "joined", "trimmed"]

Sound = NDArray[np.float32]

RATE = 24000
FADE_S = 0.02


class Speaker:
    """Says phrases.

    Parameters
    ----------
    model : str
        The path of `kokoro-v1.0.int8.onnx`.
    vocabulary : str
        The path of its `vocab.json`.
    voices : str
        The folder of its voices.
    """

    def __init__(self, model: str, vocabulary: str, voices: str) -> None:
        self.session = onnxruntime.InferenceSession(
            model, providers=["CPUExecutionProvider"]
        )
        self.numbers = json.loads(Path(vocabulary).read_text(encoding="utf-8"))["vocab"]
        self.voices = Path(voices)

    def say(self, phrase: str, voice: str, speed: float) -> Sound:
        """Say one phrase, written in misaki's phonemes, without silence around it."""
        tokens = [self.numbers[letter] for letter in phrase]
        styles = np.fromfile(self.voices / f"{voice}.bin", np.float32)
        inputs = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": styles.reshape(-1, 1, 256)[len(tokens) - 1],
            "speed": np.array([speed], np.float32),
        }
        return trimmed(self.session.run(None, inputs)[0].ravel())


def joined(phrases: list[Sound], pause_s: float) -> Sound:
    """Put phrases one after the other, with pauses between them."""
    gap = np.zeros(round(pause_s * RATE), np.float32)
    return np.concatenate([part for phrase in phrases for part in (gap, phrase)][1:])


def trimmed(sound: Sound) -> Sound:
    """Cut the silence off both ends and fade them."""
    level = np.convolve(np.abs(sound), np.full(240, 1 / 240), "same")
    loud = np.flatnonzero(level > 0.003 * np.abs(sound).max())
    cut = sound[loud[0] : loud[-1]].copy()
    fade = np.sin(np.linspace(0, np.pi / 2, round(FADE_S * RATE))) ** 2
    cut[: len(fade)] *= fade
    cut[-len(fade) :] *= fade[::-1]
    return cut
