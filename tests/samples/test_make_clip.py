"""The committed clip is what the script makes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from synthmark.labeling.media.video import describe, frames

SAMPLES = Path(__file__).parents[2] / "samples"


def test_script_reproduces_the_committed_clip(tmp_path: Path) -> None:
    script = [sys.executable, str(SAMPLES / "make_clip.py"), str(tmp_path)]
    subprocess.run(script, check=True, timeout=120)
    old, new = SAMPLES / "clip.mp4", tmp_path / "clip.mp4"
    assert describe(new).sound is not None
    shown = zip(frames(old), frames(new), strict=True)
    for before, after in shown:
        assert after.time_s == before.time_s
        # Other versions of the codec compress otherwise.
        difference = np.abs(after.luma.astype(int) - before.luma)
        assert difference.mean() < 1
