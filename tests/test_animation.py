"""Animated pictures through all layers, and back."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence

from synthmark import Home, Labeler
from synthmark.labeling.errors import DamagedMedia, UnsupportedFormat
from synthmark.labeling.model import Layer, State, Verdict

TIMES = [100, 40, 300]
FORMATS = ["gif", "png", "webp"]


@pytest.fixture
def labeler() -> Labeler:
    return Home().labeler(records=None)


@pytest.fixture(scope="module")
def frames(make_scene: Callable[..., Any]) -> list[Image.Image]:
    wide = make_scene(200, 300)
    return [Image.fromarray(wide[:, 10 * n : 280 + 10 * n].copy()) for n in range(3)]


def saved(frames: list[Image.Image], format: str, **options: Any) -> bytes:
    file = BytesIO()
    if format == "webp":
        options["lossless"] = True
    rest = frames[1:]
    frames[0].save(
        file, format, save_all=True, append_images=rest, duration=TIMES, **options
    )
    return file.getvalue()


def seen(content: bytes) -> list[tuple[np.ndarray, float]]:
    with Image.open(BytesIO(content)) as picture:
        return [
            (np.array(frame.convert("RGBA")), frame.info["duration"])
            for frame in ImageSequence.Iterator(picture)
        ]


@pytest.mark.parametrize("format", FORMATS)
def test_every_frame_is_labeled_and_plays_as_before(
    frames: list[Image.Image], format: str, tmp_path: Path
) -> None:
    home = Home()
    source, target = tmp_path / f"in.{format}", tmp_path / f"out.{format}"
    source.write_bytes(saved(frames, format, loop=0))
    labeler = home.labeler()
    result = labeler.label(source, target)
    assert labeler.records is not None
    labeler.records.close()
    assert result.complete
    assert all(layer.written for layer in result.layers)
    mark, notice = result.layer(Layer.MARK), result.layer(Layer.NOTICE)
    assert mark is not None
    assert notice is not None
    assert mark.detail["frames"] == mark.detail["frames_read"] == 3
    box = notice.detail["box"]
    before, after = seen(source.read_bytes()), seen(target.read_bytes())
    assert [time for _, time in after] == TIMES
    rows = slice(box["top"], box["top"] + box["height"])
    columns = slice(box["left"], box["left"] + box["width"])
    for (old, _), (new, _) in zip(before, after, strict=True):
        changed = np.abs(old.astype(int) - new).max(axis=2)
        assert np.median(changed[rows, columns]) > 30
        changed[rows, columns] = 0
        assert np.mean(changed) < 6
    report = home.detector().detect(target)
    assert report.verdict is Verdict.CONFIRMED
    assert report.payload == result.payload
    assert [item.state for item in report.evidence[:4]] == [State.PRESENT] * 4
    assert home.detector().detect(source).verdict is not Verdict.CONFIRMED


@pytest.mark.parametrize("target", FORMATS)
def test_formats_change_into_each_other(
    labeler: Labeler, frames: list[Image.Image], target: str
) -> None:
    result = labeler.label(saved(frames, "gif", loop=2), media_format=target)
    assert result.complete
    assert result.media_type == f"image/{target}"
    assert result.content is not None
    assert [time for _, time in seen(result.content)] == TIMES


def test_transparent_frames_stay_so_around_the_notice(
    labeler: Labeler, frames: list[Image.Image]
) -> None:
    shape = np.full(frames[0].size[::-1], 255, np.uint8)
    shape[:60] = 0
    cut = [frame.copy() for frame in frames]
    for frame in cut:
        frame.putalpha(Image.fromarray(shape))
    for format in FORMATS:
        options = {"disposal": 2} if format == "gif" else {}
        result = labeler.label(saved(cut, format, **options))
        assert result.content is not None
        for pixels, _ in seen(result.content):
            assert not pixels[:60, :, 3].any()
            assert pixels[60:, :, 3].all()


def test_a_still_gif_is_labeled_too(
    labeler: Labeler, frames: list[Image.Image]
) -> None:
    file = BytesIO()
    frames[0].save(file, "gif")
    result = labeler.label(file.getvalue())
    assert result.complete
    assert result.content is not None
    assert result.content.startswith(b"GIF89a")


def test_small_animations_say_which_layers_are_missing(labeler: Labeler) -> None:
    tiny = [Image.new("RGB", (24, 16), color) for color in ("red", "green", "blue")]
    result = labeler.label(saved(tiny, "png"))
    missing = {layer.layer for layer in result.layers if not layer.written}
    assert missing == {Layer.NOTICE, Layer.MARK}
    assert not result.complete


def test_a_second_label_goes_on_from_the_first(
    labeler: Labeler, frames: list[Image.Image]
) -> None:
    first = labeler.label(saved(frames, "webp"))
    assert first.content is not None
    second = labeler.label(first.content)
    manifest = second.layer(Layer.C2PA)
    assert manifest is not None
    assert manifest.detail["action"] == "c2pa.opened"


def test_what_cannot_be_written_is_named(
    labeler: Labeler, frames: list[Image.Image], tmp_path: Path
) -> None:
    source = tmp_path / "a.gif"
    source.write_bytes(saved(frames, "gif"))
    with pytest.raises(UnsupportedFormat, match=r"\.jpg") as caught:
        labeler.label(source, tmp_path / "a.jpg")
    assert "gif" in caught.value.hint
    source.write_bytes(source.read_bytes()[:-9])
    with pytest.raises(DamagedMedia, match="truncated") as cut:
        labeler.label(source, tmp_path / "b.gif")
    assert cut.value.path == source
    assert not (tmp_path / "b.gif").exists()
