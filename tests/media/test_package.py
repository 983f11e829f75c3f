"""Packages that mean no good."""

from __future__ import annotations

import io
import struct
import time
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark.labeling.errors import (
    DamagedMedia,
    MediaError,
    MediaTooLarge,
    UnsupportedFormat,
)
from synthmark.labeling.media.office import format_of_package
from synthmark.labeling.media.package import Package, attribute


def zipped(parts: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, part in parts:
            with warnings.catch_warnings(action="ignore"):
                archive.writestr(name, part)
    return file.getvalue()


def directory(entries: int) -> bytes:
    """Return the directory of a package with as many empty parts, and nothing else."""
    entry = b"PK\1\2" + bytes(24) + b"\1" + bytes(17) + b"a"
    size = entries * len(entry)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, size, 0, 0)
    return entry * entries + end


def test_a_million_parts_are_refused_at_once() -> None:
    start = time.process_time()
    with pytest.raises(MediaTooLarge, match="more than 10,000 parts"):
        Package(directory(1_000_000))
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("content", "error", "problem"),
    [
        (zipped([(str(n), b"") for n in range(10_001)]), MediaTooLarge, "10,000 parts"),
        (zipped([("a", b"x"), ("a", b"y")]), DamagedMedia, "two parts of one name"),
        (zipped([("a", b"x")], zipfile.ZIP_LZMA), UnsupportedFormat, "rare way"),
        (b"PK\x03\x04", DamagedMedia, "cut off"),
    ],
)
def test_what_is_no_honest_package_is_refused(
    content: bytes, error: type[MediaError], problem: str
) -> None:
    with pytest.raises(error, match=problem):
        Package(content)


def test_a_part_that_lies_about_its_size_is_damaged() -> None:
    content = zipped([("a", bytes(100_000))])
    lying = content.replace(struct.pack("<L", 100_000), struct.pack("<L", 10))
    with pytest.raises(DamagedMedia):
        Package(lying).read("a")


def test_names_that_lead_elsewhere_lead_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = ["../up", "/root", "C:\\windows", "a"]
    package = Package(zipped([(name, b"x") for name in names]))
    again = Package(package.replaced({"a": b"y"}))
    assert again.names == names
    assert [again.read(name) for name in names] == [b"x", b"x", b"x", b"y"]
    assert not [*tmp_path.iterdir()]
    assert not (tmp_path.parent / "up").exists()


def test_an_archive_of_another_kind_is_told() -> None:
    with pytest.raises(UnsupportedFormat, match="not a document"):
        format_of_package(zipped([("readme", b"x")]))


@given(st.binary(max_size=40), st.integers(0, 40))
def test_any_bytes_are_a_package_or_an_error(noise: bytes, cut: int) -> None:
    content = zipped([("[Content_Types].xml", b"<a></a>"), ("_rels/.rels", b"<a/>")])
    for bad in (noise, b"PK\x03\x04" + noise, content[:-cut] + noise):
        with pytest.raises(MediaError):
            format_of_package(bad)


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (b"<a b='1' c = \"2\">", b'"2"'),
        (b"<x:a d='c=\"1\"' c='>'/>", b"'>'"),
        (b"<a xc='1'><b c='2'/></a>", None),
    ],
)
def test_attributes_are_found_where_they_stand(tag: bytes, value: bytes | None) -> None:
    span = attribute(tag, 0, "c")
    assert (span and tag[slice(*span)]) == value
