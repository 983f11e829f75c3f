"""The bench of the map of where a mark is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Draw = Callable[[int, int, int], Image.Image]


def test_a_patch_is_compared_with_what_the_map_says(
    image_map: Any, draw: Draw, tmp_path: Path
) -> None:
    for seed, name in enumerate(("a.png", "b.png")):
        draw(300, 360, seed).save(tmp_path / name)
    rows = image_map.run(sorted(tmp_path.iterdir()), 0)
    shares = {(row["patch"], row["later"]): row["shares"] for row in rows}
    assert max(shares[0.0, ""]) < 0.05
    assert min(shares[0.4, ""]) > image_map.ENOUGH
    text = image_map.render(rows)
    assert text.count("| 40%") == len(image_map.LATER)


def test_overlap_over_union(image_map: Any) -> None:
    found, true = np.zeros((2, 8, 8), bool)
    found[:4], true[2:6] = True, True
    assert image_map._agreement(found, true) == 2 / 6
