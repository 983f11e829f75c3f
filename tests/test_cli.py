"""The command line: what it prints, how it ends, and what it leaves behind."""

from __future__ import annotations

import io
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
import wave
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from synthmark import Detector, Home, Key, RecordStore, cli
from synthmark.labeling import errors, policy
from synthmark.labeling.model import (
    FindingKind,
    Layer,
    Reason,
    State,
    Verdict,
)
from synthmark.labeling.notices.image import CORNERS
from synthmark.labeling.provenance import certificates

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX processes")

LAYERS = [layer.value for layer in Layer]


@pytest.fixture(scope="module")
def original(make_scene: Callable[..., Any], save: Callable[..., bytes]) -> bytes:
    """A PNG file that is labeled quickly."""
    return save(make_scene(128, 160))


@pytest.fixture
def picture(tmp_path: Path, original: bytes) -> Path:
    path = tmp_path / "a.png"
    path.write_bytes(original)
    return path


@pytest.fixture
def in_studio(studio: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The home in which the studio's files were labeled."""
    monkeypatch.setenv("SYNTHMARK_HOME", str(studio.home.path))
    return studio


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "home")


def complain(ran: Any, code: int, *texts: str) -> None:
    """Check that a command failed with one clear line that says what to do."""
    assert ran.code == code, ran
    said = [line for line in ran.err.splitlines() if not line.startswith("Made a ")]
    assert len(said) == 1, ran.err
    for text in texts:
        assert text in said[0]
    assert said[0].endswith(".")


def real(*args: object, **options: Any) -> subprocess.Popen[bytes]:
    """Start a process of its own, for what a forked one does not show."""
    command = [sys.executable, "-m", "synthmark", *map(str, args)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, **{**pipes, **options})


def redirected(
    redirection: str, *args: str, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run a process of its own through a shell that redirects its streams."""
    script = f'exec "$@" {redirection}'
    command = ["sh", "-c", script, "sh", sys.executable, "-m", "synthmark", *args]
    return subprocess.run(
        command, stderr=subprocess.PIPE, text=True, check=False, **options
    )


# Labeling


def test_first_use_needs_no_configuration(
    run: Callable[..., Any], picture: Path, home: Path, original: bytes
) -> None:
    ran = run("label", "a.png")
    assert ran.code == 0
    made = ran.err.splitlines()
    assert [line.split(":")[0] for line in made] == [
        "Made a mark key",
        "Made a certificate chain for DEVELOPMENT ONLY",
        "Made a record log",
    ]
    lines = ran.out.splitlines()
    assert lines[0] == "a.labeled.png: labeled"
    assert len(lines) == 1 + len(LAYERS)
    assert picture.read_bytes() == original
    assert names(picture.parent) == ["a.labeled.png", "a.png"]
    ran = run("detect", "a.labeled.png")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[0] == "a.labeled.png: CONFIRMED as AI-generated"
    # The second time there is nothing to tell.
    again = run("label", "a.png", "-f")
    assert (again.code, again.err) == (0, "")
    assert RecordStore(home / "records.sqlite").verify().count == 2


def test_pages_speak_the_users_language(
    run: Callable[..., Any], in_studio: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = in_studio.png.content
    assert "已确认" in run("detect", "-", "--lang", "zh", stdin=content).out
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "已确认" in run("detect", "-", stdin=content).out
    monkeypatch.setenv("LC_ALL", "C")
    assert "CONFIRMED" in run("detect", "-", stdin=content).out


def test_a_picture_can_pass_through(
    run: Callable[..., Any], tmp_path: Path, original: bytes
) -> None:
    ran = run("label", "-", stdin=original)
    assert ran.code == 0
    assert ran.raw.startswith(b"\x89PNG")
    assert "-: labeled" in ran.err
    told = run("detect", "-", "--json", stdin=ran.raw)
    assert told.code == 0
    assert told.json["files"][0]["file"] == "-"
    assert names(tmp_path) == []
    (tmp_path / "b.png").write_bytes(original)
    ran = run("label", "b.png", "-o", "-", "--json")
    assert ran.raw.startswith(b"\x89PNG")
    assert json.loads(ran.err)["files"][0]["file"] == "b.png"
    run("label", "-", "-o", "c.jpg", stdin=original)
    assert Image.open(io.BytesIO((tmp_path / "c.jpg").read_bytes())).format == "JPEG"
    assert names(tmp_path) == ["b.png", "c.jpg"]


@pytest.mark.usefixtures("picture")
def test_options_reach_the_label(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("key", "new", "my.key").code == 0
    options = [
        "--service",
        "face",
        "--consent",
        "C-1",
        "--jurisdiction",
        "cn",
        "--corner",
        "top-left",
    ]
    options += ["--notice", "AI合成", "--generator", "painter 3", "--issuer", "7"]
    options += ["--producer", "001191110102MACQD9K64010000", "--mark-key", "my.key"]
    ran = run("label", "a.png", "--json", *options)
    (file,) = ran.json["files"]
    assert ran.code == 0
    assert file["service"] == "face"
    assert file["payload"]["issuer"] == 7
    layers = {item["layer"]: item["detail"] for item in file["layers"]}
    assert layers["notice"]["text"] == "AI合成"
    assert layers["notice"]["box"]["left"] < 20
    assert layers["mark"]["key_id"] == Key.load(tmp_path / "my.key").id
    found = run("detect", "a.labeled.png", "--json", "--mark-key", "my.key").json
    label = {e["layer"]: e for e in found["files"][0]["evidence"]}["aigc"]["detail"]
    assert label["label"]["content_producer"] == "001191110102MACQD9K64010000"
    monkeypatch.setenv("SYNTHMARK_PRODUCER", "acme")
    monkeypatch.setenv("SYNTHMARK_ISSUER", "9")
    (file,) = run("label", "a.png", "-f", "--json").json["files"]
    assert file["payload"]["issuer"] == 9


def test_the_help_names_the_services_that_there_are(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")  # wide enough to break no name
    told = " ".join(run("label", "--help").out.replace("│", " ").split())
    *most, last = policy.SERVICES
    assert f"{', '.join(most)} or {last}" in told
    assert all(corner in re.sub(r"\s", "", told) for corner in CORNERS)


def test_in_place_replaces_the_input_in_one_step(
    run: Callable[..., Any], picture: Path, original: bytes
) -> None:
    picture.chmod(0o640)
    assert run("label", "a.png", "--in-place").code == 0
    assert names(picture.parent) == ["a.png"]
    assert picture.read_bytes() != original
    assert picture.stat().st_mode & 0o777 == 0o640
    assert run("detect", "a.png").code == 0


@pytest.mark.usefixtures("picture")
def test_folders_are_labeled_into_folders(
    run: Callable[..., Any], tmp_path: Path, original: bytes
) -> None:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "in" / "a.png").write_bytes(original)
    (tmp_path / "in" / "sub" / "b.png").write_bytes(original)
    (tmp_path / "in" / ".c.png").write_bytes(b"half")
    assert run("label", "in", "-r", "-o", "new/out/").code == 0
    out = tmp_path / "new" / "out"
    assert names(out) == ["a.png", "sub"]
    assert names(out / "sub") == ["b.png"]
    assert run("detect", "new", "-r").code == 0
    assert run("detect", "new").code == 2
    assert run("detect", "in/**/*.png").code == 0  # their originals are in the log


def test_many_files_are_told_one_by_one_and_the_worst_decides(
    run: Callable[..., Any], in_studio: Any, tmp_path: Path, original: bytes
) -> None:
    (tmp_path / "good.png").write_bytes(in_studio.png.content)
    (tmp_path / "plain.png").write_bytes(original)
    (tmp_path / "bad.png").write_bytes(b"")
    (tmp_path / "a.bmp").write_bytes(b"BM" + bytes(20))
    files = ["good.png", "plain.png", "a.bmp", "missing.png"]
    ran = run("detect", *files, "--json")
    assert [item["exit_code"] for item in ran.json["files"]] == [0, 3, 6, 1]
    assert ran.code == 1
    assert run("detect", "good.png", "plain.png").code == 3
    ran = run("detect", "bad.png", "good.png")
    assert ran.code == 1
    assert ran.out.startswith("good.png: CONFIRMED")
    complain(ran, 1, "bad.png", "empty")
    ran = run("detect", *files, "--jsonl")
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert [line["file"] for line in lines] == files
    assert lines[2]["error"]["code"] == "unsupported_format"
    assert ran.err == ""


# Exit codes of a detection


def test_exit_codes_tell_what_was_found(
    run: Callable[..., Any],
    in_studio: Any,
    original: bytes,
    save: Callable[..., bytes],
    edit_png: Callable[..., bytes],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    labeled = in_studio.png.content
    again = save(Image.open(io.BytesIO(labeled)))
    touched = edit_png(labeled, b"iTXt", lambda data: data.replace(b"synth", b"other"))
    broken = edit_png(save(Image.open(io.BytesIO(original))), b"IHDR", lambda d: d)
    broken = broken[:33] + b"\0\0\0\4caBXjunk" + crc(b"caBXjunk") + broken[33:]
    for content, code, text in (
        (labeled, 0, "intact"),
        (original, 3, "No label does not prove"),
        (again, 4, "! REMOVED: C2PA"),
        (touched, 4, "! ALTERED: AIGC field"),
        (broken, 4, "! ALTERED: C2PA"),  # a manifest of nobody knows what
    ):
        ran = run("detect", "-", stdin=content)
        assert ran.code == code, ran
        assert text in ran.out
        assert ran.err == ""
    monkeypatch.setenv("SYNTHMARK_HOME", str(tmp_path / "nobody"))
    assert run("detect", "-", stdin=labeled).code == 5
    root = in_studio.home.signer_path / "root.pem"
    assert run("detect", "-", "--anchors", root, stdin=labeled).code == 0
    assert not (tmp_path / "nobody").exists()


def crc(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4)


# Bad input


def chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + kind + data + crc(kind + data)


def bomb() -> bytes:
    """A tiny PNG that says it has 20,000 x 20,000 pixels."""
    header = (20_000).to_bytes(4) * 2 + bytes([8, 2, 0, 0, 0])
    data = zlib.compress(bytes(100_000))
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def animated(kind: str) -> bytes:
    file = io.BytesIO()
    frames = [Image.new("RGB", (64, 64), (shade, 0, 0)) for shade in (9, 200)]
    frames[0].save(file, kind, save_all=True, append_images=frames[1:])
    return file.getvalue()


def plain(kind: str, mode: str = "RGB", size: int = 64) -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).convert(mode).save(file, kind)
    return file.getvalue()


BAD: dict[str, tuple[Callable[[], bytes], int, str]] = {
    "empty.png": (lambda: b"", 1, "the file is empty"),
    "cut.png": (lambda: plain("PNG")[:3000], 1, "the PNG file is truncated"),
    "cut.jpg": (lambda: plain("JPEG")[:1500], 1, "the JPEG file is truncated"),
    "cut.webp": (lambda: plain("WEBP")[:1500], 1, "the WebP file is truncated"),
    "head.png": (lambda: plain("PNG")[:6], 1, "cut off"),
    "text.png": (lambda: b"hello\n" * 9, 6, "the file is a text"),
    "noise.jpg": (lambda: bytes(range(1, 256)), 6, "not a picture of a known kind"),
    "page.webp": (lambda: b"<!DOCTYPE html><p>", 6, "an HTML page"),
    "still.bmp": (lambda: plain("BMP"), 6, "a BMP picture"),
    "cut.gif": (lambda: plain("GIF")[:900], 1, "the GIF file is truncated"),
    "moving.webp": (lambda: animated("WEBP")[:-9], 1, "the WebP file is truncated"),
    "moving.png": (lambda: animated("PNG")[:-9], 1, "the PNG file is truncated"),
    "bomb.png": (bomb, 1, "20000 x 20000 pixels"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used_is_named_and_left_alone(
    run: Callable[..., Any], tmp_path: Path, name: str
) -> None:
    make, code, problem = BAD[name]
    content = make()
    (tmp_path / name).write_bytes(content)
    for command in ("label", "detect"):
        ran = run(command, name)
        complain(ran, code, f"{name}: ", problem)
        assert ran.raw == b""
    ran = run("label", "-", "-o", "out.png", stdin=content)
    readable = name in ("text.png", "page.webp")  # under a name that says so, or none
    said = ("out.png: ", "cannot be written") if readable else ("-: ", problem)
    complain(ran, code, *said)
    assert names(tmp_path) == [name]
    assert (tmp_path / name).read_bytes() == content


def test_what_is_no_file_is_named(run: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    for name, problem in (("missing.png", "does not exist"), ("x" * 300, "too long")):
        for command in ("label", "detect"):
            complain(run(command, name), 1, f"{name}: ", problem)
    complain(run("label", "missing.png", "-o", "a.png"), 1, "missing.png: ")
    complain(run("detect", "folder.png"), 2, "folder.png: ", "holds no picture")
    complain(run("detect", "*.jpg"), 2, "*.jpg: ", "matches no file")
    assert names(tmp_path) == ["folder.png"]


def test_the_content_decides_and_not_the_name(
    run: Callable[..., Any], tmp_path: Path, save: Callable[..., bytes], make_scene: Any
) -> None:
    (tmp_path / "jpeg.png").write_bytes(save(make_scene(128, 160), "JPEG"))
    ran = run("label", "jpeg.png", "--json")
    assert ran.code == 0
    assert ran.json["files"][0]["media_type"] == "image/png"
    content = (tmp_path / "jpeg.labeled.png").read_bytes()
    assert Image.open(io.BytesIO(content)).format == "PNG"
    assert run("detect", "jpeg.labeled.png").code == 0


@pytest.mark.parametrize("side", [1, 16])
def test_a_tiny_picture_is_labeled_as_far_as_it_goes_and_that_is_said(
    run: Callable[..., Any], tmp_path: Path, side: int
) -> None:
    (tmp_path / "a.png").write_bytes(plain("PNG", size=side))
    ran = run("label", "a.png")
    assert ran.code == 1
    assert ran.out.splitlines()[0] == "a.labeled.png: INCOMPLETE"
    assert "MISSING: it is too small for the mark" in ran.out
    assert "MISSING: it is too small for a legible notice" in ran.out
    (file,) = run("label", "a.png", "-f", "--json").json["files"]
    assert file["complete"] is False
    assert file["exit_code"] == 1
    assert {item["layer"]: item["reason"] for item in file["layers"]} == {
        "notice": "too_small_for_notice",
        "mark": "too_small_for_mark",
        **dict.fromkeys(("aigc", "iptc", "c2pa", "record"), ""),
    }
    assert run("detect", "a.labeled.png").code == 0


@pytest.mark.parametrize("mode", ["1", "P", "CMYK", "I;16", "L", "RGBA"])
def test_unusual_pictures_are_labeled(
    run: Callable[..., Any], tmp_path: Path, make_scene: Any, mode: str
) -> None:
    image = Image.fromarray(make_scene(128, 160))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    elif mode == "RGBA":
        image.putalpha(200)
    else:
        image = image.convert(mode)
    name = "a.jpg" if mode == "CMYK" else "a.png"
    image.save(tmp_path / name)
    before = (tmp_path / name).read_bytes()
    ran = run("label", name, "-o", f"out{name[1:]}")
    assert ran.code == 0, ran
    changed = mode in ("1", "P", "CMYK", "I;16")
    assert ("  * " in ran.out) == changed  # conversions are told
    assert (tmp_path / name).read_bytes() == before
    assert run("detect", f"out{name[1:]}").code == 0


def test_broken_and_contradicting_metadata_is_replaced(
    run: Callable[..., Any], tmp_path: Path, make_scene: Any, save: Any
) -> None:
    text = PngInfo()
    text.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta broken")
    text.add_itxt("AIGC", '{"AIGC":{"Label":"1","ContentProducer":"a"}}')
    text.add_text("AIGC", '{"Label":"2","ContentProducer":"b","ProduceID":"2"}')
    content = save(make_scene(128, 160), "PNG", pnginfo=text)
    (tmp_path / "a.png").write_bytes(content)
    ran = run("detect", "a.png")
    assert ran.code == 4
    assert "! ALTERED: AIGC field: there are labels that contradict" in ran.out
    ran = run("label", "a.png")
    assert ran.code == 0
    assert "  * the XMP packet was unreadable and has been replaced" in ran.out
    assert ran.out.count("an earlier AIGC label has been replaced") == 2
    assert (tmp_path / "a.png").read_bytes() == content
    assert run("detect", "a.labeled.png").code == 0


# Where results cannot go


def test_places_that_cannot_be_written_are_named(
    run: Callable[..., Any], picture: Path, original: bytes, home: Path
) -> None:
    folder = picture.parent
    (folder / "b.png").write_bytes(original)
    (folder / "file").write_bytes(b"old")
    existing = "exists already. Use --force"
    for arguments, code, texts in (
        (("a.png", "-o", "file/a.png"), 1, ("file/a.png: ", "not a directory")),
        (("a.png", "-o", "file/sub/"), 1, ("file/sub/a.png: ", "not a directory")),
        (("a.png", "-o", f"{'x' * 300}.png"), 1, ("name too long",)),
        (("a.png", "-o", "b.png"), 1, ("b.png: ", existing)),
        (("a.png", "-o", "a.png"), 2, ("a.png: ", "input and an output at once")),
        (("a.png", "-o", "a.gif"), 6, ("a.gif: ", "cannot be written")),
        (("a.png", "-o", "noname"), 6, ("noname: ", "no suffix")),
        (("a.png", "b.png", "-o", "c.png"), 2, ("2 files cannot become", "slash")),
        (("a.png", "./a.png", "-o", "out/"), 2, ("a.png: ", "written twice")),
        (("a.png", "--in-place", "-o", "c.png"), 2, ("exclude each other",)),
        (("-", "--in-place"), 2, ("standard input",)),
    ):
        complain(run("label", *arguments), code, *texts)
    assert names(folder) == ["a.png", "b.png", "file"]
    assert picture.read_bytes() == (folder / "b.png").read_bytes() == original
    assert (folder / "file").read_bytes() == b"old"
    assert list(RecordStore(home / "records.sqlite").records()) == []


def test_a_transparent_picture_cannot_become_a_jpeg(
    run: Callable[..., Any], tmp_path: Path, make_scene: Any
) -> None:
    image = Image.fromarray(make_scene(128, 160))
    image.putalpha(128)
    image.save(tmp_path / "a.png")
    ran = run("label", "a.png", "-o", "a.jpg")
    complain(ran, 1, "a.png: ", "cannot be transparent", "PNG or WebP")
    assert names(tmp_path) == ["a.png"]


@posix
@pytest.mark.parametrize("target", [None, b"old"])
def test_a_full_disk_leaves_the_old_file(
    tmp_path: Path, make_scene: Any, target: bytes | None
) -> None:
    import resource

    noise = np.random.default_rng(0).integers(0, 256, (400, 400, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")  # 480 kB
    if target is not None:
        (tmp_path / "a.labeled.png").write_bytes(target)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    process = real("label", "a.png", "-f", cwd=tmp_path, preexec_fn=limit)
    out, err = process.communicate()
    said = err.decode().splitlines()[-1]
    assert process.returncode == 1
    assert out == b""
    assert said.startswith("a.labeled.png: cannot be written: file too large.")
    assert "has room" in said
    expected = ["a.png"] if target is None else ["a.labeled.png", "a.png"]
    assert names(tmp_path) == expected
    assert target is None or (tmp_path / "a.labeled.png").read_bytes() == target


# Keys, certificates, homes and logs that cannot be used


@pytest.mark.usefixtures("picture")
def test_keys_and_certificates_that_cannot_be_used_are_named(
    run: Callable[..., Any], tmp_path: Path, expired: tuple[Path, Path]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    certificates.save_credentials(other, certificates.make_development_chain())
    (tmp_path / "short.key").write_bytes(b"short")
    (tmp_path / "none.pem").write_bytes(b"\xff\xd8")
    before = names(tmp_path)
    chain, key = other / "signer-chain.pem", other / "signer-key.pem"
    old, old_key = expired
    for arguments, code, texts in (
        (("--mark-key", "short.key"), 1, ("short.key: ", "5 bytes", "key new")),
        (("--mark-key", "no.key"), 1, ("no.key: ", "no such file", "key new")),
        (("--cert", old, "--key", old_key), 1, (f"{old}: ", "expired on", "new cert")),
        (("--cert", chain, "--key", old_key), 1, ("does not belong", f"{chain}: ")),
        (("--cert", chain), 2, ("go together", "Give both")),
        (("--cert", "no.pem", "--key", key), 2, ("no.pem: ", "no such file")),
        (("--cert", "none.pem", "--key", key), 2, ("none.pem: ", "not text")),
    ):
        complain(run("label", "a.png", *arguments), code, *texts)
    assert names(tmp_path) == before
    complain(run("detect", "a.png", "--mark-key", "short.key"), 1, "short.key: ")
    complain(run("detect", "a.png", "--anchors", "none.pem"), 2, "none.pem: ")
    complain(run("detect", "a.png", "--anchors", old_key), 1, f"{old_key}: ", "PEM")
    assert run("label", "a.png", "--cert", chain, "--key", key).code == 0


@pytest.mark.usefixtures("picture")
def test_choices_that_do_not_exist_are_named_with_those_that_do(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    for arguments, texts in (
        (("--service", "faces"), ("unknown service 'faces'", "dialogue, voice, face")),
        (("--jurisdiction", "xx"), ("unknown jurisdiction 'xx'", "cn")),
        (("--notice", "made by a machine"), ("lacks the AI element", "AI生成")),
        (("--notice", "AI"), ("lacks the generation element",)),
        (("--issuer", "-1"), ("issuer -1 is outside",)),
        (("--producer", "某公司"), ("characters outside", "code")),
    ):
        complain(run("label", "a.png", *arguments), 2, *texts)
    for arguments in (("--corner", "middle"), ("--lang", "fr"), ("--nonsense",)):
        ran = run("label", "a.png", *arguments)
        assert ran.code == 2
        assert arguments[0] in ran.err or arguments[-1] in ran.err
    assert run("label").code == 2
    assert run("nonsense").code == 2
    assert names(tmp_path) == ["a.png"]


@pytest.mark.usefixtures("picture")
def test_a_home_that_cannot_be_made_is_named(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    for place in (tmp_path / "file", tmp_path / "file" / "home", "x" * 300):
        monkeypatch.setenv("SYNTHMARK_HOME", str(place))
        for command in (("label", "a.png"), ("key", "new")):
            complain(run(*command), 1, f"{place}: ", "SYNTHMARK_HOME")
        assert run("detect", "a.png").code == 3  # reading needs no home
        complain(run("records", "list"), 1, str(place))
        assert run("doctor").code == 0
    assert names(tmp_path) == ["a.png", "file"]


@pytest.mark.usefixtures("picture")
def test_a_log_that_is_damaged_is_named_and_nothing_is_written(
    run: Callable[..., Any], tmp_path: Path, home: Path
) -> None:
    Home().labeler()
    log = home / "records.sqlite"
    log.write_bytes(b"no database at all" * 300)
    before = log.read_bytes()
    for command in (
        ("label", "a.png"),
        ("detect", "a.png"),
        ("records", "list"),
        ("records", "show", "1"),
        ("records", "verify"),
    ):
        complain(run(*command), 1, f"{log}: ", "not a readable record log", "copy")
    assert log.read_bytes() == before
    assert names(tmp_path) == ["a.png"]
    ran = run("doctor")
    assert ran.code == 1
    assert "BAD  records: " in ran.out


# The other commands


def test_mark_keys_are_made_and_named_but_never_shown(
    run: Callable[..., Any], tmp_path: Path, home: Path
) -> None:
    complain(run("key", "show"), 1, "mark.key: ", "no such file")
    assert not home.exists()  # showing makes nothing
    ran = run("key", "new", "my.key")
    assert ran.code == 0
    assert ran.out.strip() == Key.load(tmp_path / "my.key").id
    assert run("key", "show", "my.key").out == ran.out
    complain(run("key", "new", "my.key"), 2, "my.key: ", "exists already")
    assert run("key", "show", "my.key").out == ran.out
    ran = run("key", "new")
    assert ran.out.strip() == Key.load(home / "mark.key").id
    assert run("key", "show").out == ran.out
    complain(run("key", "new"), 2, "mark.key: ", "exists already")
    secret = (home / "mark.key").read_text().split()[1]
    assert secret not in ran.out + ran.err


def test_certificates_are_made_and_checked(
    run: Callable[..., Any], tmp_path: Path, expired: tuple[Path, Path]
) -> None:
    ran = run("cert", "new", "certs")
    assert (ran.code, ran.out) == (0, "certs\n")
    complain(run("cert", "new", "certs"), 2, "certs: ", "exists already")
    chain, key = "certs/signer-chain.pem", "certs/signer-key.pem"
    ran = run("cert", "check", chain, "--key", key)
    assert ran.code == 0
    assert "development only" in ran.out
    assert "es256, valid until 20" in ran.out
    told = run("cert", "check", chain, "--key", key, "--json").json
    assert told["problems"] == []
    assert set(told["certificate"]) == {"subject", "issuer", "not_after", "algorithm"}
    ran = run("cert", "check", expired[0], "--key", key)
    assert ran.code == 1
    assert "error: CN=Yesterday expired on" in ran.out
    assert "error: the private key does not belong to the certificate" in ran.out
    told = run("cert", "check", expired[0], "--json")
    assert told.code == 1
    assert told.json["certificate"] is None
    assert set(told.json["problems"][0]) == {"severity", "text", "hint"}
    complain(run("cert", "check", "none.pem"), 2, "none.pem: ")
    complain(run("cert", "check"), 2, "signer-chain.pem: ", "no such file")
    Home().signer()
    assert run("cert", "check").code == 0
    # Another key is held against the home's chain.
    assert run("cert", "check", "--key", key).code == 1


def test_records_are_listed_found_and_verified(
    run: Callable[..., Any], tmp_path: Path, original: bytes, home: Path
) -> None:
    complain(run("records", "list"), 1, "records.sqlite: ", "first labeled file")
    assert not home.exists()
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(original)
    files = run("label", "a.png", "b.png", "--json").json["files"]
    assert len(run("records", "list").out.splitlines()) == 2
    assert run("records", "list", "--after", "1").out.split()[0] == "2"
    assert len(run("records", "list", "--limit", "1").out.splitlines()) == 1
    listed = run("records", "list", "--json").json["records"]
    assert [item["target"] for item in listed] == ["a.labeled.png", "b.labeled.png"]
    for item in (
        "1",
        files[0]["payload"]["hex"],
        files[0]["produce_id"],
        files[0]["sha256_after"],
        files[0]["sha256_after"].upper(),
    ):
        ran = run("records", "show", item)
        assert ran.code == 0
        assert ran.json["records"] == listed[:1]
    assert len(run("records", "show", files[0]["sha256_before"]).json["records"]) == 2
    for item in ("3", "0", "f" * 16, "x" * 16, "nobody", "f" * 64, "9" * 40, "²"):
        ran = run("records", "show", item)
        assert (ran.code, ran.json) == (3, {"records": []})


def test_the_log_is_verified_against_a_checkpoint_that_was_kept(
    run: Callable[..., Any], picture: Path, home: Path, tmp_path: Path
) -> None:
    run("label", picture)
    ran = run("records", "verify")
    assert ran.code == 0
    assert ran.out.startswith("1 records, intact. Head: 1:")
    head = ran.out.split()[-1]
    assert run("records", "verify", "--json").json["head"] == head
    run("label", picture, "--force")
    ran = run("records", "checkpoint", "-o", "kept.json")
    assert (ran.code, ran.out) == (0, "")
    assert "records-key.pem" in ran.err
    complain(run("records", "checkpoint", "-o", "kept.json"), 2, "exists already")
    assert run("records", "checkpoint").json["sequence"] == 2
    ran = run("records", "verify", "--checkpoint", "kept.json")
    assert ran.code == 0
    assert "3 checkpoints hold, signed by " in ran.out
    (tmp_path / "other.json").write_text("{}")
    for wrong in ("other.json", "missing.json"):
        complain(run("records", "verify", "--checkpoint", wrong), 2, wrong)
    with sqlite3.connect(home / "records.sqlite") as connection:
        connection.execute("DROP TRIGGER checkpoint_delete")
        connection.execute("DROP TRIGGER record_delete")
        connection.execute("DELETE FROM checkpoint")
        connection.execute("DELETE FROM record WHERE sequence = 2")
    assert run("records", "verify").code == 0
    ran = run("records", "verify", "--checkpoint", "kept.json")
    assert ran.code == 4
    assert "BROKEN at record 2: cut off" in ran.out
    with sqlite3.connect(home / "records.sqlite") as connection:
        connection.execute("DROP TRIGGER record_update")
        connection.execute("UPDATE record SET service = 'face'")
    ran = run("records", "verify", "--json")
    assert ran.code == 4
    assert ran.json["ok"] is False
    assert ran.json["first_bad_sequence"] == 1
    complain(run("records", "list"), 1, "was changed after it was written")


def test_the_log_is_exported_and_pruned(
    run: Callable[..., Any], picture: Path, home: Path, tmp_path: Path
) -> None:
    run("label", picture)
    listed = run("records", "list", "--json").json["records"]
    ran = run("records", "export")
    assert [json.loads(line) for line in ran.out.splitlines()] == listed
    ran = run("records", "export", "--format", "csv", "-o", "log.csv")
    assert (ran.code, ran.out, ran.err) == (0, "", "1 records.\n")
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 2
    complain(run("records", "export", "-o", "log.csv"), 1, "exists already")
    assert run("records", "export", "-o", "log.csv", "--force").code == 0
    assert run("records", "export", "--until", "2020-01-01").out == ""
    assert len(run("records", "export", "--since", "2020-01-01").out.splitlines()) == 1
    complain(run("records", "prune"), 2, "--before or --older-than")
    complain(run("records", "prune", "--older-than", "182"), 2, "183 days")
    complain(run("records", "prune", "--older-than", "9" * 12), 2, "so long ago")
    ran = run("records", "prune", "--older-than", "300", "--retention", "365")
    complain(ran, 2, "365 days")
    complain(run("records", "prune", "--before", "2999-01-01"), 2, "183 days")
    ran = run("records", "prune", "--before", "2020-01-01")
    assert (ran.code, ran.out) == (0, "Nothing to remove.\n")
    assert run("records", "prune", "--older-than", "183", "--json").json["count"] == 0


def test_the_log_may_be_somewhere_else(
    run: Callable[..., Any],
    picture: Path,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SYNTHMARK_RECORDS", str(tmp_path / "other.db"))
    run("label", picture)
    assert not (home / "records.sqlite").exists()
    assert run("records", "verify").out.startswith("1 records, intact")
    monkeypatch.setenv("SYNTHMARK_RECORDS", "postgresql://me:secret@/x?host=/nowhere")
    ran = run("records", "verify")
    complain(ran, 1, "postgresql://me@/x: cannot be reached")
    assert "secret" not in ran.err


def test_the_doctor_tells_all(run: Callable[..., Any], home: Path) -> None:
    ran = run("doctor")
    assert (ran.code, ran.err) == (0, "")
    assert all(line.startswith("ok   ") for line in ran.out.splitlines())
    assert not home.exists()
    Home().key()
    (home / "mark.key").write_bytes(b"")
    ran = run("doctor", "--json")
    assert ran.code == 1
    bad = [check for check in ran.json["checks"] if not check["ok"]]
    assert [set(check) for check in bad] == [{"name", "ok", "text"}]
    assert bad[0]["name"] == "key"


# JSON

DOCS = Path(__file__).resolve().parent.parent / "docs" / "json.md"


def documented(heading: str) -> set[str]:
    """Return the keys in the table below a heading of the documentation."""
    text = DOCS.read_text("utf-8").partition(f"\n### {heading}\n")[2]
    assert text, heading
    rows = re.split(r"\n#", text)[0].splitlines()
    return {row.split("`")[1] for row in rows if row.startswith("| `")} - {
        reason.value for reason in Reason
    }


def matches(document: dict[str, Any], heading: str) -> None:
    assert set(document) == documented(heading), heading


def test_the_json_of_a_detection_is_as_documented(
    run: Callable[..., Any], in_studio: Any, original: bytes, save: Callable[..., bytes]
) -> None:
    relabeled = in_studio.labeler.label(in_studio.jpeg.content)
    again = save(Image.open(io.BytesIO(in_studio.png.content)), "WEBP")
    for content in (in_studio.png.content, relabeled.content, again, original):
        ran = run("detect", "-", "--json", stdin=content)
        matches(ran.json, "document")
        (file,) = ran.json["files"]
        matches(file, "detected file")
        assert file["exit_code"] == ran.code
        assert [item["layer"] for item in file["evidence"]] == LAYERS
        for item in file["evidence"]:
            matches(item, "evidence")
            if item["layer"] != "record" or item["state"] == "present":
                matches(item["detail"], item["layer"])
        details = {item["layer"]: item["detail"] for item in file["evidence"]}
        for notice in details["notice"]["notices"]:
            matches(notice, "found notice")
        if details["mark"]["found"]:
            matches(details["mark"]["transform"], "transform")
            matches(file["payload"], "payload")
        if details["aigc"]["label"]:
            matches(details["aigc"]["label"], "label")
            matches(details["c2pa"]["label"], "label")
        for ingredient in details["c2pa"]["ingredients"]:
            matches(ingredient, "ingredient")
        for seal in details["aigc"]["seals"]:
            matches(seal, "seal")
        if recovered := details["c2pa"]["recovered"]:
            inside = documented("c2pa") - {"place", "recovered", "registry_problem"}
            assert set(recovered) == inside | documented("recovered manifest")
        if likeness := details["record"].get("likeness"):
            matches(likeness, "likeness")
        for finding in file["findings"]:
            matches(finding, "finding")
    assert len(in_studio.detect(relabeled.content).layer(Layer.C2PA).detail) == 24


@pytest.mark.usefixtures("picture")
def test_the_json_of_a_labeling_is_as_documented(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    ran = run("label", "a.png", "missing.png", "--json")
    matches(ran.json, "document")
    assert ran.json["schema_version"] == 1
    file, failed = ran.json["files"]
    matches(file, "labeled file")
    assert file["file"] == file["source"] == "a.png"
    assert [item["layer"] for item in file["layers"]] == LAYERS
    for item in file["layers"]:
        matches(item, "layer")
        matches(item["detail"], f"written {item['layer']}")
    matches(failed, "file that failed")
    matches(failed["error"], "error")
    assert failed["file"] == "missing.png"
    assert failed["error"]["code"] == "media"
    (line,) = run("label", "a.png", "-f", "--jsonl").out.splitlines()
    matches(json.loads(line), "labeled file")


def test_a_sound_is_labeled_and_read(
    run: Callable[..., Any], tmp_path: Path, make_voice: Callable[..., Any]
) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, 24_000, 0, "NONE", ""))
        file.writeframes(make_voice().tobytes())
    ran = run("label", "a.wav", "-o", "b.mp3", "--notice-at", "end", "--json")
    assert ran.code == 0
    (file,) = ran.json["files"]
    matches(file, "labeled file")
    details = {item["layer"]: item["detail"] for item in file["layers"]}
    assert list(details) == ["notice", "mark", "aigc", "c2pa", "record"]
    matches(details["notice"], "written notice of a sound")
    matches(details["mark"], "written mark of a sound")
    assert details["notice"]["place"] == "end"
    ran = run("detect", "b.mp3", "--json")
    assert ran.code == 0
    (file,) = ran.json["files"]
    matches(file, "detected file")
    details = {item["layer"]: item["detail"] for item in file["evidence"]}
    assert list(details) == LAYERS
    matches(details["mark"], "mark")
    matches(details["notice"]["notices"][0], "heard notice")
    for language, seconds in (("en", " s\n"), ("zh", "秒\n")):
        page = run("detect", "b.mp3", "--lang", language).out
        assert re.search(rf"”.*\d{seconds}", page)
    ran = run("label", "a.wav", "-f", "--sound-notice", "sung")
    assert ran.code == 2
    assert "'sung' is not one of" in ran.err
    complain(run("label", "a.wav", "-f", "--notice-at", "soon"), 2, "soon", '"end"')


def test_every_value_of_the_json_is_documented() -> None:
    text = DOCS.read_text("utf-8")
    for kind in (Verdict, FindingKind):
        assert all(f'`"{value}"`' in text for value in kind)
    assert all(f"\n| `{reason}` |" in text for reason in Reason)
    assert all(f"`{state}`" in text for state in State)
    for layer in Layer:
        assert re.search(rf"\n### {layer}\n\nStates: ", text)
    known = {kind.code for kind in tree(errors.SynthmarkError)}
    table = text.partition("\n## Error codes\n")[2].partition("\n## ")[0]
    codes = set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE))
    assert codes <= known
    # These stop a command before its first file, or are reasons of a layer.
    elsewhere = {"key_file", "mark", "registry"}
    elsewhere |= {"too_small_for_mark", "too_short_for_mark", "mark_not_readable"}
    elsewhere |= {"too_small_for_notice"}
    assert known - codes == elsewhere


def tree(kind: type[errors.SynthmarkError]) -> Iterable[type[errors.SynthmarkError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from tree(child)


# Terminals and pipes


@posix
@pytest.mark.usefixtures("picture")
@pytest.mark.parametrize("way", ["gone", "closed"])
@pytest.mark.parametrize(
    "command",
    [
        ["--help"],
        ["detect", "missing.png", "--json"],
        ["label", "a.png", "-o", "-"],
        ["cert", "check"],
    ],
    ids=" ".join,
)
def test_without_a_reader_there_is_no_traceback(
    tmp_path: Path, command: list[str], way: str
) -> None:
    Home().labeler()
    reading, writing = os.pipe()
    os.close(reading)
    redirection = ">&-" if way == "closed" else ""
    done = redirected(redirection, *command, cwd=tmp_path, stdout=writing)
    os.close(writing)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert done.returncode in (0, 1)
    if "label" in command:
        assert done.returncode == 1
        assert done.stderr.startswith("standard output: cannot be written: ")


@posix
def test_without_an_input_there_is_no_traceback(tmp_path: Path) -> None:
    for command in ("detect", "label"):
        done = redirected("<&-", command, "-", cwd=tmp_path)
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1].startswith("-: the file is empty.")


def test_what_the_system_refuses_is_told_in_one_line(
    picture: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def detect(*_: Any) -> None:
        raise OSError(28, "No space left on device", "/cache")

    monkeypatch.setattr(Detector, "detect", detect)
    with pytest.raises(SystemExit) as end:
        cli.app(["detect", str(picture)])
    assert end.value.code == 1
    assert capsys.readouterr() == ("", "/cache: No space left on device.\n")


@posix
def test_names_and_terminals_of_any_kind_are_shown(
    run: Callable[..., Any], tmp_path: Path, original: bytes
) -> None:
    names_ = ["肖像.png", "line\nbreak.png", "\x1b[31mred.png", "\udcff.png"]
    for name in names_:
        (tmp_path / name).write_bytes(original)
    ran = run("label", *names_, "--json")
    assert ran.code == 0
    assert [item["file"] for item in ran.json["files"]] == names_
    for name in names_:
        ran = run("detect", name.replace(".png", ".labeled.png"))
        assert ran.code == 0
        assert len(ran.out.splitlines()) == 1 + len(LAYERS)
        assert "\x1b" not in ran.out
    complain(run("detect", "\x1b7missing\n.png"), 1, "\\x1b7missing\\n.png: ")
    poor = {**os.environ, "PYTHONIOENCODING": "ascii"}
    process = real("detect", "肖像.labeled.png", "--json", cwd=tmp_path, env=poor)
    out, err = process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert out.isascii()
    assert json.loads(out)["files"][0]["file"] == "肖像.labeled.png"
    process = real("detect", "肖像.labeled.png", "--lang", "zh", cwd=tmp_path, env=poor)
    assert b"\\u5df2" in process.communicate()[0]
    assert process.returncode == 0


@posix
def test_a_bar_shows_progress_where_no_page_would_break_it(tmp_path: Path) -> None:
    import pty

    def errors(*arguments: str, **options: Any) -> tuple[bytes, bytes]:
        """Return what goes to standard output and to a terminal."""
        terminal, inside = pty.openpty()
        options = {name: inside for name in ("stderr", *options)}
        environment = {**os.environ, "TERM": "xterm"}
        process = real("detect", *arguments, cwd=tmp_path, env=environment, **options)
        out = process.communicate()[0]
        os.close(inside)
        shown = b""
        with suppress(OSError), open(terminal, "rb", buffering=0) as file:
            while part := file.read(10_000):
                shown += part
        return out, shown

    files = ("one.png", "two.png")
    out, shown = errors(*files, "--json")
    assert len(json.loads(out)["files"]) == 2
    assert b"100%" in shown
    _, shown = errors(*files, stdout=None)
    assert b"%" not in shown
    assert shown.count(b"does not exist") == 2


@posix
def test_results_can_be_written_to_a_real_pipe(tmp_path: Path, original: bytes) -> None:
    labeling = real("label", "-", stdin=subprocess.PIPE, cwd=tmp_path)
    detecting = real("detect", "-", "--jsonl", stdin=labeling.stdout, cwd=tmp_path)
    assert labeling.stdin
    labeling.stdin.write(original)
    labeling.stdin.close()
    out, _ = detecting.communicate()
    assert labeling.wait() == detecting.returncode == 0
    assert json.loads(out)["verdict"] == "confirmed"
    assert labeling.stderr
    assert b"-: labeled" in labeling.stderr.read()
    for pipe in (labeling.stdout, labeling.stderr):
        assert pipe
        pipe.close()


# Processes that are interrupted, killed, or many


@posix
def test_an_interrupted_command_leaves_nothing_and_says_so_by_its_code(
    commands: Any, tmp_path: Path, make_scene: Any
) -> None:
    Home().labeler()
    Image.fromarray(make_scene(1200, 1600)).save(tmp_path / "a.png")
    number = commands.start("label", "a.png", cwd=tmp_path)
    deadline = time.monotonic() + 60
    while len(names(tmp_path)) == 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)
    os.kill(number, signal.SIGINT)
    ran = commands.wait()
    assert ran.code == 130
    assert "Traceback" not in ran.err
    assert names(tmp_path) == ["a.png"]


@posix
def test_a_killed_command_leaves_the_old_file_or_the_new_one(
    commands: Any, tmp_path: Path, make_scene: Any, home: Path
) -> None:
    source, target = tmp_path / "a.png", tmp_path / "out" / "a.png"
    Image.fromarray(make_scene()).save(source)
    before = source.read_bytes()
    target.parent.mkdir()
    command = ("label", source, "-o", target, "-f")
    commands(*command)  # the first one waits for more than its work
    start = time.monotonic()
    assert commands(*command).code == 0
    longest = time.monotonic() - start
    detector = Home().detector()
    store = RecordStore(home / "records.sqlite")
    chance = random.Random(0)

    def is_whole() -> bool:
        report = detector.detect(target)
        states = {item.state for item in report.evidence}
        return states <= {State.PRESENT, State.TRUSTED} and not report.findings

    assert is_whole()
    for turn in range(25):
        target.write_bytes(b"old")
        head = store.head()
        number = commands.start(*command)
        if turn % 3:
            time.sleep(longest * chance.random())
        else:  # while the file is put in place, right after it is recorded
            deadline = time.monotonic() + 60
            while store.head() == head and time.monotonic() < deadline:
                pass
            time.sleep(0.002 * chance.random())
        with suppress(ProcessLookupError):  # it was faster
            os.kill(number, signal.SIGKILL)
        ran = commands.wait()
        assert source.read_bytes() == before
        assert store.verify().ok
        *left, last = names(target.parent)
        assert last == "a.png"
        assert all(name.startswith(".a-") for name in left)
        if target.read_bytes() == b"old":
            assert ran.code == -signal.SIGKILL.value
        else:
            assert is_whole()
    # What was left behind is in nobody's way.
    assert commands(*command).code == 0
    assert is_whole()
    assert commands("detect", target.parent).code == 0


@posix
def test_processes_that_start_together_share_one_home(
    tmp_path: Path, make_scene: Any, home: Path
) -> None:
    for number in range(4):
        picture = make_scene(128, 160, seed=number)
        Image.fromarray(picture).save(tmp_path / f"{number}.png")
    processes = [real("label", f"{n}.png", cwd=tmp_path) for n in range(4)]
    said = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, said
    told = b"".join(err for _, err in said)
    assert told.count(b"Made a mark key") == 1
    assert told.count(b"Made a certificate chain") == 1
    assert names(home) == ["mark.key", "records.sqlite", "signer"]
    verification = RecordStore(home / "records.sqlite").verify()
    assert (verification.ok, verification.count) == (True, 4)
    detector = Home().detector()
    for number in range(4):
        report = detector.detect(tmp_path / f"{number}.labeled.png")
        assert {item.state for item in report.evidence} <= {"present", "trusted"}
        assert report.findings == ()


def test_a_map_shows_where_the_mark_is_missing(
    run: Callable[..., Any], in_studio: Any, tmp_path: Path
) -> None:
    whole = tmp_path / "whole.png"
    whole.write_bytes(in_studio.png.content)
    ran = run("map", whole, "--json")
    assert ran.code == cli.DONE
    told = json.loads(ran.out)
    assert told["file"] == str(whole)
    assert told["payload"] == str(in_studio.png.payload)
    assert 0 <= told["missing"] < 0.2
    with Image.open(whole) as picture, Image.open(told["map"]) as drawn:
        assert drawn.size == picture.size
    complain(run("map", whole), cli.FAILED, "exists", "--force")
    ran = run("map", whole, "-f", "-o", tmp_path / "other.png")
    assert ran.code == cli.DONE
    assert "without the mark" in ran.out
    assert (tmp_path / "other.png").exists()


def test_there_is_no_map_of_an_unmarked_picture(
    run: Callable[..., Any], picture: Path, tmp_path: Path
) -> None:
    ran = run("map", picture, "--json")
    assert ran.code == cli.NO_LABEL
    assert json.loads(ran.out)["map"] is None
    ran = run("map", picture)
    assert ran.code == cli.NO_LABEL
    assert "no mark" in ran.err
    assert names(tmp_path) == ["a.png"]
