"""Detect: the read path through all layers.

Each layer is read by itself and says what it shows; `verdict` then weighs them. A
layer that is absent is a result; one that cannot be read is a result too.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .keys import Key
from .marks.image import detect_image
from .marks.presence import MarkMap, locate_image, overlay_image
from .media import image as media
from .media.document import document_source
from .media.source import lent_stream, load
from .metadata.integrity import check
from .model import (
    Detection,
    Evidence,
    Layer,
    Media,
    Report,
    State,
    to_dict,
)
from .notices.find_like import check_installed
from .payload import Payload
from .picture import PictureSubject
from .subject import Subject
from .verdict import findings, verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from .metadata.label_key import PublicKey
    from .records.store import RecordStore
    from .timeline import MarkTimeline

__all__ = ["Detector"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """Everything that stays the same from one file to the next.

    Parameters
    ----------
    keys : sequence of Key
        Whose marks to look for; without any, the mark is not checked.
    anchors_pem : str
        Root certificates of the signers to trust, as PEM text.
    records : RecordStore or None
        The log to look items up in; None when the reader has none.
    provider_keys : mapping of str to PublicKey
        The keys that providers are known to sign their AIGC labels with, by name or
        code.
    ocr : bool
        Whether to read what looks like a notice in other fonts and wordings too. This
        needs the optional part ``synthmark[ocr]``.

    Raises
    ------
    UsageError
        The optional part is asked for and not installed.
    """

    keys: Sequence[Key] = ()
    anchors_pem: str = field(default="", repr=False)
    records: RecordStore | None = None
    provider_keys: Mapping[str, tuple[PublicKey, ...]] = field(default_factory=dict)
    ocr: bool = False

    def __post_init__(self) -> None:
        if self.ocr:
            check_installed()

    def detect(
        self, source: str | Path | bytes | Image.Image | NDArray[np.uint8]
    ) -> Report:
        """Read every layer of one picture, sound, video or document.

        Parameters
        ----------
        source : str, Path, bytes, PIL.Image.Image or ndarray
            The file or its bytes, or a picture. An array or a Pillow image has no
            metadata and no manifest.

        Returns
        -------
        Report
            The same for the same bytes, keys, anchors and records.

        Raises
        ------
        MediaError
            It is not a picture, sound, video or document that can be read.
        """
        if document := document_source(source):
            from .drawing import DrawingSubject
            from .prose import DocumentSubject

            path = Path(source) if isinstance(source, str | os.PathLike) else None
            if document[1] == "svg":
                return self._report(DrawingSubject(document[0], path))
            return self._report(DocumentSubject(*document, path))
        with lent_stream(source) as stream:
            if stream is None:
                return self._report(PictureSubject(load(source)))
            lent, is_video = stream
            path = lent if isinstance(source, str | os.PathLike) else None
            if is_video:
                from .footage import ClipSubject

                return self._report(ClipSubject(lent, path))
            from .sound import SoundSubject

            return self._report(SoundSubject(lent, path))

    def _report(self, subject: Subject) -> Report:
        mark, hit = self._mark(subject)
        aigc, iptc = self._metadata(subject)
        c2pa, bound = self._manifest(subject)
        payload = hit.payload if hit else None
        produce_id = _produce_id(aigc) or _produce_id(c2pa)
        record = self._record(payload, produce_id, subject.sha256)
        evidence = (_notice(subject, ocr=self.ocr), mark, aigc, iptc, c2pa, record)
        return Report(
            file=None if subject.path is None else str(subject.path),
            media=subject.media,
            sha256=subject.sha256,
            verdict=verdict(evidence),
            payload=payload or bound,
            produce_id=produce_id or record.detail.get("produce_id"),
            evidence=evidence,
            findings=findings(evidence),
        )

    def locate(
        self, source: str | Path | bytes | Image.Image | NDArray[np.uint8]
    ) -> MarkMap | MarkTimeline | None:
        """Find where the invisible mark is, and where it is missing.

        Parameters
        ----------
        source : str, Path, bytes, PIL.Image.Image or ndarray
            The file or its bytes, or a picture.

        Returns
        -------
        MarkMap, MarkTimeline or None
            Where in a picture, or when in a video or sound; None if there is no mark of
            any of the keys whose payload can be read.

        Raises
        ------
        MediaError
            It is not a picture, sound or video that can be read.
        """
        with lent_stream(source) as stream:
            if stream is not None:
                return self._locate_in_time(*stream)
        picture = load(source).picture
        if not self.keys:
            return None
        hit = detect_image(picture.pixels, self.keys)
        if hit.payload is None:
            return None
        key = next(key for key in self.keys if key.id == hit.key_id)
        presence = locate_image(picture.pixels, key, hit)
        overlay = overlay_image(picture.pixels, presence)
        turn = picture.orientation
        return MarkMap(
            detection=hit,
            presence=media.display(presence, turn),
            overlay=media.display(overlay, turn),
        )

    def _locate_in_time(self, path: Path, is_video: bool) -> MarkTimeline | None:
        from .timeline import locate_sound, locate_video

        if not self.keys:
            return None
        locate = locate_video if is_video else locate_sound
        return locate(path, self.keys)

    def _mark(self, subject: Subject) -> tuple[Evidence, Detection | None]:
        if not self.keys:
            return Evidence(layer=Layer.MARK, state=State.NOT_CHECKED), None
        hit = subject.find_mark(self.keys)
        if hit is None:
            return Evidence(layer=Layer.MARK, state=State.UNSUPPORTED), None
        state = State.ABSENT
        if hit.found:
            state = State.PRESENT if hit.payload else State.UNREADABLE
        detail = {**to_dict(hit), "keys": [key.id for key in self.keys]}
        return Evidence(layer=Layer.MARK, state=state, detail=detail), hit

    def _metadata(self, subject: Subject) -> tuple[Evidence, Evidence]:
        reading = subject.read_metadata()
        if reading is None:
            # Pixels without a file have none; a file, no place for it.
            state = State.NOT_CHECKED if subject.content is None else State.UNSUPPORTED
            return (
                Evidence(layer=Layer.AIGC, state=state),
                Evidence(layer=Layer.IPTC, state=state),
            )
        labels = reading.labels
        first = labels[0].label if labels else None
        aigc = Evidence(
            layer=Layer.AIGC,
            state=reading.state,
            detail={
                "label": to_dict(first),
                "seals": to_dict(check(first, self.provider_keys)) if first else [],
                "places": [item.place for item in labels],
                "problems": [
                    *(problem for item in labels for problem in item.problems),
                    *reading.problems,
                ],
            },
        )
        state = State.PRESENT if reading.source_types else State.ABSENT
        iptc = Evidence(
            layer=Layer.IPTC,
            state=state if subject.media is Media.IMAGE else State.UNSUPPORTED,
            detail={"source_types": list(reading.source_types)},
        )
        return aigc, iptc

    def _manifest(self, subject: Subject) -> tuple[Evidence, Payload | None]:
        if subject.content is None:
            return Evidence(layer=Layer.C2PA, state=State.NOT_CHECKED), None
        if not subject.sealable:
            return Evidence(layer=Layer.C2PA, state=State.UNSUPPORTED), None
        reading = subject.read_manifest(self.anchors_pem)
        detail = to_dict(reading)
        del detail["state"]
        return (
            Evidence(layer=Layer.C2PA, state=reading.state, detail=detail),
            reading.payload,
        )

    def _record(
        self, payload: Payload | None, produce_id: str | None, digest: str
    ) -> Evidence:
        if self.records is None:
            return Evidence(layer=Layer.RECORD, state=State.NOT_CHECKED)
        for how, found in (
            ("payload", payload and self.records.find(payload=payload)),
            ("produce_id", produce_id and self.records.find(produce_id=produce_id)),
            ("sha256", self.records.find(sha256=digest)),
        ):
            if found:
                record = found[0]
                if how == "sha256" and digest != record.sha256_after:
                    how = "original"
                detail = {**to_dict(record), "found_by": how}
                detail["same_bytes"] = digest == record.sha256_after
                return Evidence(layer=Layer.RECORD, state=State.PRESENT, detail=detail)
        return Evidence(layer=Layer.RECORD, state=State.ABSENT)


def _notice(subject: Subject, *, ocr: bool) -> Evidence:
    found = subject.find_notices()
    like = subject.read_notices() if ocr else None
    if like is not None:  # ours are read as well
        like = [
            one
            for one in like
            if not any(one.box.overlaps(notice.box) for notice in found)
        ]
    return Evidence(
        layer=Layer.NOTICE,
        state=State.PRESENT if found else State.ABSENT,
        detail={
            "extent": subject.extent,
            "notices": to_dict(found),
            "notice_like": to_dict(like),
        },
    )


def _produce_id(evidence: Evidence) -> str | None:
    label = evidence.detail.get("label")
    return label["produce_id"] or None if label else None
