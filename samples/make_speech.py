"""Make the spoken sample with a Kokoro-82M voice.

    python samples/make_speech.py MODEL VOCABULARY VOICES

takes what `make_voices.py` takes, and needs onnxruntime.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from speaker import RATE, Speaker, joined

from synthmark.labeling.media.audio import from_array, write

__all__ = ["SENTENCES", "main"]

VOICE = "af_heart"
SENTENCES = (
    # What a machine has made should say so.
    "wˌʌT ɐ məʃˈin hæz mˈAd ʃˌʊd sˈA sˌO.",
    # Synthmark adds a label that everyone can hear, and one that only a detector finds.
    "sˈɪnθmˌɑɹk ˈædz ɐ lˈAbəl ðæt ˈɛvɹiwən kæn hˈɪɹ, "
    "ænd wˈʌn ðæt ˈOnli ɐ dətˈɛktəɹ fˈIndz.",
    # This voice is synthetic, too.
    "ðˌɪs vˈYs ɪz sɪnθˈɛTɪk, tˈu.",
)
SPEED = 0.95
PAUSE_S = 0.5
PEAK = 0.7


def main(model: str, vocabulary: str, voices: str) -> None:
    """Write the sample."""
    speaker = Speaker(model, vocabulary, voices)
    spoken = [speaker.say(sentence, VOICE, SPEED) for sentence in SENTENCES]
    silence = np.zeros(0, np.float32)
    speech = joined([silence, *spoken, silence], PAUSE_S)
    scaled = np.round(32767 * PEAK / np.abs(speech).max() * speech)
    sound, block = from_array(scaled.astype(np.int16), RATE)
    write(Path(__file__).with_name("speech.flac"), [block], sound, format="flac")


if __name__ == "__main__":
    main(*sys.argv[1:])
