"""The committed music and tone are what the script plays."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from synthmark.labeling.media.audio import Samples, blocks, describe

SAMPLES = Path(__file__).parents[2] / "samples"


def heard(path: Path) -> Samples:
    return np.concatenate(list(blocks(path)))


def test_script_reproduces_the_committed_sounds(tmp_path: Path) -> None:
    script = [sys.executable, str(SAMPLES / "make_music.py"), str(tmp_path)]
    subprocess.run(script, check=True, timeout=120)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["music.flac", "tone.flac"]
    for name in names:
        old, new = SAMPLES / name, tmp_path / name
        # Other versions of the codec compress otherwise.
        assert replace(describe(new), bit_rate=0) == replace(describe(old), bit_rate=0)
        difference = np.abs(heard(new) - heard(old))
        # Other processors round otherwise, by a step of 16 bits here or there.
        assert difference.mean() < 1e-6, name
        assert difference.max() < 1e-4, name
