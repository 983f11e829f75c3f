"""The bench of the checkout: scripts in a folder that no installation holds."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture(scope="session")
def bench() -> Path:
    if not (BENCH / "image_mark.py").is_file():
        pytest.skip("the bench is only in a checkout")
    return BENCH


def module(name: str, *needed: str) -> Any:
    """Return a fixture: a module of the bench, if what it needs is installed."""

    @pytest.fixture(name=name)
    def load(bench: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
        for package in needed:
            pytest.importorskip(package, reason="the bench extra is not installed")
        monkeypatch.syspath_prepend(str(bench))
        return import_module(name)

    return load


attacks = module("attacks")
calibration = module("calibration")
fuzz = module("fuzz")
evidence = module("evidence", "skimage", "flip_evaluator", "matplotlib")
image_map = module("image_map", "skimage", "flip_evaluator")
image_plots = module("image_plots", "matplotlib")
image_reads = module("image_reads", "skimage", "flip_evaluator")
image_quality = module("image_quality", "skimage", "flip_evaluator")
notice_like = module("notice_like", "rapidocr", "onnxruntime")
cells = module("cells")
notice_recall = module("notice_recall")
notice_sheet = module("notice_sheet")
peer_reads = module("peer_reads", "skimage", "flip_evaluator")
peers = module("peers", "skimage", "flip_evaluator")
published = module("published")
report = module("report")


@pytest.fixture(scope="session")
def draw() -> Callable[[int, int, int], Image.Image]:
    """Return what draws hills of light and some grain: height, width, seed."""

    def picture(height: int, width: int, seed: int) -> Image.Image:
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[:height, :width] / 40
        hills = 128 + 60 * np.sin(x + rng.random()) * np.cos(y + rng.random())
        grain = rng.normal(0, 6, (height, width, 3))
        levels = hills[..., None] + grain + [0, 12, -15]
        return Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))

    return picture
