"""The public names, and how little it costs to import them and to ask for help."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

import synthmark
from synthmark import cli

HEAVY = {"numpy", "numba", "cv2", "PIL", "sqlalchemy", "c2pa", "cryptography"}

# Asks every command for help in turn and prints what was loaded after each.
HELP = """
import contextlib, io, json, sys
from synthmark import cli
loaded = {}
for words in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        cli.app([*words, "--help"])
    loaded[" ".join(words)] = sorted(sys.modules)
print(json.dumps(loaded))
"""


def commands(
    command: Any = None, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command and group with the words that call it."""
    command = command or typer.main.get_command(cli.app)
    yield words, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*words, name))


COMMANDS = dict(commands())


def python(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.mark.parametrize("name", synthmark.__all__)
def test_public_names_resolve_to_what_they_say(name: str) -> None:
    value = getattr(synthmark, name)
    assert value.__name__ == name
    assert value.__doc__


def test_every_public_name_has_a_home_and_is_listed_once() -> None:
    assert sorted(synthmark.__all__) == synthmark.__all__
    assert list(synthmark._HOMES) == synthmark.__all__
    assert set(synthmark.__all__) <= set(dir(synthmark))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'labell'"):
        synthmark.labell  # noqa: B018


def test_the_signatures_promised_to_callers_hold() -> None:
    payload = synthmark.Payload(issuer=7, serial=123456)
    assert int(payload) == 7 << 40 | 123456
    key = synthmark.Key.from_bytes(bytes(32))
    assert len(key.id) == 16
    assert issubclass(synthmark.SynthmarkError, Exception)


def test_importing_the_package_loads_nothing_heavy() -> None:
    script = "import json, sys, synthmark; print(json.dumps(sorted(sys.modules)))"
    assert not HEAVY & set(json.loads(python("-c", script)))


def test_help_loads_nothing_heavy() -> None:
    words = [list(words) for words in COMMANDS]
    loaded = json.loads(python("-c", HELP, json.dumps(words)))
    assert len(loaded) == len(COMMANDS) > 10
    for command, names in loaded.items():
        assert not HEAVY & set(names), command


@pytest.mark.skipif(sys.platform == "win32", reason="measures with resource")
def test_help_is_instant() -> None:
    import resource

    def seconds() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    spent = []
    for _ in range(3):
        before = seconds()
        assert "Usage" in python("-m", "synthmark", "--help")
        spent.append(seconds() - before)
    assert min(spent) <= 0.4


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_and_option_has_a_help_text(words: tuple[str, ...]) -> None:
    command = COMMANDS[words]
    assert command.help
    assert command.help.endswith(".")
    for parameter in command.params:
        assert parameter.help, f"{' '.join(words)} {parameter.name}"


def test_help_shows_the_defaults_that_are_not_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    # Square brackets would be taken for markup and vanish.
    shown = python("-m", "synthmark", "label", "--help")
    assert "NAME.labeled.EXT" in shown
    for words, command in COMMANDS.items():
        texts = [command.help, *(item.help for item in command.params)]
        assert not any("[" in text for text in texts if text), words


def test_the_version_is_told_in_one_line() -> None:
    told = python("-m", "synthmark", "--version")
    assert told == f"synthmark {synthmark.__version__}\n"
