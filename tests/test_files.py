"""Files are either old or complete, never half."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from synthmark.labeling.errors import OutputError, OutputExists
from synthmark.labeling.files import replacing, write_bytes


def names(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.iterdir())


def test_a_new_file_holds_the_content_and_nothing_stays_beside_it(
    tmp_path: Path,
) -> None:
    write_bytes(tmp_path / "out.png", b"new")
    assert (tmp_path / "out.png").read_bytes() == b"new"
    assert names(tmp_path) == ["out.png"]


def test_the_temporary_file_is_in_the_same_folder_with_the_same_suffix(
    tmp_path: Path,
) -> None:
    with replacing(tmp_path / "图片.JPG") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".JPG"
        assert temporary.read_bytes() == b""


def test_a_file_is_replaced_only_when_asked(tmp_path: Path) -> None:
    target = tmp_path / "out.png"
    target.write_bytes(b"old")
    with pytest.raises(OutputExists) as caught:
        write_bytes(target, b"new")
    assert caught.value.path == target
    assert target.read_bytes() == b"old"
    write_bytes(target, b"new", overwrite=True)
    assert target.read_bytes() == b"new"
    assert names(tmp_path) == ["out.png"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, overwrite: bool
) -> None:
    target = tmp_path / "out.png"
    if overwrite:
        target.write_bytes(b"old")

    def write_half() -> None:
        with replacing(target, overwrite=overwrite) as temporary:
            temporary.write_bytes(b"half")
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        write_half()
    assert names(tmp_path) == (["out.png"] if overwrite else [])
    assert not overwrite or target.read_bytes() == b"old"


def test_a_file_made_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "out.png"

    def write_while_another_does() -> None:
        with replacing(target) as temporary:
            temporary.write_bytes(b"mine")
            target.write_bytes(b"theirs")

    with pytest.raises(OutputExists):
        write_while_another_does()
    assert target.read_bytes() == b"theirs"
    assert names(tmp_path) == ["out.png"]


def test_without_hard_links_the_file_is_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: object) -> None:
        raise PermissionError("no hard links here")

    monkeypatch.setattr(os, "link", link)
    write_bytes(tmp_path / "out.png", b"new")
    assert names(tmp_path) == ["out.png"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_permissions_are_kept_or_as_asked(tmp_path: Path) -> None:
    target = tmp_path / "out.png"
    target.write_bytes(b"old")
    target.chmod(0o440)
    write_bytes(target, b"new", overwrite=True)
    assert stat.S_IMODE(target.stat().st_mode) == 0o440
    write_bytes(target, b"new", overwrite=True, mode=0o600)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    mask = os.umask(0o027)
    try:
        write_bytes(tmp_path / "other.png", b"new")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "other.png").stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing/out.png", "no such file"),
        ("file/out.png", "not a directory"),
        ("x" * 300 + ".png", "name too long"),
        (".", "is a folder"),
    ],
)
def test_a_place_that_cannot_be_written_is_named(
    tmp_path: Path, name: str, reason: str
) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match=reason) as caught:
        write_bytes(tmp_path / name, b"new")
    assert caught.value.path == tmp_path / name
    assert caught.value.hint


def test_a_full_disk_is_named_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(_: int) -> None:
        raise OSError(28, "No space left on device")

    target = tmp_path / "out.png"
    target.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OutputError, match="no space left"):
        write_bytes(target, b"new", overwrite=True)
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["out.png"]


def test_a_killed_process_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "out.png"
    target.write_bytes(b"old")
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from synthmark.labeling.files import replacing\n"
        "with replacing(Path(sys.argv[1]), overwrite=True) as temporary:\n"
        "    temporary.write_bytes(b'half')\n"
        "    os._exit(9)\n"
    )
    process = subprocess.run([sys.executable, "-c", code, str(target)], check=False)
    assert process.returncode == 9
    assert target.read_bytes() == b"old"
