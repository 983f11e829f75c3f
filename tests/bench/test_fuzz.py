"""The bench that damages files: it repeats itself, and sees what goes wrong."""

from __future__ import annotations

import random
import time
from argparse import Namespace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from synthmark.labeling.errors import DamagedMedia


class Pipe(list[dict[str, Any]]):
    """Keeps what is sent."""

    send = list.append


def test_damage_is_the_same_for_the_same_number(fuzz: ModuleType) -> None:
    content, other = bytes(range(256)) * 9, b"other" * 99
    made = [fuzz.damaged(content, other, random.Random(n)) for n in range(50)]
    assert made == [fuzz.damaged(content, other, random.Random(n)) for n in range(50)]
    assert len(set(made)) > 40
    assert content not in made


@pytest.mark.parametrize(
    ("raised", "problem"),
    [
        (None, ""),
        (DamagedMedia("it is cut off"), ""),
        (ValueError("slip"), "ValueError"),
        (RecursionError("deep"), "RecursionError"),
    ],
)
def test_only_errors_of_the_package_are_no_failures(
    fuzz: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    raised: Exception | None,
    problem: str,
) -> None:
    def read(*_: Any) -> None:
        time.sleep(0.01)
        if raised:
            raise raised

    monkeypatch.setattr(fuzz, "read", read)
    source = tmp_path / "a.md"
    source.write_text("# A text")
    options = Namespace(seed=0, keep=tmp_path / "kept")
    told = Pipe()
    fuzz._work(told, "md", {"md": source}, options, 7, 0.05)
    assert [one["number"] for one in told] == list(range(7, 7 + len(told)))
    assert all(one["problem"].startswith(problem) for one in told)
    kept = [path.name for path in options.keep.glob("*")]
    assert ("0-7.md" in kept) == bool(problem)


@pytest.mark.parametrize("suffix", ["jpg", "gif", "md", "html", "svg", "epub"])
def test_a_file_to_begin_with_is_made_and_read(
    fuzz: ModuleType, tmp_path: Path, suffix: str
) -> None:
    made = fuzz.seed(suffix, tmp_path)
    assert made
    fuzz.read(suffix, made)
