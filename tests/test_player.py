"""The notice around the player of a video: the library, the command, the page."""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import synthmark as sm
from synthmark.labeling.errors import (
    DamagedMedia,
    MediaError,
    OutputExists,
    UnsupportedFormat,
    UsageError,
)

Film = list[NDArray[np.uint8]]
Run = Callable[..., Any]

DOCS = Path(__file__).resolve().parent.parent / "docs" / "json.md"


@pytest.fixture(scope="module")
def content(
    make_film: Callable[..., Film],
    save_film: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> bytes:
    path = tmp_path_factory.mktemp("film") / "a.mp4"
    return save_film(path, make_film(48, 80, 8, 0.5), 8).read_bytes()


@pytest.fixture
def clip(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "home")


def source_of(page: str) -> str:
    found = re.search(r'<(?:video|img) src="([^"]*)"', page)
    assert found
    return html.unescape(found[1])


def turned(content: bytes, quarter_turns: int) -> bytes:
    """Return an MP4 file that is to be shown turned clockwise."""
    cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[quarter_turns]
    one = 1 << 16
    matrix = [cosine * one, sine * one, 0, -sine * one, cosine * one, 0, 0, 0, 1 << 30]
    at = content.index(b"tkhd") + 4 + 40
    told = b"".join(number.to_bytes(4, signed=True) for number in matrix)
    return content[:at] + told + content[at + 36 :]


# The library


def test_the_page_names_the_clip_and_says_the_notice(clip: Path) -> None:
    target = clip.with_name("a.html")
    made = sm.surround_video(clip, target)
    assert target.read_text("utf-8") == made.page
    assert source_of(made.page) == made.description["address"] == "a.mp4"
    assert made.description["text"] == "AI生成"
    assert made.description["translation"] == "AI-generated"
    assert made.description["frame"] == {"width": 80, "height": 48}
    assert made.description["over"]["corner"] == "top-left"
    assert made.description["over"]["height_fraction"] == 0.05
    assert made.notes == ()
    assert names(clip.parent) == ["a.html", "a.mp4"]


def test_nothing_is_written_without_a_target(clip: Path) -> None:
    assert source_of(sm.surround_video(str(clip)).page) == "a.mp4"
    assert names(clip.parent) == ["a.mp4"]


@pytest.mark.parametrize("quarter_turns", range(4))
def test_the_frame_is_that_which_is_shown(
    quarter_turns: int, clip: Path, content: bytes
) -> None:
    clip.write_bytes(turned(content, quarter_turns))
    frame = sm.surround_video(clip).description["frame"]
    sizes = [(80, 48), (48, 80)]
    assert (frame["width"], frame["height"]) == sizes[quarter_turns % 2]


@pytest.mark.parametrize(
    ("aspect", "width"), [(Fraction(2), 160), (Fraction(3, 4), 60)]
)
def test_pixels_that_are_not_square_count_as_shown(
    aspect: Fraction, width: int, tmp_path: Path
) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w", format="matroska") as file:
        stream: Any = file.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 80, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = aspect
        frame = av.VideoFrame(80, 48, "yuv420p")
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    made = sm.surround_video(path)
    assert made.description["frame"] == {"width": width, "height": 48}
    assert made.notes == ("not every browser plays mpeg4 in mkv files",)


def test_a_gif_is_shown_without_a_player(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    frames = [Image.new("RGB", (40, 30), color) for color in ("red", "blue")]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    made = sm.surround_video(path)
    assert "<img " in made.page
    assert "<video" not in made.page
    assert made.description["frame"] == {"width": 40, "height": 30}
    assert made.notes == ()


@pytest.mark.parametrize(
    "name",
    [
        "a b.mp4",
        "视频.mp4",
        "javascript:alert(1).mp4",
        "a?b#c%41.mp4",
        "\"'><script>alert(1)<&amp;.mp4",
        "a\nb\\c.mp4",
        os.fsdecode(b"\xff\xfe.mp4"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="names that only POSIX has")
def test_no_file_name_is_more_than_a_name(
    name: str, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "pages").mkdir()
    clip = tmp_path / "clips" / name
    clip.write_bytes(content)
    target = tmp_path / "pages" / "p.html"
    page = sm.surround_video(clip, target).page
    assert target.read_bytes() == page.encode()
    url = urlsplit(source_of(page))
    assert (url.scheme, url.netloc, url.query, url.fragment) == ("", "", "", "")
    assert unquote_to_bytes(url.path) == b"../clips/" + os.fsencode(name)
    assert "<script" not in page
    assert not re.search("//|url\\(|@import", page.replace(source_of(page), ""))


def test_wording_corner_and_address_are_chosen(clip: Path) -> None:
    made = sm.surround_video(
        clip, wording="AI合成", corner="bottom-right", over=True, address="/v?a=1&b=2"
    )
    assert made.description["text"] == "AI合成"
    assert made.description["over"]["corner"] == "bottom-right"
    assert source_of(made.page) == "/v?a=1&b=2"
    assert 'class="synthmark-over"' in made.snippet
    assert sm.surround_video(clip, wording="zh").description["translation"] == ""


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"wording": "nice clip"}, "AI element"),
        ({"corner": "middle"}, "middle"),
        ({"address": " "}, "address"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    options: dict[str, str], text: str, clip: Path
) -> None:
    with pytest.raises(UsageError, match=text):
        sm.surround_video(clip, clip.with_name("p.html"), **options)
    assert names(clip.parent) == ["a.mp4"]


def test_the_page_never_takes_the_place_of_the_clip(clip: Path, content: bytes) -> None:
    with pytest.raises(UsageError, match="place of the video"):
        sm.surround_video(clip, clip, overwrite=True)
    assert clip.read_bytes() == content


def test_an_existing_page_is_replaced_only_when_asked(clip: Path) -> None:
    target = clip.with_name("p.html")
    target.write_text("old")
    with pytest.raises(OutputExists):
        sm.surround_video(clip, target)
    assert target.read_text() == "old"
    page = sm.surround_video(clip, target, overwrite=True).page
    assert target.read_text("utf-8") == page


def test_files_without_a_player_are_told_apart(clip: Path, tmp_path: Path) -> None:
    target = tmp_path / "p.html"
    for suffix in ("png", "jpg", "webp"):
        still = tmp_path / f"still.{suffix}"
        Image.new("RGB", (40, 30)).save(still)
        with pytest.raises(UnsupportedFormat, match=f"still.{suffix}: .* picture"):
            sm.surround_video(still, target)
    (tmp_path / "notes.txt").write_text("nothing" * 100)
    with pytest.raises(UnsupportedFormat, match=r"notes\.txt"):
        sm.surround_video(tmp_path / "notes.txt", target)
    clip.write_bytes(b"")
    with pytest.raises(DamagedMedia, match=r"a\.mp4"):
        sm.surround_video(clip, target)
    with pytest.raises(MediaError, match=r"gone\.mp4"):
        sm.surround_video(tmp_path / "gone.mp4", target)
    assert not target.exists()


# The command


@pytest.mark.usefixtures("clip")
def test_the_command_writes_a_page_and_says_where(
    run: Run, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = run("player", "a.mp4")
    assert (ran.code, ran.out, ran.err) == (0, "a.player.html\n", "")
    page = (tmp_path / "a.player.html").read_text("utf-8")
    assert "AI-generated" in page
    assert names(tmp_path) == ["a.mp4", "a.player.html"]
    assert not home.exists()
    ran = run("player", "a.mp4")
    assert (ran.code, ran.out) == (1, "")
    assert "--force" in ran.err
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert run("player", "a.mp4", "-f").code == 0
    assert "AI-generated" not in (tmp_path / "a.player.html").read_text("utf-8")


@pytest.mark.usefixtures("clip")
def test_the_json_of_a_player_is_as_documented(run: Run, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    options = ["-o", "site/p.html", "--over", "--corner", "top-right"]
    ran = run("player", "a.mp4", *options, "--notice", "AI合成", "--json")
    assert (ran.code, ran.err) == (0, "")
    told = ran.json
    text = DOCS.read_text("utf-8").partition("\n### player\n")[2]
    rows = re.split(r"\n#", text)[0].splitlines()
    assert list(told) == [row.split("`")[1] for row in rows if row.startswith("| `")]
    assert told["file"] == "a.mp4"
    assert Path(told["page"]) == Path("site/p.html")
    assert told["address"] == "../a.mp4"
    assert (told["text"], told["translation"]) == ("AI合成", "")
    assert told["over"]["corner"] == "top-right"
    assert told["snippet"] in (tmp_path / "site" / "p.html").read_text("utf-8")
    assert told["notes"] == []


@pytest.mark.usefixtures("clip")
@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["a.mp4", "--notice", "hello"], 2, "AI element"),
        (["a.mp4", "--address", ""], 2, "address"),
        (["a.mp4", "-f", "-o", "a.mp4"], 2, "place of the video"),
        (["a.mp4", "-o", "gone/p.html"], 1, "gone"),
        (["gone.mp4"], 1, "gone.mp4"),
        ([".", "-o", "p.html"], 1, "folder"),
        (["a.txt"], 6, "a.txt"),
        (["a.png"], 6, "single picture"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    arguments: list[str], code: int, text: str, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("nothing")
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}
    ran = run("player", *arguments)
    assert (ran.code, ran.out) == (code, "")
    (line,) = ran.err.splitlines()
    assert text in line
    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path)} == before


def test_a_clip_that_browsers_may_not_play_is_told(
    run: Run,
    tmp_path: Path,
    make_film: Callable[..., Film],
    save_film: Callable[..., Path],
) -> None:
    save_film(tmp_path / "a.avi", make_film(48, 80, 8, 0.5), 8)
    ran = run("player", "a.avi")
    assert (ran.code, ran.out) == (0, "a.player.html\n")
    assert ran.err == "a.avi: not every browser plays h264 in avi files\n"
    note = json.loads(run("player", "a.avi", "-f", "--json").out)["notes"]
    assert note == ["not every browser plays h264 in avi files"]
