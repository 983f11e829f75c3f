"""Sources: the four kinds are told apart, and files that cannot be read are named."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from synthmark.labeling.errors import (
    DamagedMedia,
    MediaError,
    MediaTooLarge,
    UnsupportedFormat,
    UsageError,
)
from synthmark.labeling.media import source as room
from synthmark.labeling.media.source import load, read_file


def content(format: str = "png") -> bytes:
    file = BytesIO()
    Image.new("RGB", (20, 10), (10, 200, 30)).save(file, format)
    return file.getvalue()


def test_a_picture_comes_from_any_kind_of_source(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(content())
    for file in (path, str(path)):
        source = load(file)
        assert (source.content, source.path) == (content(), path)
    for data in (content(), bytearray(content()), memoryview(content())):
        source = load(data)  # type: ignore[arg-type]
        assert (source.content, source.path) == (content(), None)
    for memory in (Image.open(path), np.full((10, 20, 3), (10, 200, 30), np.uint8)):
        source = load(memory)
        assert (source.content, source.path) == (None, None)
        assert source.picture.pixels[9, 19].tolist() == [10, 200, 30]


@pytest.mark.parametrize("source", [None, 7, [1, 2], object()])
def test_other_sources_are_refused(source: Any) -> None:
    with pytest.raises(UsageError, match=type(source).__name__):
        load(source)


def test_the_content_decides_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(content("webp"))
    assert load(path).picture.format == "webp"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="does not exist") as caught:
        load(tmp_path / "missing.png")
    assert str(caught.value).startswith(str(tmp_path / "missing.png"))
    with pytest.raises(MediaError, match="not a file"):
        load(tmp_path)
    with pytest.raises(MediaError, match="cannot be read"):
        load("a\0b.png")
    with pytest.raises(MediaError, match="cannot be read"):
        load("x" * 5000)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(MediaError, match="not a file"):
        load(tmp_path / "pipe.png")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything"
)
def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(content())
    path.chmod(0)
    with pytest.raises(MediaError, match="permission denied"):
        load(path)


def test_a_bad_picture_is_named_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    for data, kind in (
        (b"", DamagedMedia),
        (content()[:50], DamagedMedia),
        (b"GIF89a" + bytes(20), UnsupportedFormat),
    ):
        path.write_bytes(data)
        with pytest.raises(kind) as caught:
            load(path)
        assert caught.value.path == path
    path.write_bytes(content())
    with pytest.raises(MediaTooLarge):
        load(path, max_pixels=199)


def test_a_file_above_the_size_limit_is_not_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(bytes(1001))
    monkeypatch.setattr(room, "MAX_BYTES", 1000)
    with pytest.raises(MediaTooLarge, match="1,000") as caught:
        read_file(path)
    assert caught.value.path == path
    path.write_bytes(bytes(1000))
    assert read_file(path) == bytes(1000)
