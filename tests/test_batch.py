"""Which files are meant, and where their results go."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from synthmark.labeling.batch import Job, collect, plan
from synthmark.labeling.errors import UsageError

FILES = ("b.png", "a.JPG", "c.webp", "notes.csv", ".hidden.png", "sub/d.jpeg")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with pictures, hidden ones and other things."""
    path = tmp_path / "work"
    for name in (*FILES, ".git/e.png", "sub/.f-0123456789ab.png"):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(b"")
    (path / "folder.png").mkdir()
    (path / "empty").mkdir()
    monkeypatch.chdir(path)
    return path


def names(inputs: list[str], *, recursive: bool = False) -> list[str]:
    found = collect(inputs, recursive=recursive)
    return [path.as_posix() if path else "-" for path, _ in found]


def targets(
    inputs: list[str], output: str | None = None, *, in_place: bool = False
) -> list[str | None]:
    jobs = plan(collect(inputs, recursive=True), output, in_place=in_place)
    return [job.target.as_posix() if job.target else None for job in jobs]


@pytest.mark.usefixtures("folder")
def test_a_folder_gives_its_pictures_in_order() -> None:
    assert names(["."]) == ["a.JPG", "b.png", "c.webp"]


@pytest.mark.usefixtures("folder")
def test_folders_are_searched_when_asked_but_never_for_hidden_files() -> None:
    # A hidden file may be the remains of a run that was killed.
    assert names(["."], recursive=True) == ["a.JPG", "b.png", "c.webp", "sub/d.jpeg"]


@pytest.mark.usefixtures("folder")
def test_files_are_taken_as_named_whatever_they_are_called() -> None:
    assert names(["notes.csv", ".hidden.png", "-", "missing.png"]) == [
        "notes.csv",
        ".hidden.png",
        "-",
        "missing.png",
    ]
    assert names(["x" * 300]) == ["x" * 300]


@pytest.mark.usefixtures("folder")
def test_patterns_that_the_shell_left_are_expanded() -> None:
    assert names(["*.png"]) == ["b.png", "folder.png"]
    assert names(["**/*.jpeg"]) == ["sub/d.jpeg"]


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(folder: Path) -> None:
    (folder / "b[1].png").write_bytes(b"")
    (folder / "b1.png").write_bytes(b"")
    assert names(["b[1].png"]) == ["b[1].png"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("given", "recursive", "problem", "hint"),
    [
        ("empty", True, "holds no picture, sound, video or document", ""),
        ("empty", False, "holds no picture, sound, video or document", "-r"),
        ("*.gif", False, "matches no file", "pattern"),
    ],
)
def test_what_holds_no_picture_is_named(
    given: str, recursive: bool, problem: str, hint: str
) -> None:
    with pytest.raises(UsageError, match=problem) as caught:
        collect([given], recursive=recursive)
    assert caught.value.path == given
    assert hint in caught.value.hint


@pytest.mark.usefixtures("folder")
def test_results_stand_beside_their_inputs_unless_said_otherwise() -> None:
    assert targets(["b.png", "sub"]) == ["b.labeled.png", "sub/d.labeled.jpeg"]


@pytest.mark.usefixtures("folder")
def test_a_folder_of_results_keeps_the_folders_below_an_input() -> None:
    expected = ["out/a.JPG", "out/b.png", "out/c.webp", "out/sub/d.jpeg"]
    assert targets(["."], "out/") == expected
    assert targets(["b.png"], "empty") == ["empty/b.png"]
    assert targets(["sub/d.jpeg"], "out/") == ["out/d.jpeg"]


@pytest.mark.usefixtures("folder")
def test_one_input_may_become_any_file() -> None:
    assert targets(["b.png"], "x.jpg") == ["x.jpg"]
    assert targets(["b.png"], "-") == [None]
    assert targets(["-"]) == [None]
    assert targets(["-"], "x.png") == ["x.png"]


@pytest.mark.usefixtures("folder")
def test_in_place_results_replace_their_inputs() -> None:
    assert targets(["b.png", "sub"], in_place=True) == ["b.png", "sub/d.jpeg"]


def test_results_of_an_earlier_run_are_not_labeled_again(folder: Path) -> None:
    (folder / "b.labeled.png").write_bytes(b"")
    assert targets(["."])[:2] == ["a.labeled.JPG", "b.labeled.png"]
    assert targets(["b.png", "b.labeled.png"]) == ["b.labeled.png"]
    # Alone it is a file like any other.
    assert targets(["b.labeled.png"]) == ["b.labeled.labeled.png"]
    assert "b.labeled.png" in names(["."])


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("inputs", "output", "in_place", "problem"),
    [
        (["b.png"], "x.png", True, "exclude each other"),
        (["-"], None, True, "standard input cannot be labeled in place"),
        (["b.png", "c.webp"], "x.png", False, "2 files cannot become the one file"),
        (["b.png", "c.webp"], "-", False, "2 files cannot become the one file"),
        (["b.png"], "b.png", False, "is an input and an output at once"),
        (["b.png"], "sub/../b.png", False, "is an input and an output at once"),
        (["b.png"], ".", False, "is an input and an output at once"),
        (["sub/d.jpeg", "b.png", "sub"], "out/", False, "would be written twice"),
        (["b.png", "b.png"], None, False, "would be written twice"),
        (["b.png", "sub/../b.png"], None, True, "would be written twice"),
        (["missing.png"], "missing.png", False, "is an input and an output at once"),
    ],
)
def test_choices_that_contradict_each_other_are_refused(
    inputs: list[str], output: str | None, in_place: bool, problem: str
) -> None:
    with pytest.raises(UsageError, match=problem) as caught:
        plan(collect(inputs), output, in_place=in_place)
    assert caught.value.hint


@pytest.mark.usefixtures("folder")
def test_a_result_never_replaces_another_input(folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "b.png").write_bytes(b"")
    with pytest.raises(UsageError, match="is an input and an output at once"):
        plan(collect(["b.png", "out/b.png"]), "out/")


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_to_one_file_are_one_file(folder: Path) -> None:
    (folder / "link.png").symlink_to("b.png")
    with pytest.raises(UsageError, match="is an input and an output at once"):
        plan(collect(["b.png"]), "link.png")
    with pytest.raises(UsageError, match="would be written twice"):
        plan(collect(["b.png", "link.png"]), None, in_place=True)


@pytest.mark.usefixtures("folder")
def test_a_missing_input_is_left_to_the_reader_even_when_the_output_exists() -> None:
    jobs = plan(collect(["missing.png"]), "b.png")
    assert jobs == [Job(Path("missing.png"), Path("b.png"))]


def test_in_place_a_link_stays_a_link(tmp_path: Path) -> None:
    picture, link = tmp_path / "picture.png", tmp_path / "link.png"
    picture.touch()
    link.symlink_to(picture)
    (job,) = plan(collect([str(link)]), None, in_place=True)
    assert job.target == picture
