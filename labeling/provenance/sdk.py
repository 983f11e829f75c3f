"""The C2PA library, loaded late and kept offline."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import ManifestError
from .chain import parse_certificates
from .profile import PURPOSES

__all__ = ["check_fork", "load", "make_context"]

_LIBRARY_NAME = {"win32": "c2pa_c.dll", "darwin": "libc2pa_c.dylib"}.get(
    sys.platform, "libc2pa_c.so"
)
_PDF: dict[str, int] = {}
"""Which process was the first to handle a PDF."""

_LIBRARY_VARIABLE = "C2PA_LIBRARY_NAME"


def load() -> ModuleType:
    """Import `c2pa` and its native library.

    Raises
    ------
    ManifestError
        The library is missing or does not run on this system.
    """
    try:
        if "c2pa" not in sys.modules:
            _pin_library()
        import c2pa
    except (ImportError, OSError, RuntimeError) as error:
        raise ManifestError(
            "the C2PA library cannot be loaded",
            hint="It comes with the package c2pa-python, for Windows, macOS and Linux "
            "with glibc 2.28 or newer; there is none for Alpine (musl). "
            "Without it, leave the manifest layer out.",
        ) from error
    module: ModuleType = c2pa
    return module


def check_fork(content: Any) -> None:
    """Refuse a PDF in a process that was forked from one that has handled another.

    The C2PA library reads PDFs with a pool of threads, which a fork leaves behind: it
    would wait for them for ever.

    Parameters
    ----------
    content : bytes or mmap
        A file; only PDFs matter.

    Raises
    ------
    ManifestError
        It would wait.
    """
    if content[:1024].find(b"%PDF-") < 0:
        return
    if _PDF.setdefault("process", os.getpid()) != os.getpid():
        raise ManifestError(
            "a PDF was handled before this process was forked, and no other can be now",
            hint="Start processes anew: multiprocessing.set_start_method('spawn').",
        )


def make_context(
    c2pa: ModuleType, *, anchors_pem: str = "", verify_content: bool = True
) -> Any:
    """Make the settings of one call: no network, no thumbnails, own trust.

    A context belongs to the process that made it and costs a fifth of a millisecond,
    so every call makes its own and a forked child never meets its parent's.

    Parameters
    ----------
    anchors_pem : str, optional
        Certificates to trust as roots. The C2PA library passes over text that it
        does not understand, so it is parsed here first.
    verify_content : bool, optional
        Whether reading compares hashes and signatures.

    Raises
    ------
    CertificateError
        `anchors_pem` is not empty and holds no readable certificates.
    """
    # Naming anchors alone would replace the library's list of purposes as well.
    trust = {"trust_config": "".join(f"{oid}\n" for oid in PURPOSES)}
    if anchors_pem.strip():
        parse_certificates(anchors_pem)
        trust["trust_anchors"] = anchors_pem
    return c2pa.Context.from_dict(
        {
            "version": 1,
            "trust": trust,
            "verify": {
                "remote_manifest_fetch": False,
                "ocsp_fetch": False,
                "verify_after_reading": verify_content,
            },
            "core": {
                "allowed_network_hosts": [],
                "backing_store_memory_threshold_in_mb": 16,
            },
            "builder": {"thumbnail": {"enabled": False}},
        }
    )


def _pin_library() -> None:
    """Name the installed native library by its full path.

    Left alone, `c2pa` takes the first library of that name that it finds, and looks
    in the working directory before its own: a folder under review could bring code.
    """
    spec = find_spec("c2pa")
    for folder in (spec.submodule_search_locations if spec else None) or ():
        library = Path(folder) / "libs" / _LIBRARY_NAME
        if library.is_file():
            os.environ.setdefault(_LIBRARY_VARIABLE, str(library.resolve()))
            return
    if _LIBRARY_VARIABLE not in os.environ:
        raise ImportError(f"c2pa-python is installed without {_LIBRARY_NAME}")
