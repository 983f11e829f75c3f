"""Notices are found again after the picture has been through the world."""

from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from synthmark.labeling.errors import UsageError
from synthmark.labeling.notices.find import find
from synthmark.labeling.notices.image import CORNERS, draw
from synthmark.labeling.notices.logo import read_logo
from synthmark.labeling.notices.place import EDGES
from synthmark.labeling.notices.typeset import set_line
from synthmark.labeling.notices.wording import WORDINGS

Pixels = NDArray[np.uint8]


def scene(height: int, width: int, seed: int = 3) -> Pixels:
    """A picture with soft shapes, hard edges and grain."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (7, 9, 3), dtype=np.uint8)
    picture = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(30):
        x, y, w, h = rng.integers(0, [width, height, width // 3, height // 3])
        color = tuple(int(c) for c in rng.integers(0, 256, 3))
        cv2.rectangle(picture, (int(x), int(y)), (int(x + w), int(y + h)), color, 2)
    grain = rng.normal(0, 6, picture.shape)
    return np.asarray(np.clip(picture + grain, 0, 255), np.uint8)


def page(lines: list[str], em: float, *, light: bool = False) -> Pixels:
    """Lines of text in the notice font."""
    sheet = np.zeros((500, 700), np.float32)
    for number, text in enumerate(lines):
        mask = set_line(text, em).mask[:, :660]
        top = 20 + round(number * 1.7 * em)
        sheet[top : top + mask.shape[0], 20 : 20 + mask.shape[1]] = mask
    shown = sheet if light else 1 - sheet
    return np.rint(shown * 235 + 10).astype(np.uint8)


def jpeg(pixels: Pixels) -> Pixels:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=50)
    return np.asarray(Image.open(buffer))


def resized(factor: float) -> Callable[[Pixels], Pixels]:
    def resize(pixels: Pixels) -> Pixels:
        height, width = (round(n * factor) for n in pixels.shape[:2])
        return np.asarray(Image.fromarray(pixels).resize((width, height)))

    return resize


def brighter(pixels: Pixels) -> Pixels:
    return np.asarray(np.clip(pixels * 1.5, 0, 255), np.uint8)


WORLD: dict[str, Callable[[Pixels], Pixels]] = {
    "nothing": lambda pixels: pixels,
    "jpeg": jpeg,
    "half": resized(0.5),
    "odd": resized(0.77),
    "double": resized(2),
    "brighter": brighter,
    "crop": lambda pixels: pixels[96:, 128:],
    "grey": lambda pixels: np.asarray(Image.fromarray(pixels).convert("L")),
}


@pytest.mark.parametrize("language", WORDINGS)
@pytest.mark.parametrize("way", WORLD)
def test_notice_is_found_after(way: str, language: str) -> None:
    picture = scene(480, 640)
    drawn, notice = draw(picture, WORDINGS[language])
    seen = WORLD[way](drawn)
    (found,) = find(seen)
    assert found.text == notice.text
    assert found.score > 0.75
    factor = 1 if way == "crop" else seen.shape[0] / 480
    height = notice.ink_height_px * factor
    assert found.ink_height_px == pytest.approx(height, rel=0.04)
    assert found.tall_enough


@pytest.mark.parametrize("corner", CORNERS)
@pytest.mark.parametrize("tone", [0, 255])
def test_text_is_located_in_every_corner(corner: str, tone: int) -> None:
    picture = np.full((420, 560, 3), tone, np.uint8)
    drawn, notice = draw(picture, WORDINGS["en"], corner=corner)
    (found,) = find(drawn)
    plate, text = notice.box, found.box
    assert plate.left < text.left
    assert plate.top < text.top
    assert text.left + text.width < plate.left + plate.width
    assert text.top + text.height < plate.top + plate.height
    assert text.width > 0.7 * plate.width


@pytest.mark.parametrize(
    ("text", "run"),
    [
        ("人工智能生成", "人工智能生成"),
        ("AI合成", "AI合成"),
        ("人工智能合成", "人工智能合成"),
        ("本图片由AI生成，仅供参考", "AI生成"),
        ("以上内容由人工智能生成合成", "人工智能生成"),
        ("疑似为AI合成", "AI合成"),
    ],
)
def test_other_wordings_are_found_by_their_elements(text: str, run: str) -> None:
    drawn, _ = draw(scene(600, 600), text, corner="top-left")
    (found,) = find(drawn)
    assert found.text == run
    assert found.tall_enough


@pytest.mark.parametrize("corner", ["bottom-right", "top-left", *EDGES])
@pytest.mark.parametrize(
    "shape", [(64, 64), (48, 480), (480, 48), (60, 3000), (3000, 60)]
)
def test_found_in_small_and_long_pictures(shape: tuple[int, int], corner: str) -> None:
    drawn, _ = draw(scene(*shape), "AI生成", corner=corner)
    (found,) = find(drawn)
    assert found.text == "AI生成"
    assert found.tall_enough


@pytest.mark.parametrize("way", ["nothing", "jpeg", "half", "double", "crop", "grey"])
@pytest.mark.parametrize("text", [*WORDINGS.values(), "人工智能合成", "本图由AI合成"])
def test_a_column_is_found_after(way: str, text: str) -> None:
    drawn, notice = draw(scene(480, 640), text, corner="right", vertical=True)
    (found,) = find(WORLD[way](drawn))
    assert found.text == {"本图由AI合成": "AI合成"}.get(text, notice.text)
    assert found.box.height > found.box.width
    assert found.tall_enough


@pytest.mark.parametrize("vertical", [False, True])
@pytest.mark.parametrize("text", WORDINGS.values())
def test_text_beside_a_logo_is_found(text: str, vertical: bool) -> None:
    y, x = np.indices((50, 90))
    logo = np.dstack([(x * y) % 251, 2 * x, 4 * y]).astype(np.uint8)
    drawn, notice = draw(scene(480, 640), text, vertical=vertical, logo=read_logo(logo))
    (found,) = find(jpeg(drawn))
    assert found.text == notice.text
    assert found.tall_enough


@pytest.mark.parametrize("corner", EDGES)
def test_found_at_every_edge_and_judged_by_what_is_visible(corner: str) -> None:
    picture = np.dstack([scene(900, 900), np.zeros((900, 900), np.uint8)])
    cv2.circle(alpha := picture[..., 3].copy(), (300, 500), 240, 255, -1)
    picture[..., 3] = alpha
    drawn, notice = draw(picture, WORDINGS["en"], corner=corner)
    (found,) = find(drawn)
    assert found.text == notice.text
    assert found.height_fraction == pytest.approx(25 / 481, rel=0.04)
    assert found.tall_enough


def test_two_notices_are_both_found() -> None:
    once, _ = draw(scene(600, 800), WORDINGS["zh"])
    twice, _ = draw(once, "人工智能合成", corner="top-left")
    assert {found.text for found in find(twice)} == {"AI生成", "人工智能合成"}


def test_a_notice_that_is_too_small_is_said_to_be() -> None:
    small, _ = draw(scene(420, 560), "AI生成")
    picture = scene(800, 900, seed=8)
    picture[-420:, -560:] = small
    (found,) = find(picture)
    assert found.height_fraction == pytest.approx(21 / 800, rel=0.04)
    assert not found.tall_enough


def test_alpha_is_seen_through() -> None:
    picture = np.dstack([scene(400, 500), np.full((400, 500), 255, np.uint8)])
    drawn, notice = draw(picture, "AI生成")
    assert [found.text for found in find(drawn)] == [notice.text]
    drawn[..., 3] = 0
    assert find(drawn) == ()


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_found_in_unmarked_pictures(seed: int) -> None:
    assert find(scene(500, 700, seed)) == ()
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (300, 400), dtype=np.uint8)
    assert find(noise) == ()
    smooth = np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.0 + seed), np.uint8)
    assert find(np.asarray(cv2.equalizeHist(smooth), np.uint8)) == ()


@pytest.mark.parametrize("tone", [0, 1, 128, 255])
@pytest.mark.parametrize(
    "shape", [(0, 0), (0, 5), (1, 1), (5, 5), (1, 9000), (300, 300)]
)
def test_nothing_is_found_on_plain_pictures(shape: tuple[int, int], tone: int) -> None:
    assert find(np.full(shape, tone, np.uint8)) == ()


@pytest.mark.parametrize("light", [False, True])
@pytest.mark.parametrize("em", [16, 24, 48])
def test_other_text_is_not_taken_for_a_notice(em: float, light: bool) -> None:
    lines = [
        "自动生成的图片",
        "由此合成",
        "AI完成",
        "AI教育技术平台",
        "人工智能写作",
        "人工生成",
        "生成 AI-generated",
        "A1生成",
    ]
    half = len(lines) // 2
    assert find(page(lines[:half], em, light=light)) == ()
    assert find(page(lines[half:], em, light=light)) == ()


@pytest.mark.parametrize("em", [16, 24])
def test_other_columns_are_not_taken_for_a_notice(em: float) -> None:
    rows = ["自人由工A", "动工此人教", "生智合生I", "成能成成成"]
    assert find(page(rows, em)) == ()


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((9, 9), np.float32),
        np.zeros((9, 9, 2), np.uint8),
        np.zeros(9, np.uint8),
    ],
)
def test_arrays_that_are_no_picture_are_refused(pixels: Pixels) -> None:
    with pytest.raises(UsageError, match="not a picture"):
        find(pixels)
