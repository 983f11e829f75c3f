"""What the commands share: options, printing, progress, errors and exit codes.

Data goes to standard output, everything else to standard error.
"""

from __future__ import annotations

import json
import locale
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TextIO

import typer

from .batch import STDIO, Job
from .errors import OutputError, SynthmarkError, UnsupportedFormat, UsageError
from .model import SCHEMA_VERSION
from .page import printable

if TYPE_CHECKING:
    from .home import Home

__all__ = [
    "DAMAGED",
    "DONE",
    "FAILED",
    "NOT_KEPT",
    "NO_LABEL",
    "UNSUPPORTED",
    "UNTRUSTED",
    "USAGE",
    "AsJson",
    "Corner",
    "Lang",
    "Language",
    "deliver",
    "errors",
    "home",
    "make_room",
    "print_json",
    "progress",
    "run",
    "tell",
]


class Language(StrEnum):
    """Languages of the pages."""

    EN = "en"
    ZH = "zh"


class Corner(StrEnum):
    """Where the notice may stand."""

    BOTTOM_RIGHT = "bottom-right"
    BOTTOM_LEFT = "bottom-left"
    TOP_RIGHT = "top-right"
    TOP_LEFT = "top-left"
    BOTTOM = "bottom"
    TOP = "top"
    RIGHT = "right"
    LEFT = "left"
    AUTO = "auto"


def _users_language() -> Language:
    name = os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    name = name or locale.getlocale()[0] or ""
    return Language.ZH if name.lower().startswith(("zh", "chinese")) else Language.EN


Lang = Annotated[
    Language,
    typer.Option(
        "--lang",
        default_factory=_users_language,
        show_default="the system's",
        help="Language of the page.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

DONE, FAILED, USAGE, NO_LABEL, DAMAGED, UNTRUSTED, UNSUPPORTED, NOT_KEPT = range(8)
# Of many files, the one that is worst by this order decides.
SEVERITY = (DONE, NO_LABEL, UNTRUSTED, NOT_KEPT, DAMAGED, UNSUPPORTED, FAILED)


def run(
    jobs: list[Job],
    one: Callable[[Job], Any],
    *,
    code: Callable[[Any], int],
    page: Callable[[Any], str],
    as_json: bool,
    as_lines: bool,
    stream: TextIO | None = None,
    signed: Callable[[dict[str, Any]], object] | None = None,
) -> NoReturn:
    """Do the jobs one by one, print each result, and exit with the worst code.

    A file that fails is reported and does not stop the others.

    Parameters
    ----------
    jobs : list of Job
        What to do.
    one : callable
        Does one job and returns its result.
    code, page : callable
        The exit code and the page of a result.
    as_json, as_lines : bool
        One JSON document, or one JSON line for each file, instead of pages.
    stream : TextIO, optional
        Where to print, by default standard output.
    signed : callable, optional
        Turns the JSON document into a signed one.
    """
    stream = stream or sys.stdout
    worst = DONE
    documents = []
    silent = as_json or stream is None or not stream.isatty()
    for job in _with_progress(jobs) if silent else jobs:
        name = str(job.source or STDIO)
        try:
            result = one(job)
            status, document, text = code(result), result.to_dict(), page(result)
        except (SynthmarkError, OSError) as problem:
            error = _as_ours(problem)
            error.path = error.path or name
            status = UNSUPPORTED if isinstance(error, UnsupportedFormat) else FAILED
            document = {"error": {"code": error.code, "text": str(error)}}
            text = ""
            if not (as_json or as_lines):
                tell(str(error))
        document = {**document, "file": name, "exit_code": status}
        worst = max(worst, status, key=SEVERITY.index)
        if as_json:
            documents.append(document)
        elif as_lines:
            print_json(document, stream, indent=None)
        elif text:
            print(text, file=stream)
    if as_json:
        document = {"schema_version": SCHEMA_VERSION, "files": documents}
        print_json(signed(document) if signed else document, stream)
    sys.exit(worst)


def _with_progress(jobs: list[Job]) -> Iterator[Job]:
    """Show a bar on a terminal when there is something to wait for."""
    if len(jobs) < 2 or not sys.stderr.isatty():
        yield from jobs
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(
        jobs, "", console=Console(stderr=True), transient=True, disable=False
    )


def progress() -> Callable[[float, float], None] | None:
    """Return what shows on a terminal how far a long file is; None without one."""
    if not sys.stderr.isatty():
        return None
    begun: list[float] = []

    def show(done_s: float, total_s: float) -> None:
        now = time.monotonic()
        if not begun or done_s <= 1:
            begun[:] = [now]
        speed = done_s / max(now - begun[0], 0.1)
        left = max(0.0, total_s - done_s) / max(speed, 1e-3)
        text = f"{done_s:.0f} of {total_s:.0f} s, {speed:.1f}x, {left:.0f} s left"
        end = "\r" if done_s < total_s else "\r\033[K"
        print(f"\r{text:<60}", end=end, file=sys.stderr, flush=True)

    return show


@contextmanager
def errors() -> Iterator[None]:
    """Turn an error before the first file into a line and an exit code."""
    try:
        yield
    except (SynthmarkError, OSError) as error:
        tell(str(_as_ours(error)))
        sys.exit(_code(error))


def _code(error: SynthmarkError | OSError) -> int:
    if isinstance(error, UsageError):
        return USAGE
    return UNSUPPORTED if isinstance(error, UnsupportedFormat) else FAILED


def _as_ours(error: SynthmarkError | OSError) -> SynthmarkError:
    if isinstance(error, SynthmarkError):
        return error
    return SynthmarkError(error.strerror or str(error), path=error.filename)


def home() -> Home:
    """Return the user's home, which tells what it makes on first use."""
    from .home import Home

    return Home(tell=tell)


def tell(text: str) -> None:
    """Print a line to standard error."""
    print(printable(text), file=sys.stderr)


def print_json(
    document: object, stream: TextIO | None = None, *, indent: int | None = 2
) -> None:
    """Print a JSON document, in plain ASCII where the stream is not UTF-8."""
    stream = stream or sys.stdout
    plain = stream is not None and stream.encoding.lower() != "utf-8"
    text = json.dumps(
        document, ensure_ascii=plain, indent=indent, default=datetime.isoformat
    )
    print(text, file=stream)


def make_room(job: Job) -> None:
    """Make the folder that a result goes into."""
    if job.target is not None:
        with suppress(OSError):  # told better when the file is written
            job.target.parent.mkdir(parents=True, exist_ok=True)


def deliver(content: bytes) -> None:
    """Write a file to standard output.

    Raises
    ------
    OutputError
        It is closed, or nobody reads it any more.
    """
    try:
        if sys.stdout is None:
            raise OSError("it is closed")
        with open(sys.stdout.fileno(), "wb", closefd=False) as stdout:
            stdout.write(content)
    except OSError as error:
        raise OutputError(
            f"cannot be written: {(error.strerror or str(error)).lower()}",
            path="standard output",
        ) from error
