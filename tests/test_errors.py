"""The error tree: every class is documented, reads well and travels."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest

from synthmark.labeling import errors
from synthmark.labeling.errors import OutputError, SynthmarkError

CLASSES = [getattr(errors, name) for name in errors.__all__]


def test_the_tree_in_the_text_is_the_tree_in_the_code() -> None:
    drawn: list[tuple[str, str, str]] = []
    path: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        entry = re.match(r"( *)[*+-] (\w+)(?: \((\w+)\))?", line)
        if entry:
            depth = len(entry[1])
            path = [step for step in path if step[0] < depth]
            parent = path[-1][1] if path else "Exception"
            drawn.append((entry[2], parent, entry[3] or ""))
            path.append((depth, entry[2]))
    assert sorted(name for name, _, _ in drawn) == sorted(errors.__all__)
    for name, parent, builtin in drawn:
        bases = [base.__name__ for base in getattr(errors, name).__bases__]
        assert bases == [parent, builtin] if builtin else bases == [parent]


def test_codes_are_stable_words_of_their_own() -> None:
    codes = [kind.code for kind in CLASSES]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch("[a-z_]+", code) for code in codes)


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_says_where_what_and_what_to_do(kind: type[SynthmarkError]) -> None:
    assert str(kind("is wrong")) == "is wrong."
    error = kind("is wrong", hint="Do it right.", path=Path("a.png"))
    assert str(error) == "a.png: is wrong. Do it right."
    error.path = "b.png"
    assert str(error) == "b.png: is wrong. Do it right."


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_comes_whole_from_another_process(kind: type[SynthmarkError]) -> None:
    error = kind("is wrong", hint="Do it right.", path=Path("a.png"))
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert str(copy) == str(error)
    assert (copy.problem, copy.hint, copy.path) == (
        error.problem,
        error.hint,
        error.path,
    )


def test_an_output_error_is_an_os_error() -> None:
    with pytest.raises(OSError, match="is wrong"):
        raise OutputError("is wrong")
