"""Files that are either old or complete, never half."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import OutputError, OutputExists

__all__ = ["replacing", "write_bytes"]


@contextmanager
def replacing(
    target: Path, *, overwrite: bool = False, mode: int | None = None
) -> Iterator[Path]:
    """Lend a temporary path beside `target` and put it in place at the end.

    When the block ends well the temporary file is flushed to disk and renamed to
    `target` in one step; when it raises, the file is removed. A process that dies at
    any moment leaves the old target, or the new one, whole.

    Parameters
    ----------
    target : Path
        Where the file shall stand. Its folder must exist.
    overwrite : bool, optional
        Whether an existing target may be replaced.
    mode : int, optional
        Permission bits. By default those of the target it replaces, else those that
        the process gives to any new file.

    Yields
    ------
    Path
        An empty file in the folder of `target`, to be filled by the caller.

    Raises
    ------
    OutputExists
        The target exists and `overwrite` is false.
    OutputError
        The folder is missing, not writable or full.
    """
    try:
        if target.is_dir():
            raise OutputError(
                "is a folder", hint="Name a file in it as the output.", path=target
            )
        if target.exists() and not overwrite:
            raise OutputExists(
                "exists already", hint="Use --force to replace it.", path=target
            )
        # The suffix stays last: encoders choose the format by it.
        temporary = target.with_name(
            f".{target.stem[:40]}-{secrets.token_hex(6)}{target.suffix}"
        )
        try:
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
            os.close(os.open(temporary, flags, 0o666 if mode is None else mode))
            yield temporary
            _flush(temporary, os.O_RDWR)
            if overwrite and mode is None and target.exists():
                temporary.chmod(target.stat().st_mode & 0o7777)
            if overwrite:
                os.replace(temporary, target)
            else:
                _place_new(temporary, target)
        finally:
            with suppress(OSError):
                temporary.unlink()
        with suppress(OSError):  # not every platform flushes folders
            _flush(target.parent, os.O_RDONLY)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise _cannot_write(target, error) from error


def write_bytes(
    target: Path, content: bytes, *, overwrite: bool = False, mode: int | None = None
) -> None:
    """Write `content` to `target` in one step; see `replacing`."""
    with replacing(target, overwrite=overwrite, mode=mode) as temporary:
        temporary.write_bytes(content)


def _place_new(temporary: Path, target: Path) -> None:
    """Rename without replacing a file that another process made meanwhile."""
    try:
        os.link(temporary, target)
    except FileExistsError as error:
        raise OutputExists(
            "was made by another process meanwhile", path=target
        ) from error
    except OSError:  # no hard links on this file system
        os.replace(temporary, target)


def _flush(path: Path, flags: int) -> None:
    """Force a file or folder to disk."""
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _cannot_write(target: Path, error: OSError) -> OutputError:
    reason = (error.strerror or str(error)).lower()
    return OutputError(
        f"cannot be written: {reason}",
        hint="Check that the folder exists, is writable and has room.",
        path=target,
    )
