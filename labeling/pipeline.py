"""Label: the write path through all layers.

The order is fixed by what each layer must cover: the notice is drawn before the mark,
so that the mark lies over it; metadata is written before the manifest, so that the
signature seals it; nothing touches the file after signing. The file appears only
when everything in it has been read back and its record is in the log.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import policy
from .errors import SynthmarkError
from .media import image as media
from .media.source import load
from .model import LabelResult
from .picture import PictureWork
from .work import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

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
        """Label one picture in every layer that is due.

        Parameters
        ----------
        source : str, Path, bytes, PIL.Image.Image or ndarray
            The picture.
        target : str or Path, optional
            Where the labeled file shall stand; its suffix decides the format.
            Without it the file is returned in `LabelResult.content` alone.
        overwrite : bool, optional
            Whether an existing target may be replaced.
        media_format : str, optional
            ``"jpeg"``, ``"png"`` or ``"webp"``, where there is no target. By default
            that of the source; PNG for arrays.

        Returns
        -------
        LabelResult
            ``complete`` is false when a layer that is due could not be written, for
            example because the picture is too small for the mark; the layer's reason
            says why.

        Raises
        ------
        SynthmarkError
            The picture cannot be read, the result cannot be written, or a layer that
            was written does not read back. No file appears and the input is
            untouched.
        """
        due = policy.due(self.service, self.jurisdictions)
        loaded = load(source)
        try:
            if target is not None:
                target = Path(target)
                media_format = media.format_of(target)
            work = PictureWork(
                self, due, loaded, target, media_format or loaded.picture.format
            )
            return work.run(overwrite)
        except SynthmarkError as error:
            if error.path is None:
                error.path = loaded.path
            raise
