"""Label: the write path through all layers.

The order is fixed by what each layer must cover: the notice is drawn before the mark,
so that the mark lies over it; metadata is written before the manifest, so that the
signature seals it; nothing touches the file after signing. The file appears only
when everything in it has been read back and its record is in the log.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from .. import __version__
from . import files, policy
from .errors import (
    ManifestError,
    MarkError,
    MarkNotReadable,
    MetadataError,
    SynthmarkError,
    TooSmallForMark,
    TooSmallForNotice,
    UsageError,
)
from .keys import Key
from .marks.image import SCHEME, detect_image, embed_image
from .media import image as media
from .media.probe import probe
from .media.source import Source, load
from .metadata import image as metadata
from .metadata.aigc import to_json
from .model import AigcLabel, LabelResult, Layer, LayerResult, Media, State, to_dict
from .notices import image as notices
from .notices.wording import WORDINGS, check_wording
from .payload import Payload
from .provenance import manifest
from .provenance.signer import Signer

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from .records.store import RecordStore

__all__ = ["DEVELOPMENT_PRODUCER", "Labeler"]

DEVELOPMENT_PRODUCER = "synthmark-development"
STRENGTHS = (1.0, 1.4, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Labeler:
    """Everything that stays the same from one file to the next.

    Parameters
    ----------
    key : Key
        The secret of the invisible mark.
    signer : Signer
        Who signs the manifest.
    records : RecordStore or None
        The log that each labeled file is entered into.
    producer : str
        Name or code of the generating provider (27 characters, TC260-PG-20252A).
    issuer : int
        Number of the provider in the payload, 0 to 1,048,575.
    service : str
        Class of service of Provisions Art. 17.
    jurisdictions : tuple of str
        Whose rules apply.
    wording : str
        Language of a standard wording, or the wording of the notice itself.
    corner : str or None
        Corner of the notice; None for the one that the rules prefer.
    software_agent : str
        Name of the system that generated the content.

    Raises
    ------
    UsageError
        A value cannot be meant.
    """

    key: Key
    signer: Signer
    records: RecordStore | None
    producer: str = DEVELOPMENT_PRODUCER
    issuer: int = 0
    service: str = "other"
    jurisdictions: tuple[str, ...] = ("cn",)
    wording: str = "en"
    corner: str | None = None
    software_agent: str = "unnamed generator"

    def __post_init__(self) -> None:
        policy.due(self.service, self.jurisdictions)
        Payload(issuer=self.issuer, serial=0)
        check_wording(self.text)
        try:
            to_json(self.aigc("0"))
        except MetadataError as error:
            raise UsageError(error.problem, hint=error.hint) from error

    @property
    def text(self) -> str:
        """The wording of the notice itself."""
        return WORDINGS.get(self.wording, self.wording)

    def aigc(self, produce_id: str) -> AigcLabel:
        """Return the AIGC label of an item.

        At the first writing the producer is its own propagator (annex E, note 1).
        """
        return AigcLabel(
            label="1",
            content_producer=self.producer,
            produce_id=produce_id,
            content_propagator=self.producer,
            propagate_id=produce_id,
        )

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
            work = _Work(
                self, due, loaded, target, media_format or loaded.picture.format
            )
            return work.run(overwrite)
        except SynthmarkError as error:
            if error.path is None:
                error.path = loaded.path
            raise


class _Work:
    """One file on its way through the layers."""

    def __init__(
        self,
        labeler: Labeler,
        due: policy.Due,
        source: Source,
        target: Path | None,
        media_format: str,
    ) -> None:
        self.labeler = labeler
        self.due = due
        self.source = source
        self.target = target
        self.format = media_format
        self.notes = list(source.picture.notes)
        self.layers: list[LayerResult] = []
        self.when = datetime.now(UTC)
        self.produce_id = uuid4().hex

    def run(self, overwrite: bool) -> LabelResult:
        if self.target is None:
            return self._record(self._make())
        # The place is taken first: what cannot be written shows before the work.
        with files.replacing(self.target, overwrite=overwrite) as temporary:
            result = self._make()
            temporary.write_bytes(result.content)
            # Entered before the file appears: a labeled file without a record is
            # the one thing that must not be.
            return self._record(result)

    def _make(self) -> LabelResult:
        pixels = self._draw_notice(self.source.picture.pixels)
        content, payload = self._embed_mark(pixels)
        content, label = self._write_metadata(content)
        content = self._sign(content, label, payload)
        before = self.source.sha256
        after = hashlib.sha256(content).hexdigest()
        return LabelResult(
            source=_text(self.source.path),
            target=_text(self.target),
            media=Media.IMAGE,
            media_type=f"image/{self.format}",
            payload=payload,
            produce_id=self.produce_id,
            service=self.labeler.service,
            jurisdictions=self.labeler.jurisdictions,
            layers=tuple(self.layers),
            sha256_before=before,
            sha256_after=after,
            notes=tuple(self.notes),
            content=content,
        )

    def _draw_notice(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        orientation = self.source.picture.orientation
        try:
            shown, notice = notices.draw(
                media.display(pixels, orientation),
                self.labeler.text,
                corner=self.labeler.corner or self.due.notice_corner,
                height_fraction=self.due.notice_height,
            )
        except TooSmallForNotice as error:
            self._missing(Layer.NOTICE, error)
            return pixels
        if notice.text != self.labeler.text:
            self.notes.append("the picture had no room for the whole notice")
        self._written(
            Layer.NOTICE,
            text=notice.text,
            box=to_dict(notice.box),
            ink_height_px=notice.ink_height_px,
            contrast=round(notice.contrast, 2),
        )
        return media.stored(shown, orientation)

    def _embed_mark(self, pixels: NDArray[np.uint8]) -> tuple[bytes, Payload | None]:
        """Mark, encode and read back; one step stronger until it reads."""
        payload = self._free_payload()
        picture = self.source.picture
        problem: MarkError = MarkNotReadable(
            "the mark does not read back from the encoded picture",
            hint="The picture is too plain, or its format compresses too hard.",
        )
        try:
            for strength in STRENGTHS:
                marked = embed_image(
                    pixels, payload, self.labeler.key, strength=strength
                )
                content = media.encode(picture, marked, self.format)
                hit = detect_image(media.read(content).pixels, self.labeler.key)
                if hit.payload == payload:
                    self._written(
                        Layer.MARK,
                        scheme=SCHEME,
                        key_id=self.labeler.key.id,
                        p_value=hit.p_value,
                        strength=strength,
                        psnr_db=_psnr(pixels, marked),
                    )
                    return content, payload
        except TooSmallForMark as error:
            problem = error
        self._missing(Layer.MARK, problem)
        return media.encode(picture, pixels, self.format), None

    def _free_payload(self) -> Payload:
        while True:
            payload = Payload.random(self.labeler.issuer)
            records = self.labeler.records
            if records is None or not records.payload_taken(payload):
                return payload

    def _write_metadata(self, content: bytes) -> tuple[bytes, AigcLabel]:
        label = self.labeler.aigc(self.produce_id)
        written = metadata.write(content, label)
        self.notes += written.notes
        self._written(Layer.AIGC, place=written.place, producer=label.content_producer)
        self._written(Layer.IPTC, source_type=metadata.TRAINED_ALGORITHMIC_MEDIA)
        return written.content, label

    def _sign(self, content: bytes, label: AigcLabel, payload: Payload | None) -> bytes:
        claim = manifest.Claim(
            title=(self.target or self.source.path or Path("untitled")).name,
            label=label,
            payload=payload,
            mark_scheme=SCHEME if payload else None,
            software_agent=self.labeler.software_agent,
            software_agent_version="",
            when=self.when,
            generator_version=__version__,
        )
        parent, parent_type = self._parent()
        signed = manifest.sign(
            content,
            f"image/{self.format}",
            claim,
            self.labeler.signer,
            parent=parent,
            parent_media_type=parent_type,
        )
        self._check_sealed(content, signed, label)
        self._written(
            Layer.C2PA,
            action="c2pa.opened" if parent else "c2pa.created",
            development=self.labeler.signer.development,
        )
        return signed

    def _parent(self) -> tuple[bytes | None, str | None]:
        """Return the source when it has a history to go on from."""
        content = self.source.content
        if content is None:
            return None, None
        media_type = probe(content).media_type
        if not manifest.has_manifest(content, media_type):
            return None, None
        if manifest.read(content, media_type).state is State.MALFORMED:
            self.notes.append(
                "the C2PA manifest of the source is unreadable and was left out"
            )
            return None, None
        return content, media_type

    def _check_sealed(self, content: bytes, signed: bytes, label: AigcLabel) -> None:
        """Read the finished file back, layer by layer."""
        reading = manifest.read(signed, f"image/{self.format}")
        if reading.state not in (State.TRUSTED, State.UNTRUSTED):
            raise ManifestError(
                f"the signed file does not verify: {', '.join(reading.failures)}"
            )
        found = metadata.read(signed)
        if found.state is not State.PRESENT or found.labels[0].label != label:
            raise ManifestError("signing changed the AIGC label")
        before, after = media.read(content).pixels, media.read(signed).pixels
        if not np.array_equal(before, after):
            raise ManifestError("signing changed the picture")

    def _record(self, result: LabelResult) -> LabelResult:
        records = self.labeler.records
        if records is None:
            return result
        record = records.append(
            produce_id=result.produce_id,
            payload=result.payload,
            sha256_before=result.sha256_before,
            sha256_after=result.sha256_after,
            media=result.media,
            layers=[layer.layer for layer in result.layers if layer.written],
            service=result.service,
            jurisdictions=result.jurisdictions,
            software=f"synthmark {__version__}",
            target=self.target.name if self.target else None,
        )
        written = LayerResult(
            layer=Layer.RECORD,
            written=True,
            detail={"sequence": record.sequence, "hash": record.hash},
        )
        return replace(result, layers=(*result.layers, written))

    def _written(self, layer: Layer, **detail: Any) -> None:
        self.layers.append(LayerResult(layer=layer, written=True, detail=detail))

    def _missing(self, layer: Layer, error: SynthmarkError) -> None:
        self.layers.append(LayerResult(layer=layer, written=False, reason=error.code))


def _psnr(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> float | None:
    """Peak signal-to-noise ratio in dB; None when nothing changed."""
    error = float(np.mean((after.astype(np.float32) - before) ** 2))
    return round(10 * float(np.log10(255**2 / error)), 2) if error else None


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
