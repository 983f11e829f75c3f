"""What kind of subject a source is: the one place where reading chooses the medium."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .media.animation import animation_source
from .media.document import document_source
from .media.heif import heif_source
from .media.source import lent_stream, load
from .picture import PictureSubject
from .subject import Subject

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

__all__ = ["lent_subject"]


@contextmanager
def lent_subject(
    source: str | Path | bytes | Image.Image | NDArray[np.uint8],
) -> Iterator[Subject]:
    """Lend what lets itself be asked about a file, or about a picture in memory.

    Parameters
    ----------
    source : str, Path, bytes, PIL.Image.Image or ndarray
        The file or its bytes, or a picture.

    Raises
    ------
    MediaError
        It is not a picture, sound, video or document that can be read.
    """
    path = Path(source) if isinstance(source, str | os.PathLike) else None
    if whole := _whole(source, path):
        yield whole
        return
    with lent_stream(source) as stream:
        if stream is None:
            yield PictureSubject(load(source))
            return
        lent, is_video = stream
        if is_video:
            from .footage import ClipSubject

            yield ClipSubject(lent, path and lent)
        else:
            from .sound import SoundSubject

            yield SoundSubject(lent, path and lent)


def _whole(source: object, path: Path | None) -> Subject | None:
    """Return what is held in memory: documents, drawings and odd pictures."""
    if document := document_source(source):
        content, format = document
        if format == "svg":
            from .drawing import DrawingSubject

            return DrawingSubject(content, path)
        from .prose import DocumentSubject

        return DocumentSubject(content, format, path)
    if moving := animation_source(source):
        from .animation import AnimationSubject

        return AnimationSubject(moving, path)
    if undrawn := heif_source(source):
        from .undrawn import UndrawnSubject

        return UndrawnSubject(undrawn, path)
    return None
