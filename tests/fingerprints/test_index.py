from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from synthmark.labeling.errors import OutputExists, RecordError, UsageError
from synthmark.labeling.fingerprints import index
from synthmark.labeling.fingerprints.audio import fingerprint_audio
from synthmark.labeling.fingerprints.fingerprint import AUDIO, IMAGE, VIDEO, Fingerprint
from synthmark.labeling.fingerprints.image import fingerprint_image
from synthmark.labeling.fingerprints.index import FingerprintIndex
from synthmark.labeling.fingerprints.video import fingerprint_video

Pixels = NDArray[np.uint8]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few entries fill several blocks."""
    body = [
        ("codes", "<u8", (8, 4)),
        ("numbers", "<u8", 8),
        ("check", "<u4"),
        ("rest", "V60"),
    ]
    monkeypatch.setattr(index, "BLOCK", 8)
    monkeypatch.setattr(index, "BODY", np.dtype(body))


def made(seed: int) -> Fingerprint:
    rng = np.random.default_rng(seed)
    return fingerprint_image(rng.integers(0, 256, (64, 80), np.uint8))


MADE = [made(seed) for seed in range(40)]


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(0, 13), min_size=1, max_size=4), st.integers(1, 3))
def test_whatever_the_portions_everything_is_found(
    tmp_path_factory: pytest.TempPathFactory, portions: list[int], threads: int
) -> None:
    path = tmp_path_factory.mktemp("index") / "pictures"
    found = FingerprintIndex.build(path, [], algorithm=IMAGE)
    pairs = iter([(2**64 - 1 - i, one) for i, one in enumerate(MADE)])
    stored = []
    for size in portions:
        chunk = [next(pairs) for _ in range(min(size, len(MADE) - len(stored)))]
        found = found.append(chunk)
        stored += chunk
    again = FingerprintIndex(path)
    assert len(again) == len(found) == len(stored)
    for number, one in stored:
        (best,) = again.nearest(one, threads=threads)
        assert (best.number, best.distance, best.similarity) == (number, 0, 1)
    assert again.nearest(made(999), threads=threads) == []


def test_the_nearest_come_first_and_once(tmp_path: Path) -> None:
    one, other = MADE[0], MADE[1]
    value = bytes([one.value[0] ^ 7]) + one.value[1:]
    near = Fingerprint(algorithm=IMAGE, value=value)
    pairs = [(3, other), (9, near), (5, one), (4, one), (9, one), (8, near)]
    made = FingerprintIndex.build(tmp_path / "i", pairs, algorithm=IMAGE)
    found = made.nearest(one, 4)
    assert [(m.number, m.distance) for m in found] == [(4, 0), (5, 0), (9, 0), (8, 3)]
    assert [m.number for m in made.nearest(one, 2)] == [4, 5]
    assert [m.number for m in made.nearest(one, 9, max_distance=2)] == [4, 5, 9]


def test_very_many_equal_ones_are_found_in_order(tmp_path: Path) -> None:
    pairs = [(number, MADE[0]) for number in range(300, 0, -1)]
    made = FingerprintIndex.build(tmp_path / "i", pairs, algorithm=IMAGE)
    assert [m.number for m in made.nearest(MADE[0], 3)] == [1, 2, 3]


def test_pictures_are_found_after_handling(
    pictures: dict[str, Pixels], tmp_path: Path
) -> None:
    pairs = [(i, fingerprint_image(p)) for i, p in enumerate(pictures.values())]
    others = [(100 + i, one) for i, one in enumerate(MADE)]
    found = FingerprintIndex.build(tmp_path / "i", pairs + others, algorithm=IMAGE)
    for number, pixels in enumerate(pictures.values()):
        small = pixels[::3, ::3]
        for turned in (
            small,
            np.rot90(small),
            small[:, ::-1],
            np.rot90(small, 3)[::-1],
        ):
            assert found.nearest(fingerprint_image(turned))[0].number == number
        bordered = np.pad(small, ((60, 60), (20, 20), (0, 0)))
        assert found.nearest(fingerprint_image(bordered))[0].number == number


def test_sounds_are_found_by_a_part_of_them(
    sounds: dict[str, tuple[NDArray[np.float32], int]], tmp_path: Path
) -> None:
    pairs = [(i, fingerprint_audio(*sound)) for i, sound in enumerate(sounds.values())]
    found = FingerprintIndex.build(tmp_path / "i", pairs, algorithm=AUDIO)
    for number, (samples, rate) in enumerate(sounds.values()):
        part = 0.3 * samples[round(1.13 * rate) : round(13.4 * rate)]
        assert found.nearest(fingerprint_audio(part, rate))[0].number == number


def test_videos_are_found_by_their_frames(
    pictures: dict[str, Pixels], tmp_path: Path
) -> None:
    made = {
        number: fingerprint_video((t / 4, p[t : t + 300]) for t in range(16))
        for number, p in enumerate(pictures.values())
    }
    found = FingerprintIndex.build(tmp_path / "i", made.items(), algorithm=VIDEO)
    for number, pixels in enumerate(pictures.values()):
        part = fingerprint_video((t / 4, pixels[t : t + 300, ::-1]) for t in range(9))
        assert found.nearest(part)[0].number == number


def test_blank_content_is_not_found(tmp_path: Path) -> None:
    blank = fingerprint_image(np.zeros((50, 50), np.uint8))
    made = FingerprintIndex.build(tmp_path / "i", [(1, blank)], algorithm=IMAGE)
    assert len(made) == 0
    assert made.nearest(blank) == []


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    path = tmp_path / "whole"
    FingerprintIndex.build(path, enumerate(MADE[:20]), algorithm=IMAGE)
    return path.read_bytes()


def test_every_cut_is_noticed(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "cut"
    for length in (0, 1, 63, 64, 65, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(RecordError, match="index") as caught:
            FingerprintIndex(path)
        assert caught.value.path == path


def test_every_altered_byte_that_counts_is_noticed(
    whole: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "altered"
    body = index.BODY.itemsize
    places = [0, 9, 13, 17, 30, 61, 64, 64 + 200, 64 + 8 * 32 + 5, 64 + body + 77]
    for place in [*places, 64 + body - 62]:
        altered = bytearray(whole)
        altered[place] ^= 0x10
        path.write_bytes(altered)
        with pytest.raises(RecordError, match="index"):
            FingerprintIndex(path)


def test_other_files_are_not_an_index(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("SMFPINDX" * 100)
    for name in ("text", "missing", "."):
        with pytest.raises(RecordError, match="index"):
            FingerprintIndex(tmp_path / name)


def test_what_does_not_belong_is_refused(tmp_path: Path) -> None:
    sound = Fingerprint(algorithm=AUDIO, value=bytes(80))
    for pair in ((1, sound), (-1, MADE[0]), (2**64, MADE[0])):
        with pytest.raises(UsageError):
            FingerprintIndex.build(tmp_path / "i", [pair], algorithm=IMAGE)
    assert not (tmp_path / "i").exists()
    made = FingerprintIndex.build(tmp_path / "i", [(1, MADE[0])], algorithm=IMAGE)
    with pytest.raises(OutputExists):
        FingerprintIndex.build(tmp_path / "i", [], algorithm=IMAGE)
    with pytest.raises(UsageError, match="index"):
        made.nearest(sound)
    with pytest.raises(UsageError, match="range"):
        made.nearest(MADE[0], 0)
    with pytest.raises(UsageError, match="range"):
        made.nearest(MADE[0], max_distance=200)
    (tmp_path / "i").unlink()
    with pytest.raises(RecordError, match="extended"):
        made.append([(2, MADE[1])])
