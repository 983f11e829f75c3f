"""Detect: the read path through all layers.

Each layer is read by itself and says what it shows; `verdict` then weighs them. A
layer that is absent is a result; one that cannot be read is a result too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import RegistryError, UsageError
from .fingerprints.comparison import compare
from .fingerprints.fingerprint import Comparison, Fingerprint
from .keys import Key
from .marks.image import detect_image
from .marks.presence import MarkMap, locate_image, overlay_image
from .media import image as media
from .media.source import lent_stream, load
from .metadata.integrity import check as check_seals
from .model import (
    Detection,
    Evidence,
    Layer,
    Media,
    Report,
    State,
    Transform,
    to_dict,
)
from .notices.find_like import check_installed
from .payload import Payload
from .privacy import without_personal
from .provenance import reading as manifest
from .provenance.sidecar import read_sidecar
from .subject import Subject
from .subjects import lent_subject
from .verdict import findings, verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from .metadata.label_key import PublicKey
    from .records.store import Record, RecordStore
    from .registry.catalog import Catalog
    from .registry.client import Registry
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
    catalog : Catalog or None
        Finds records by content when nothing else leads to one.
    registries : sequence of Registry
        Whom to ask for the manifest of a mark that the log does not know. Nobody is
        asked by default.
    personal : bool
        Whether to show what may tell of people, such as file names in manifests.
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
    catalog: Catalog | None = None
    registries: Sequence[Registry] = ()
    personal: bool = False
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
        with lent_subject(source) as subject:
            return self._report(subject)

    def bindings(
        self, source: str | Path | bytes
    ) -> tuple[Payload | None, Fingerprint | None]:
        """Return what leads from a file to its record: mark and fingerprint.

        Parameters
        ----------
        source : str, Path or bytes
            A picture, sound, video or document, or its bytes.

        Raises
        ------
        MediaError
            It is not one that can be read.
        """
        with lent_subject(source) as subject:
            _, hit = self._mark(subject)
            return hit.payload if hit else None, subject.fingerprint()

    def _report(self, subject: Subject) -> Report:
        mark, hit = self._mark(subject)
        aigc, iptc = self._metadata(subject)
        c2pa, bound = self._manifest(subject)
        payload = hit.payload if hit else None
        produce_id = _produce_id(aigc) or _produce_id(c2pa)
        record = self._record(subject, hit, aigc, c2pa)
        c2pa = self._recovered(c2pa, record, hit)
        evidence = (_notice(subject, ocr=self.ocr), mark, aigc, iptc, c2pa, record)
        return Report(
            file=None if subject.path is None else str(subject.path),
            media=subject.media,
            sha256=subject.sha256,
            verdict=verdict(evidence),
            payload=payload or bound,
            produce_id=produce_id or record.detail.get("produce_id"),
            evidence=tuple(
                evidence if self.personal else map(without_personal, evidence)
            ),
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
        seals = check_seals(first, self.provider_keys) if first else ()
        aigc = Evidence(
            layer=Layer.AIGC,
            state=reading.state,
            detail={
                "label": to_dict(first),
                "seals": to_dict(seals),
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
        reading = manifest.ManifestReading(state=State.UNSUPPORTED)
        place = "file"
        if subject.sealable:
            reading = subject.read_manifest(self.anchors_pem)
        if reading.state in _NONE:
            place = ""
            if subject.path and (store := read_sidecar(subject.path)) is not None:
                place = "sidecar"
                reading = manifest.read(
                    subject.content, anchors_pem=self.anchors_pem, store=store
                )
        detail = {
            **to_dict(reading),
            "place": place,
            "recovered": None,
            "registry_problem": None,
        }
        del detail["state"]
        return (
            Evidence(layer=Layer.C2PA, state=reading.state, detail=detail),
            reading.payload,
        )

    def _record(
        self,
        subject: Subject,
        hit: Detection | None,
        aigc: Evidence,
        c2pa: Evidence,
    ) -> Evidence:
        if self.records is None:
            return Evidence(layer=Layer.RECORD, state=State.NOT_CHECKED)
        found = self._found(subject, hit, (aigc, c2pa))
        if found is None:
            return Evidence(layer=Layer.RECORD, state=State.ABSENT)
        record, how = found
        same_bytes = subject.sha256 == record.sha256_after
        likeness = None
        if record.fingerprint and not same_bytes and how != "original":
            transform = hit.transform if hit and how == "payload" else None
            likeness = _likeness(subject, record.fingerprint, transform)
        detail = {
            **to_dict(record),
            "found_by": how,
            "same_bytes": same_bytes,
            "likeness": to_dict(likeness),
        }
        return Evidence(layer=Layer.RECORD, state=State.PRESENT, detail=detail)

    def _found(
        self, subject: Subject, hit: Detection | None, labels: Sequence[Evidence]
    ) -> tuple[Record, str] | None:
        """Return the record of an item, and what led to it."""
        assert self.records is not None
        if hit and hit.payload and (found := self.records.find(payload=hit.payload)):
            return found[0], "payload"
        for name in ("produce_id", "propagate_id"):
            for one in labels:
                label = one.detail.get("label")
                number = label[name] if label else None
                if number and (found := self.records.find(produce_id=number)):
                    return found[0], "produce_id"
        if found := self.records.find(sha256=subject.sha256):
            after = subject.sha256 == found[0].sha256_after
            return found[0], "sha256" if after else "original"
        if self.catalog and (fingerprint := subject.fingerprint()):
            for record, _ in self.catalog.nearest(fingerprint, 1):
                return record, "fingerprint"
        return None

    def _recovered(
        self, c2pa: Evidence, record: Evidence, hit: Detection | None
    ) -> Evidence:
        """Add the manifest that a mark leads to, where the file has lost its own."""
        if c2pa.state not in _NONE:
            return c2pa
        found: dict[str, Any] = {}
        name = record.detail.get("manifest_id")
        copied = (record.detail.get("likeness") or {}).get("same") is False
        store = self.records.manifest(name) if self.records and name else None
        if store is not None and not copied:
            found = {"by": record.detail["found_by"], "registry": None}
        elif hit and hit.payload and self.registries and not name:
            from .registry.client import resolve

            try:
                if resolved := resolve(self.registries, hit.payload, hit.scheme):
                    store = resolved.store
                    found = {"by": "payload", "registry": resolved.registry}
            except RegistryError as error:
                problem = {"registry_problem": error.problem}
                return replace(c2pa, detail={**c2pa.detail, **problem})
        if store is None or not found:
            return c2pa
        reading = manifest.read_store(store, anchors_pem=self.anchors_pem)
        recovered = {**found, **to_dict(reading)}
        return replace(c2pa, detail={**c2pa.detail, "recovered": recovered})


_NONE = (State.ABSENT, State.UNSUPPORTED)


def _likeness(
    subject: Subject, recorded: str, transform: Transform | None
) -> Comparison | None:
    """Compare the content with what was recorded; None where that cannot be done."""
    here = subject.fingerprint()
    try:
        there = Fingerprint.parse(recorded)
        if here is None or here.algorithm != there.algorithm:
            return None
        return compare(here, there, transform=transform)
    except UsageError:  # of another version
        return None


def _notice(subject: Subject, *, ocr: bool) -> Evidence:
    found = subject.find_notices()
    like = subject.read_notices() if ocr else None
    if like is not None:  # ours are read as well
        like = [
            one
            for one in like
            if not any(one.box.overlaps(notice.box) for notice in found or ())
        ]
    state = State.UNSUPPORTED if found is None else State.ABSENT
    return Evidence(
        layer=Layer.NOTICE,
        state=State.PRESENT if found else state,
        detail={
            "extent": subject.extent,
            "notices": to_dict(found or ()),
            "notice_like": to_dict(like),
        },
    )


def _produce_id(evidence: Evidence) -> str | None:
    label = evidence.detail.get("label")
    return label["produce_id"] or None if label else None
