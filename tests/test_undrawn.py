"""Pictures that are not decoded: metadata, manifest and record all the same."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from synthmark import Home
from synthmark.labeling.errors import DamagedMedia, UnsupportedFormat
from synthmark.labeling.media import heif
from synthmark.labeling.model import Layer, State, Verdict

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
SIZES = b"\0\0\0\x14ispe" + bytes(4)


@pytest.fixture(scope="module")
def moving() -> bytes:
    noise = np.random.default_rng(1).integers(0, 256, (2, 40, 60, 3), dtype=np.uint8)
    first, second = (Image.fromarray(pixels) for pixels in noise)
    file = BytesIO()
    first.save(file, "avif", save_all=True, append_images=[second], speed=10)
    return file.getvalue()


def frames(content: bytes) -> list[np.ndarray]:
    with Image.open(BytesIO(content)) as picture:
        return [np.array(frame) for frame in ImageSequence.Iterator(picture)]


def test_it_gets_every_layer_but_notice_and_mark(moving: bytes, tmp_path: Path) -> None:
    home = Home()
    source, target = tmp_path / "a.avif", tmp_path / "b.avif"
    source.write_bytes(moving)
    labeler = home.labeler()
    result = labeler.label(source, target)
    assert labeler.records is not None
    labeler.records.close()
    assert {layer.layer: layer.written for layer in result.layers} == {
        Layer.NOTICE: False,
        Layer.MARK: False,
        Layer.AIGC: True,
        Layer.IPTC: True,
        Layer.C2PA: True,
        Layer.RECORD: True,
    }
    assert not result.complete
    assert any("JPEG or PNG" in note for note in result.notes)
    for old, new in zip(frames(moving), frames(target.read_bytes()), strict=True):
        np.testing.assert_array_equal(old, new)
    report = home.detector().detect(target)
    assert report.verdict is Verdict.CONFIRMED
    states = {item.layer: item.state for item in report.evidence}
    assert states[Layer.NOTICE] is states[Layer.MARK] is State.UNSUPPORTED
    assert states[Layer.AIGC] is states[Layer.RECORD] is State.PRESENT
    again = home.labeler(records=None).label(target)
    manifest = again.layer(Layer.C2PA)
    assert manifest is not None
    assert manifest.detail["action"] == "c2pa.opened"


def test_it_cannot_become_another_format(moving: bytes, tmp_path: Path) -> None:
    labeler = Home().labeler(records=None)
    with pytest.raises(UnsupportedFormat, match=r"\.jpg"):
        labeler.label(moving, tmp_path / "a.jpg")
    with pytest.raises(UnsupportedFormat, match="heic"):
        labeler.label(moving, tmp_path / "a.heic")
    with pytest.raises(UnsupportedFormat, match="png"):
        labeler.label(moving, media_format="png")
    with pytest.raises(DamagedMedia):
        labeler.label(moving[:-9])


@pytest.mark.parametrize(
    ("brand", "format"),
    [(b"heic", "heic"), (b"hevc", "heic"), (b"mif1", "heif"), (b"avis", "avif")],
)
def test_the_brand_tells_the_format_and_the_largest_size_counts(
    brand: bytes, format: str
) -> None:
    sizes = [(64, 64), (640, 480), (160, 120)]
    content = HEIC.replace(b"heic", brand, 1) + b"".join(
        SIZES + width.to_bytes(4) + height.to_bytes(4) for width, height in sizes
    )
    assert heif.heif_source(content) == content
    found = heif.read(content)
    assert (found.format, found.width, found.height) == (format, 640, 480)
    assert found.media_type == f"image/{format}"
    assert heif.format_of("x.heif" if format != "avif" else "x.AVIF", found) == format


def test_other_files_are_none_of_these(tmp_path: Path) -> None:
    for content in (b"", b"\xff\xd8\xff", HEIC.replace(b"heic", b"isom", 1)):
        path = tmp_path / "file"
        path.write_bytes(content)
        assert heif.heif_source(content) is heif.heif_source(path) is None
    with pytest.raises(DamagedMedia, match="cut off"):
        heif.read(HEIC[:12])
