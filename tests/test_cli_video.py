"""Videos on the command line: what it prints, how it ends, what it leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from synthmark import Home, Key, RecordStore
from synthmark.labeling.media import video
from synthmark.labeling.model import Layer

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX processes")

CLIP = Path(__file__).parents[1] / "samples" / "clip.mp4"
LAYERS = [layer.value for layer in Layer]

Run = Callable[..., Any]
Film = list[NDArray[np.uint8]]


@pytest.fixture(scope="module")
def content(
    make_film: Callable[..., Film],
    save_film: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> bytes:
    """A video that is labeled quickly."""
    path = tmp_path_factory.mktemp("film") / "a.mp4"
    return save_film(path, make_film(180, 320, 8, 2.5), 8).read_bytes()


@pytest.fixture
def clip(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "home")


def test_a_clip_is_labeled_and_read(run: Run, tmp_path: Path) -> None:
    ran = run("label", CLIP, "-o", "b.mp4", "--json")
    assert ran.code == 0
    (file,) = ran.json["files"]
    assert (file["media"], file["media_type"]) == ("video", "video/mp4")
    assert [item["layer"] for item in file["layers"]] == [
        *("notice", "mark", "aigc", "c2pa", "record")
    ]
    assert all(item["written"] for item in file["layers"])
    assert file["layers"][1]["detail"]["sound"] is True
    ran = run("detect", "b.mp4", "--json")
    assert ran.code == 0
    (found,) = ran.json["files"]
    assert (found["verdict"], found["findings"]) == ("confirmed", [])
    assert found["payload"] == file["payload"]
    evidence = {item["layer"]: item for item in found["evidence"]}
    assert list(evidence) == LAYERS
    assert evidence["mark"]["detail"]["scheme"] == "video-lattice/1"
    (span,) = evidence["mark"]["detail"]["spans"]
    assert span == pytest.approx([0, 3.04], abs=0.3)
    (notice,) = evidence["notice"]["detail"]["notices"]
    assert notice["faults"] == []


@pytest.mark.usefixtures("clip")
def test_the_page_tells_of_each_layer(run: Run, tmp_path: Path) -> None:
    ran = run("label", "a.mp4")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == "a.labeled.mp4: labeled"
    assert len(lines) == 6
    ran = run("detect", "a.labeled.mp4", "--lang", "zh")
    assert (ran.code, ran.err) == (0, "")
    assert "已确认" in ran.out.splitlines()[0]
    assert "秒\n" in ran.out
    Key.generate().save(tmp_path / "other.key")
    ran = run("detect", "a.labeled.mp4", "--mark-key", "other.key", "--json")
    evidence = {i["layer"]: i for i in ran.json["files"][0]["evidence"]}
    assert evidence["mark"]["state"] == "absent"
    assert evidence["mark"]["detail"]["payload"] is None


@pytest.mark.usefixtures("clip")
def test_an_unmarked_clip_has_no_label(run: Run) -> None:
    Home().labeler()
    ran = run("detect", "a.mp4", "--json")
    assert ran.code == 3
    (file,) = ran.json["files"]
    assert (file["verdict"], file["payload"]) == ("none", None)


@pytest.mark.usefixtures("clip")
def test_a_map_shows_when_the_mark_is_there(run: Run, tmp_path: Path) -> None:
    assert run("label", "a.mp4").code == 0
    ran = run("map", "a.labeled.mp4", "--json")
    assert ran.code == 0
    assert ran.json["map"] == "a.labeled.mp4.map.png"
    assert ran.json["missing"] < 0.1
    (span,) = ran.json["spans"]
    assert span == pytest.approx([0, 2.5], abs=0.2)
    (found,) = run("detect", "a.labeled.mp4", "--json").json["files"]
    assert ran.json["payload"] == found["payload"]["hex"]
    with Image.open(tmp_path / "a.labeled.mp4.map.png") as drawn:
        assert drawn.width > drawn.height
    ran = run("map", "a.labeled.mp4")
    assert (ran.code, "exists" in ran.err) == (1, True)
    ran = run("map", "a.mp4", "-o", "b.png", "--json")
    assert ran.code == 3
    assert {ran.json[name] for name in ("map", "missing", "payload", "spans")} == {None}
    ran = run("map", "a.mp4", "-o", "b.png")
    assert (ran.code, ran.out) == (3, "")
    assert "no mark" in ran.err
    assert names(tmp_path) == ["a.labeled.mp4", "a.labeled.mp4.map.png", "a.mp4"]


@pytest.mark.usefixtures("clip")
def test_coding_and_notice_are_chosen(run: Run, tmp_path: Path) -> None:
    options = ["--codec", "hevc", "--crf", "30", "--preset", "ultrafast"]
    more = ["--notice-seconds", "2", "--corner", "top-right"]
    ran = run("label", "a.mp4", "-o", "b.mkv", *options, *more, "--json")
    assert ran.code == 0
    (file,) = ran.json["files"]
    notice = file["layers"][0]["detail"]
    assert notice["end_s"] == pytest.approx(2.0, abs=0.15)
    assert notice["box"]["left"] > 160
    assert video.describe(tmp_path / "b.mkv").codec == "hevc"
    assert file["media_type"] == "video/matroska"
    sealed = file["layers"][3]
    assert (sealed["layer"], sealed["reason"]) == ("c2pa", "unsupported")
    assert run("detect", "b.mkv").code == 0


@pytest.mark.usefixtures("clip")
@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        (["--notice-seconds", "1"], 2, "1 s"),
        (["--codec", "rot13"], 1, "rot13"),
        (["--crf", "999"], 1, "999"),
        (["--preset", "yesterday"], 1, "yesterday"),
        (["-o", "b.png"], 6, ".png"),
        (["-o", "b.avi"], 6, "AVI"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    options: list[str], code: int, text: str, run: Run, tmp_path: Path
) -> None:
    Home().labeler()
    ran = run("label", "a.mp4", *options)
    assert ran.code == code
    (line,) = ran.err.splitlines()
    assert text in line
    assert names(tmp_path) == ["a.mp4"]


def test_bad_videos_are_told_apart(
    run: Run,
    clip: Path,
    content: bytes,
    tmp_path: Path,
    save_film: Callable[..., Path],
    make_film: Callable[..., Film],
) -> None:
    clip.write_bytes(content[: len(content) // 2])
    film = make_film(144, 144, 12, 0.5)
    save_film(tmp_path / "b.mp4", film, 12, **{"x264-params": "tff=1"})
    save_film(tmp_path / "c.mp4", [frame[:64, :64] for frame in film], 12)
    before = names(tmp_path)
    ran = run("label", "a.mp4", "b.mp4", "--json")
    cut_off, interlaced = ran.json["files"]
    assert ran.code == 1
    assert (cut_off["exit_code"], cut_off["error"]["code"]) == (1, "damaged_media")
    assert interlaced["exit_code"] == 6
    assert interlaced["error"]["code"] == "unsupported_format"
    assert "bwdif" in interlaced["error"]["text"]
    assert names(tmp_path) == before
    # Too small for the mark: labeled in all other layers, and told.
    ran = run("label", "c.mp4", "--json")
    assert ran.code == 1
    (small,) = ran.json["files"]
    reasons = {item["layer"]: item["reason"] for item in small["layers"]}
    assert reasons["mark"] == "too_small_for_mark"
    assert small["complete"] is False
    ran = run("detect", "a.mp4", "c.labeled.mp4", "--json")
    assert ran.json["files"][0]["error"]["code"] == "damaged_media"
    assert ran.json["files"][1]["verdict"] == "confirmed"


def test_folders_are_searched_for_videos(run: Run, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    clip.rename(tmp_path / "in" / "a.mp4")
    (tmp_path / "in" / "notes.log").write_text("nothing")
    ran = run("label", "in", "-o", "out/", "--jsonl")
    assert ran.code == 0
    assert names(tmp_path / "out") == ["a.mp4"]


def test_a_video_can_pass_through(run: Run, content: bytes) -> None:
    ran = run("label", "-", stdin=content)
    assert ran.code == 0
    assert ran.raw[4:8] == b"ftyp"
    ran = run("detect", "-", "--json", stdin=ran.raw)
    assert ran.json["files"][0]["verdict"] == "confirmed"


# Terminals, and processes that are interrupted or killed


@posix
@pytest.mark.usefixtures("clip")
def test_a_terminal_shows_how_far_it_is_and_nothing_of_it_stays(tmp_path: Path) -> None:
    import pty

    Home().labeler()
    terminal, inside = pty.openpty()
    command = [sys.executable, "-m", "synthmark", "label", "a.mp4"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=inside
    )
    out = process.communicate()[0]
    os.close(inside)
    shown = b""
    with suppress(OSError), open(terminal, "rb", buffering=0) as file:
        while part := file.read(10_000):
            shown += part
    assert process.returncode == 0
    assert b"labeled" in out
    assert b"of 2 s" in shown
    assert shown.endswith(b"\r\033[K")


@posix
@pytest.mark.parametrize("how", ["SIGINT", "SIGKILL"])
def test_an_interrupted_or_killed_command_leaves_no_half_file(
    how: str,
    commands: Any,
    tmp_path: Path,
    home: Path,
    make_film: Callable[..., Film],
    save_film: Callable[..., Path],
) -> None:
    Home().labeler()
    source = save_film(tmp_path / "a.mp4", make_film(362, 644, 12, 1) * 12, 12)
    before = source.read_bytes()
    number = commands.start("label", "a.mp4", cwd=tmp_path)
    deadline = time.monotonic() + 60
    while len(names(tmp_path)) == 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.3)
    os.kill(number, signal.Signals[how])
    ran = commands.wait()
    assert "Traceback" not in ran.err
    assert source.read_bytes() == before
    assert "a.labeled.mp4" not in names(tmp_path)
    if how == "SIGINT":
        assert ran.code == 130
        assert names(tmp_path) == ["a.mp4"]
    else:
        assert ran.code == -9
        assert all(name.startswith(".") for name in names(tmp_path) if name != "a.mp4")
    store = RecordStore(home / "records.sqlite")
    assert store.verify().count == 0
    store.close()
