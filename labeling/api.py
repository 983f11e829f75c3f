"""The two verbs for callers who want everything from the user's home."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .home import Home
from .model import LabelResult, Report

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

__all__ = ["detect", "label"]


def label(
    source: str | Path | bytes | Image.Image | NDArray[np.uint8],
    target: str | Path | None = None,
    *,
    overwrite: bool = False,
    **options: Any,
) -> LabelResult:
    """Label one picture, sound, video or document in every layer.

    For many files, make one `Labeler` with ``Home().labeler(...)`` and keep it.

    Parameters
    ----------
    source : str, Path, bytes, PIL.Image.Image or ndarray
        The file or its bytes, or a picture in memory.
    target : str or Path, optional
        Where the labeled file shall stand; see `Labeler.label`.
    overwrite : bool, optional
        Whether an existing target may be replaced.
    **options
        Fields of `Labeler`, for example ``service="face"``. Key, signer and record
        log are those of the user's home unless given.
    """
    return Home().labeler(**options).label(source, target, overwrite=overwrite)


def detect(
    source: str | Path | bytes | Image.Image | NDArray[np.uint8], **options: Any
) -> Report:
    """Read every layer of one picture, sound, video or document.

    Parameters
    ----------
    source : str, Path, bytes, PIL.Image.Image or ndarray
        The file or its bytes, or a picture in memory.
    **options
        Fields of `Detector`: keys, trust anchors and records, those of the user's
        home unless given.
    """
    return Home().detector(**options).detect(source)
