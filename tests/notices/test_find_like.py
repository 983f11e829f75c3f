"""Notices in other fonts are read near the edges, wherever they come from."""

from __future__ import annotations

import socket
from collections.abc import Callable
from importlib.metadata import PackagePath, distribution
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from synthmark import Home
from synthmark.labeling.errors import UsageError
from synthmark.labeling.model import Layer
from synthmark.labeling.notices import find_like as module
from synthmark.labeling.notices.find_like import find_like, find_like_in_frames

Pixels = NDArray[np.uint8]
Scene = Callable[..., Pixels]

# The shipped Chinese font, and the one that Pillow brings along.
OURS = next(Path(module.__file__).with_name("fonts").glob("*.otf"))


@pytest.fixture
def installed() -> None:
    pytest.importorskip("rapidocr")
    pytest.importorskip("onnxruntime")


def write(
    pixels: Pixels, text: str, height: int, at: tuple[int, int], *, anchor: str = "ls"
) -> Pixels:
    """Write a white text with a dark rim; its capitals are that high."""
    chinese = any(letter > "\u2e80" for letter in text)
    if chinese:
        font: Any = ImageFont.truetype(OURS, round(height / 0.86))
    else:
        font = ImageFont.load_default(round(height / 0.7))
    image = Image.fromarray(pixels)
    ImageDraw.Draw(image).text(
        at, text, (255,) * 3, font, anchor, stroke_width=1, stroke_fill=(40,) * 3
    )
    return np.asarray(image)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("text", "as_ruled"), [("Made with AI", False), ("AI生成", True)]
)
@pytest.mark.parametrize(
    ("place", "at", "anchor"),
    [
        ("bottom-right", (620, 460), "rs"),
        ("top-left", (20, 20), "lt"),
        ("top", (320, 20), "mt"),
    ],
)
def test_a_notice_in_another_font_is_read(
    make_scene: Scene, text: str, as_ruled: bool, place: str, at: Any, anchor: str
) -> None:
    (found,) = find_like(write(make_scene(480, 640), text, 24, at, anchor=anchor))
    assert (found.text, found.place, found.as_ruled) == (text, place, as_ruled)
    assert found.elements == (("AI", "生成") if as_ruled else ("AI",))
    assert found.height_fraction == pytest.approx(0.05, rel=0.35)
    assert 0.6 <= found.confidence <= 1
    box = found.box
    assert box.left <= at[0] <= box.left + box.width
    assert abs(box.top + box.height / 2 - at[1]) < 30


@pytest.mark.usefixtures("installed")
def test_nothing_else_is_reported(make_scene: Scene) -> None:
    shown = write(make_scene(480, 640), "Chapter one", 24, (20, 460))
    shown = write(shown, "not AI-generated", 24, (620, 30), anchor="rt")
    shown = write(shown, "Made with AI", 24, (320, 250), anchor="ms")  # in the middle
    assert find_like(shown) == ()


@pytest.mark.usefixtures("installed")
def test_grey_and_transparent_pictures_are_read(make_scene: Scene) -> None:
    shown = write(make_scene(480, 640), "Made with AI", 24, (20, 460))
    around = np.zeros((680, 840, 4), np.uint8)
    around[100:580, 100:740] = np.dstack([shown, np.full(shown.shape[:2], 255)])
    (grey,), (inside,) = find_like(shown[..., 1]), find_like(around)
    assert grey.text == inside.text == "Made with AI"
    # What cannot be seen does not count.
    assert inside.place == grey.place == "bottom-left"
    assert inside.box.left == pytest.approx(grey.box.left + 100, abs=3)
    assert inside.height_fraction == pytest.approx(grey.height_fraction, rel=0.1)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(("height", "width"), [(120, 900), (900, 120)])
def test_the_ends_of_long_pictures_are_read(
    make_scene: Scene, height: int, width: int
) -> None:
    shown = make_scene(height, width)
    at = (width - 10, height - 10)
    (found,) = find_like(write(shown, "Made with AI", 12, at, anchor="rs"))
    assert found.box.left + found.box.width > width - 30
    assert found.box.top + found.box.height > height - 30


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    "shape", [(1, 1, 3), (2, 900, 3), (700, 1, 3), (9, 9), (40, 40, 4), (0, 5, 3)]
)
def test_pictures_of_any_size_are_taken(shape: tuple[int, ...]) -> None:
    assert find_like(np.full(shape, 90, np.uint8)) == ()


@pytest.mark.usefixtures("installed")
def test_what_the_library_fails_on_holds_nothing(
    make_scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(module, "_engine", lambda: fail)
    assert find_like(make_scene()) == ()


@pytest.mark.usefixtures("installed")
def test_reading_asks_no_network_and_says_nothing(
    make_scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    module._engine.cache_clear()
    assert find_like(write(make_scene(480, 640), "Made with AI", 24, (20, 460)))
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("listed", [None, [], ["rapidocr/models/new_det_new.onnx"]])
def test_missing_models_are_not_fetched(
    monkeypatch: pytest.MonkeyPatch, listed: list[str] | None
) -> None:
    here = [PackagePath(name) for name in listed or ()]
    for path in here:
        path.dist = distribution("rapidocr")
    monkeypatch.setattr(module, "files", lambda _: None if listed is None else here)
    module._engine.cache_clear()
    with pytest.raises(UsageError, match="came without its model 'det'") as caught:
        find_like(np.zeros((8, 8, 3), np.uint8))
    assert "synthmark[ocr]" in str(caught.value.hint)


@pytest.mark.usefixtures("installed")
def test_of_frames_each_notice_is_told_once(make_scene: Scene) -> None:
    frames = [
        write(make_scene(480, 640, seed), "Made with AI", 24, (20, 460))
        for seed in range(2)
    ]
    frames.append(write(frames[0], "AI生成", 24, (620, 30), anchor="rt"))
    found = find_like_in_frames(iter(frames))
    assert [one.text for one in found] == ["AI生成", "Made with AI"]


@pytest.mark.usefixtures("installed")
def test_a_notice_of_others_makes_a_picture_suspected(make_scene: Scene) -> None:
    shown = write(make_scene(480, 640), "Made with AI", 24, (20, 460))
    report = Home().detector(ocr=True).detect(shown)
    notice = report.layer(Layer.NOTICE)
    # Whose it is nobody knows: our layer is absent all the same.
    assert (report.verdict, notice.state) == ("suspected", "absent")
    (found,) = notice.detail["notice_like"]
    assert found["text"] == "Made with AI"
    assert found["box"].keys() == {"left", "top", "width", "height"}


@pytest.mark.usefixtures("installed")
def test_our_own_notice_is_not_told_twice(studio: Any) -> None:
    notice = Home().detector(ocr=True).detect(studio.png.content).layer(Layer.NOTICE)
    assert notice.state == "present"
    assert notice.detail["notice_like"] == []


@pytest.mark.usefixtures("installed")
def test_videos_are_read_and_sounds_are_not(
    tmp_path: Path, make_scene: Scene, save_film: Any, make_voice: Any
) -> None:
    frame = write(make_scene(360, 480), "Made with AI", 24, (20, 340))
    film = save_film(tmp_path / "in.mp4", [frame] * 12, sound=make_voice(1))
    report = Home().detector(ocr=True).detect(film)
    (found,) = report.layer(Layer.NOTICE).detail["notice_like"]
    assert (found["text"], report.verdict) == ("Made with AI", "suspected")
    sound = save_sound(tmp_path / "in.wav", make_voice(1))
    detail = Home().detector(ocr=True).detect(sound).layer(Layer.NOTICE).detail
    assert detail["notice_like"] is None


@pytest.mark.usefixtures("installed")
def test_the_command_reads_on_demand(
    tmp_path: Path, make_scene: Scene, run: Any
) -> None:
    shown = write(make_scene(480, 640), "Made with AI", 24, (20, 460))
    Image.fromarray(shown).save(tmp_path / "in.png")
    ran = run("detect", "in.png", "--ocr")
    assert ran.code == 0
    assert "text like a notice: “Made with AI”" in ran.out
    assert ran.err == ""


def test_without_the_optional_part_it_says_what_to_install(
    make_scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    module._engine.cache_clear()
    with pytest.raises(UsageError, match=r"pip install \"synthmark\[ocr\]\""):
        Home().detector(ocr=True)
    with pytest.raises(UsageError, match="rapidocr"):
        find_like(make_scene())
    Home().detector().detect(make_scene())  # and nobody who does not ask needs it


def save_sound(path: Path, samples: NDArray[np.int16]) -> Path:
    import wave

    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(samples.tobytes())
    return path
