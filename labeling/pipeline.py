"""Label: the write path through all layers.

The order is fixed by what each layer must cover: the notice is drawn before the mark,
so that the mark lies over it; metadata is written before the manifest, so that the
signature seals it; nothing touches the file after signing. The file appears only
when everything in it has been read back and its record is in the log.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import policy
from .errors import SynthmarkError
from .media.animation import animation_source
from .media.document import document_source
from .media.heif import heif_source
from .media.source import lent_stream, load
from .model import LabelResult
from .picture import PictureWork
from .settings import Settings
from .work import Work

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from .animation import AnimationWork
    from .drawing import DrawingWork
    from .footage import ClipWork
    from .prose import DocumentWork
    from .sound import SoundWork
    from .undrawn import UndrawnWork

__all__ = ["Labeler"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Labeler(Settings):
    """Labels files, one like the other; its parameters are those of `Settings`."""

    def label(
        self,
        source: str | Path | bytes | Image.Image | NDArray[np.uint8],
        target: str | Path | None = None,
        *,
        overwrite: bool = False,
        media_format: str | None = None,
    ) -> LabelResult:
        """Label one picture, sound, video or document in every layer that is due.

        Parameters
        ----------
        source : str, Path, bytes, PIL.Image.Image or ndarray
            The file or its bytes, or a picture in memory.
        target : str or Path, optional
            Where the labeled file shall stand; its suffix decides the format.
            Without it the file is returned in `LabelResult.content` alone.
        overwrite : bool, optional
            Whether an existing target may be replaced.
        media_format : str, optional
            Where there is no target: ``"jpeg"``, ``"png"``, ``"webp"``, ``"tiff"``,
            ``"avif"`` or, where that was GIF or animated, ``"gif"``; for sounds
            ``"wav"``, ``"flac"``, ``"mp3"``, ``"m4a"``, ``"ogg"``, ``"opus"`` or
            ``"aiff"``, for videos ``"mp4"``, ``"m4v"``, ``"mov"``, ``"mkv"``,
            ``"webm"``, ``"avi"`` or ``"flv"``, for documents ``"txt"``, ``"md"``,
            ``"html"``, ``"docx"``, ``"xlsx"``, ``"pptx"``, ``"epub"`` or ``"pdf"``, for
            drawings ``"svg"``. By default that of the source; PNG
            for arrays.

        Returns
        -------
        LabelResult
            ``complete`` is false when a layer that is due could not be written, for
            example because the picture is too small for the mark; the layer's reason
            says why.

        Raises
        ------
        SynthmarkError
            The source cannot be read, the result cannot be written, or a layer that
            was written does not read back. No file appears and the input is
            untouched.
        """
        due = policy.due(self.service, self.jurisdictions)
        target = None if target is None else Path(target)
        path = Path(source) if isinstance(source, str | os.PathLike) else None
        try:
            if document := document_source(source):
                start = _drawing_work() if document[1] == "svg" else _document_work()
                return start(self, due, document, path, target, media_format).run(
                    overwrite
                )
            if moving := animation_source(source):
                work_kind = _animation_work()
                return work_kind(self, due, moving, path, target, media_format).run(
                    overwrite
                )
            if undrawn := heif_source(source):
                start_undrawn = _undrawn_work()
                return start_undrawn(
                    self, due, undrawn, path, target, media_format
                ).run(overwrite)
            with lent_stream(source) as stream:
                work: Work
                if stream is None:
                    work = PictureWork(self, due, load(source), target, media_format)
                else:
                    lent, is_video = stream
                    kind = _clip_work() if is_video else _sound_work()
                    work = kind(self, due, lent, path, target, media_format)
                return work.run(overwrite)
        except SynthmarkError as error:
            if error.path is None:
                error.path = path
            raise


# Rooms that are loaded only when there is something for them to do.


def _sound_work() -> type[SoundWork]:
    from .sound import SoundWork

    return SoundWork


def _document_work() -> type[DocumentWork]:
    from .prose import DocumentWork

    return DocumentWork


def _drawing_work() -> type[DrawingWork]:
    from .drawing import DrawingWork

    return DrawingWork


def _animation_work() -> type[AnimationWork]:
    from .animation import AnimationWork

    return AnimationWork


def _undrawn_work() -> type[UndrawnWork]:
    from .undrawn import UndrawnWork

    return UndrawnWork


def _clip_work() -> type[ClipWork]:
    from .footage import ClipWork

    return ClipWork
