"""The command line on documents."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PAGE = "<!DOCTYPE html>\n<title>t</title>\n<p>One.</p>\n<p>Two.</p>\n"


def test_a_folder_of_texts_is_labeled_and_detected(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "a.txt").write_text("Plain.\n")
    (texts / "b.md").write_text("# Title\n\nText.\n")
    (texts / "c.html").write_text(PAGE)
    ran = run("label", "texts", "-o", "out/", "--json", "--lang", "zh")
    assert ran.code == 0, ran.err
    files = {Path(one["file"]).name: one for one in ran.json["files"]}
    assert {one["media"] for one in files.values()} == {"text"}
    assert [files[name]["media_type"] for name in sorted(files)] == [
        "text/plain",
        "text/markdown",
        "text/html",
    ]
    (notice, *_) = files["a.txt"]["layers"]
    assert notice["detail"] == {"text": "AI生成", "place": "start", "style": "line"}
    ran = run("detect", "out", "--json")
    assert ran.code == 0
    verdicts = {Path(one["file"]).name: one["verdict"] for one in ran.json["files"]}
    assert verdicts == {
        "a.txt": "confirmed",
        "b.md": "confirmed",
        "c.html": "confirmed",
    }


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--notice-at", "end"], "at the end"),
        (["--notice-at", "0.5", "--text-style", "corner"], "in the middle"),
    ],
)
def test_the_page_says_where_the_notice_stands(
    run: Callable[..., Any], tmp_path: Path, options: list[str], line: str
) -> None:
    (tmp_path / "a.txt").write_text("\n\n".join(["Many ordinary words."] * 20))
    ran = run("label", "a.txt", *options)
    assert ran.code == 0
    assert line in ran.out
    assert "cannot be in a file of this kind" in ran.out  # mark and field
    ran = run("detect", "a.labeled.txt")
    assert ran.code == 0
    assert line in ran.out.splitlines()[1]


def test_a_text_goes_through_pipes(run: Callable[..., Any]) -> None:
    ran = run("label", "-", stdin="你好。\r\n".encode())
    assert ran.code == 0
    seen, hidden = ran.raw.decode().split("\ufeff")
    assert seen == "AI生成 · AI-generated\r\n\r\n你好。\r\n"
    assert all(unicodedata.category(one) == "Mn" for one in hidden)
    assert run("detect", "-", stdin=ran.raw).code == 0
    assert run("detect", "-", stdin=b"Nothing here.\n").code == 3


@pytest.mark.parametrize(
    ("name", "content", "code", "problem"),
    [
        ("a.txt", b"caf\xe9 du monde", 6, "no encoding that is recognized"),
        ("a.txt", b"a\0b", 1, "control character"),
        ("a.txt", b"", 1, "empty"),
        ("a.docx", b"PK\x03\x04" + bytes(90), 1, "cut off or damaged"),
        ("a.pdf", b"%PDF-1.7\n" + bytes(90), 1, "cut off or damaged"),
        ("a.py", b"print()\n", 6, "the file is a text"),
        ("a.html", b"<frameset><frame src=x>", 6, "frameset"),
        ("a.md", b"+++\na = 1\n+++\nx\n", 6, "TOML"),
    ],
)
def test_what_cannot_be_labeled_is_told_in_a_line(
    run: Callable[..., Any],
    tmp_path: Path,
    name: str,
    content: bytes,
    code: int,
    problem: str,
) -> None:
    (tmp_path / name).write_bytes(content)
    ran = run("label", name)
    assert ran.code == code
    assert problem in ran.err.splitlines()[-1]
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, "home"]


def test_in_place_is_atomic_and_keeps_the_input_on_failure(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "a.md"
    path.write_bytes(b"Text.\n")
    assert run("label", "a.md", "--in-place").code == 0
    labeled = path.read_bytes()
    assert labeled.startswith(b"---\nAIGC:\n")
    assert run("label", "a.md", "--in-place", "--notice-at", "7").code == 1
    assert path.read_bytes() == labeled
