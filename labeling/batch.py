"""Many files: which ones, and where their results go."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import UsageError

__all__ = ["STDIO", "Job", "collect", "plan"]

STDIO = "-"
SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".png", ".apng", ".webp", ".gif", ".tif", ".tiff", ".svg"),
        *(".avif", ".heic", ".heif", ".hif"),
        *(".wav", ".flac", ".mp3", ".m4a", ".ogg", ".opus", ".aiff", ".aif"),
        *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".flv"),
        *(".txt", ".md", ".markdown", ".html", ".htm", ".xhtml", ".pdf"),
        *(".docx", ".xlsx", ".pptx", ".epub"),
    }
)


@dataclass(frozen=True, slots=True)
class Job:
    """One file to read, and the place of its result if it has one.

    A `source` or `target` of None stands for standard input or output.
    """

    source: Path | None
    target: Path | None = None


def collect(
    inputs: Iterable[str], *, recursive: bool = False
) -> list[tuple[Path | None, Path]]:
    """Return the files that are meant, each with its path below what named it.

    Parameters
    ----------
    inputs : iterable of str
        Files, folders, patterns that the shell has not expanded, or ``"-"``.
    recursive : bool, optional
        Whether folders are searched at every depth for media and documents;
        without it, only those right in the folder are taken. Hidden files are not.

    Raises
    ------
    UsageError
        A pattern or folder holds no picture, sound, video or document.
    """
    found: list[tuple[Path | None, Path]] = []
    for name in inputs:
        path = Path(name)
        if name == STDIO:
            found.append((None, Path("stdin")))
        elif os.path.isdir(path):
            walk = path.rglob("*") if recursive else path.glob("*")
            files = sorted(p for p in walk if _is_medium(p, path))
            if not files:
                raise UsageError(
                    "holds no picture, sound, video or document",
                    hint="" if recursive else "Use -r to look into its folders.",
                    path=name,
                )
            found += [(p, p.relative_to(path)) for p in files]
        elif not os.path.exists(path) and glob.has_magic(name):
            matches = sorted(glob.glob(name, recursive=True))
            if not matches:
                raise UsageError(
                    "matches no file",
                    hint="Check the pattern and the working folder.",
                    path=name,
                )
            found += [(Path(m), Path(Path(m).name)) for m in matches]
        else:
            found.append((path, Path(path.name)))
    return found


def plan(
    found: Sequence[tuple[Path | None, Path]],
    output: str | None,
    *,
    in_place: bool = False,
) -> list[Job]:
    """Say where each result goes.

    Parameters
    ----------
    found : sequence
        What `collect` returned.
    output : str or None
        A file, a folder (one that exists, or with a slash at the end), ``"-"``, or
        None for ``name.labeled.ext`` beside each input; inputs of such names that
        belong to other inputs are left out, as results of an earlier run.
    in_place : bool, optional
        Whether each result replaces its input.

    Raises
    ------
    UsageError
        The choices contradict each other, two results would have one name, or a
        result that of an input.
    """
    if in_place and output is not None:
        raise UsageError(
            "--in-place and --output exclude each other", hint="Leave one of them out."
        )
    if in_place and any(path is None for path, _ in found):
        raise UsageError(
            "standard input cannot be labeled in place", hint="Use -o to name a file."
        )
    folder = output is not None and (
        os.path.isdir(output) or output.endswith(("/", os.sep))
    )
    if output is not None and not folder and len(found) > 1:
        raise UsageError(
            f"{len(found)} files cannot become the one file {output}",
            hint="Give a folder as the output, with a slash at its end if it is new.",
        )
    jobs = [
        Job(path, _target(path, below, output, in_place, folder))
        for path, below in found
    ]
    if output is None and not in_place:
        results = {_real(job.target) for job in jobs if job.target}
        jobs = [
            job for job in jobs if not job.source or _real(job.source) not in results
        ]
    _refuse_clashes(jobs, in_place)
    return jobs


def _refuse_clashes(jobs: Sequence[Job], in_place: bool) -> None:
    """Refuse two results of one name, and the loss of an input."""
    sources = set() if in_place else {_real(job.source) for job in jobs if job.source}
    targets = set()
    for target in (job.target for job in jobs if job.target):
        place = _real(target)
        if place in targets:
            raise UsageError(
                "would be written twice",
                hint="Give inputs of different names, or label them one by one.",
                path=target,
            )
        if place in sources:
            raise UsageError(
                "is an input and an output at once",
                hint="Use --in-place to replace inputs, or name another output.",
                path=target,
            )
        targets.add(place)


def _real(path: Path) -> str:
    """Return one name for every way to the same file."""
    return os.path.realpath(path)


def _is_medium(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return not hidden and path.suffix.lower() in SUFFIXES and os.path.isfile(path)


def _target(
    path: Path | None, below: Path, output: str | None, in_place: bool, folder: bool
) -> Path | None:
    if in_place and path is not None:
        # The file behind a link is replaced, not the link.
        return Path(_real(path)) if path.is_symlink() else path
    if folder and output is not None:
        return Path(output) / below
    if output == STDIO or (output is None and path is None):
        return None
    if output is not None:
        return Path(output)
    assert path is not None
    return path.with_name(f"{path.stem}.labeled{path.suffix}")
