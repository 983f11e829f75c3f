"""The committed samples are what the script draws."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

SAMPLES = Path(__file__).parents[2] / "samples"


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.suffix in {".jpg", ".png"})


def test_script_reproduces_the_committed_samples(tmp_path: Path) -> None:
    script = [sys.executable, str(SAMPLES / "make.py"), str(tmp_path)]
    subprocess.run(script, check=True, timeout=120)
    assert names(tmp_path) == names(SAMPLES)
    for name in names(tmp_path):
        with Image.open(SAMPLES / name) as old, Image.open(tmp_path / name) as new:
            assert (new.size, new.mode) == (old.size, old.mode), name
            difference = np.abs(np.asarray(new, np.int16) - np.asarray(old, np.int16))
        # Other processors and codecs round otherwise and move an edge here or there.
        assert difference.mean() < 0.5, name
        assert np.mean(difference > 16) < 0.001, name
