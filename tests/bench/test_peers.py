"""The comparison with other marks: absent, refusing, failing and slow ones too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

Draw = Callable[[int, int, int], Image.Image]
Bits = NDArray[np.uint8]
Pixels = NDArray[np.uint8]


class Corner:
    """Write bits as levels of the first row: gone after anything but nothing."""

    size = 16

    def embed(self, pixels: Pixels, bits: Bits) -> Pixels:
        marked = pixels.copy()
        marked[0, : self.size] = 255 * bits[:, None]
        return marked

    def read(self, pixels: Pixels) -> Bits | None:
        return (pixels[0, : self.size, 0] > 127).astype(np.uint8)


class Blind(Corner):
    def read(self, pixels: Pixels) -> Bits | None:
        return None


class Broken(Corner):
    def read(self, pixels: Pixels) -> Bits | None:
        raise RuntimeError("too small")


class Slow(Corner):
    def read(self, pixels: Pixels) -> Bits | None:
        while True:
            pass


class Choosy(Corner):
    def embed(self, pixels: Pixels, bits: Bits) -> Pixels:
        if pixels.shape[1] == 256:
            raise ValueError("I do not like this one")
        return super().embed(pixels, bits)


def absent() -> Corner:
    raise ImportError("no module")


@pytest.fixture
def files(tmp_path: Path, draw: Draw) -> list[Path]:
    names = ["a.png", "b.png"]
    for seed, name in enumerate(names):
        draw(128, 256 - 64 * seed, seed).save(tmp_path / name)
    return [tmp_path / name for name in names]


def run(
    peers: ModuleType, monkeypatch: pytest.MonkeyPatch, files: list[Path], **marks: Any
) -> dict[str, Any]:
    monkeypatch.setattr(peers, "MARKS", {"corner": Corner, **marks})
    monkeypatch.setattr(peers, "ATTACKS", ("identity", "hflip"))
    monkeypatch.setattr(
        peers.command, "about", lambda *names: {"versions": {}, "machine": ""}
    )
    figures: dict[str, Any] = peers.run(files, 0)
    return figures


def test_what_is_not_installed_is_named_in_the_table(
    peers: ModuleType, monkeypatch: pytest.MonkeyPatch, files: list[Path]
) -> None:
    figures = run(peers, monkeypatch, files, gone=absent)
    assert figures["missing"] == {"gone": "not installed"}
    page = peers.render(figures)
    assert "| gone: not installed |" in page
    (identity,) = (line for line in page.splitlines() if line.startswith("| identity"))
    assert [cell.strip() for cell in identity.strip("|").split("|")] == [
        "identity",
        "100 (100)",
    ]


def test_reads_without_bits_count_as_guesses(
    peers: ModuleType, monkeypatch: pytest.MonkeyPatch, files: list[Path]
) -> None:
    figures = run(peers, monkeypatch, files, blind=Blind)
    corner, blind = (figures["marks"][name] for name in ("corner", "blind"))
    assert corner["attacks"]["identity"] == {"exact": 2, "reads": 2, "bit_accuracy": 1}
    assert corner["attacks"]["hflip"]["exact"] == 0
    assert blind["attacks"]["identity"]["bit_accuracy"] == 0.5
    assert blind["psnr_db"] == corner["psnr_db"] > 20


def test_a_refused_picture_counts_for_the_others_only(
    peers: ModuleType, monkeypatch: pytest.MonkeyPatch, files: list[Path]
) -> None:
    figures = run(peers, monkeypatch, files, choosy=Choosy)
    assert figures["marks"]["corner"]["pictures"] == 2
    assert figures["marks"]["choosy"]["pictures"] == 1
    figures = run(peers, monkeypatch, files[:1], choosy=Choosy)
    assert figures["missing"] == {"choosy": "no picture marked"}


@pytest.mark.parametrize("mark", [Broken(), Slow()])
def test_programs_that_fail_or_take_too_long_have_read_nothing(
    peer_reads: ModuleType, monkeypatch: pytest.MonkeyPatch, draw: Draw, mark: Corner
) -> None:
    monkeypatch.setattr(peer_reads, "MOST_SECONDS", 0.05)
    outcome = peer_reads.measure(mark, np.asarray(draw(64, 64, 0)), 1, ("identity",))
    assert outcome.right == (0.5,)


def test_large_pictures_are_reduced_and_others_left_alone(
    peer_reads: ModuleType,
) -> None:
    large = np.zeros((1024, 4096, 3), np.uint8)
    assert peer_reads.reduced(large).shape == (512, 2048, 3)
    assert peer_reads.reduced(large[:512, :512]).shape == (512, 512, 3)
