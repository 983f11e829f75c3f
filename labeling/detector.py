"""Detect: the read path through all layers.

Each layer is read by itself and says what it shows; `verdict` then weighs them. A
layer that is absent is a result; one that cannot be read is a result too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .keys import Key
from .marks.image import SCHEME, detect_image
from .media import image as media
from .media.source import Source, load
from .metadata import image as metadata
from .model import (
    Detection,
    Evidence,
    Layer,
    Media,
    Report,
    State,
    to_dict,
)
from .notices.find import find
from .provenance import manifest
from .verdict import findings, verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from .records.store import Record, RecordStore

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
    """

    keys: Sequence[Key] = ()
    anchors_pem: str = field(default="", repr=False)
    records: RecordStore | None = None

    def detect(self, source: str | Path | bytes | Image.Image | NDArray[np.uint8]) -> Report:
        """Read every layer of one picture.

        Parameters
        ----------
        source : str, Path, bytes, PIL.Image.Image or ndarray
            The picture. An array or a Pillow image has no metadata and no manifest.

        Returns
        -------
        Report
            The same for the same bytes, keys, anchors and records.

        Raises
        ------
        MediaError
            It is not a picture that can be read.
        """
        loaded = load(source)
        content = loaded.content
        digest = hashlib.sha256(
            loaded.picture.pixels.tobytes() if content is None else content
        ).hexdigest()
        mark, hit = self._mark(loaded)
        aigc, iptc = _metadata(content)
        c2pa, bound = self._manifest(content)
        evidence = [_notice(loaded), mark, aigc, iptc, c2pa]
        produce_id = _produce_id(aigc) or _produce_id(c2pa)
        evidence.append(self._record(hit, produce_id, digest))
        return Report(
            file=None if loaded.path is None else str(loaded.path),
            media=Media.IMAGE,
            sha256=digest,
            verdict=verdict(evidence),
            payload=hit.payload or bound,
            produce_id=produce_id or evidence[-1].detail.get("produce_id"),
            evidence=tuple(evidence),
            findings=findings(evidence),
        )

    def _mark(self, loaded: Source) -> tuple[Evidence, Detection]:
        if not self.keys:
            nothing = Detection(
                found=False, payload=None, p_value=1.0, score=0.0, scheme=SCHEME
            )
            return (
                Evidence(
                    layer=Layer.MARK,
                    state=State.NOT_CHECKED,
                    summary="no key was given to look for marks with",
                ),
                nothing,
            )
        hit = detect_image(loaded.picture.pixels, self.keys)
        if not hit.found:
            return (
                Evidence(
                    layer=Layer.MARK,
                    state=State.ABSENT,
                    summary=f"none of {len(self.keys)} key(s) finds a mark",
                    detail={"scheme": hit.scheme, "keys": [k.id for k in self.keys]},
                ),
                hit,
            )
        return (
            Evidence(
                layer=Layer.MARK,
                state=State.PRESENT if hit.payload else State.UNREADABLE,
                summary=f"payload {hit.payload}, p {hit.p_value:.0e}"
                if hit.payload
                else f"present, but unreadable, p {hit.p_value:.0e}",
                detail=to_dict(hit),
            ),
            hit,
        )

    def _manifest(self, content: bytes | None) -> tuple[Evidence, Any]:
        if content is None:
            return _not_a_file(Layer.C2PA), None
        reading = manifest.read(content, anchors_pem=self.anchors_pem)
        signer = reading.signer_name or reading.signer_organization or "unnamed signer"
        summaries = {
            State.TRUSTED: f"intact, signed by {signer}",
            State.UNTRUSTED: f"intact, signed by {signer}, whom no trust anchor vouches "
            "for",
            State.TAMPERED: f"changed after signing ({', '.join(reading.failures)})",
            State.MALFORMED: f"unreadable: {reading.detail}",
            State.ABSENT: "no manifest in the file",
            State.UNSUPPORTED: "this kind of file cannot carry a manifest",
        }
        return (
            Evidence(
                layer=Layer.C2PA,
                state=reading.state,
                summary=summaries[reading.state],
                detail=_without_empty(to_dict(reading), "state"),
            ),
            reading.payload,
        )

    def _record(self, hit: Detection, produce_id: str | None, digest: str) -> Evidence:
        if self.records is None:
            return Evidence(
                layer=Layer.RECORD,
                state=State.NOT_CHECKED,
                summary="no record log was given",
            )
        for how, found in (
            ("payload", hit.payload and self.records.find(payload=hit.payload)),
            ("produce_id", produce_id and self.records.find(produce_id=produce_id)),
            ("sha256", self.records.find(sha256=digest)),
        ):
            if found:
                return _record_evidence(found[0], how, digest)
        return Evidence(
            layer=Layer.RECORD,
            state=State.ABSENT,
            summary="neither payload, number nor digest is in the log",
        )


def _notice(loaded: Source) -> Evidence:
    picture = loaded.picture
    found = find(media.display(picture.pixels, picture.orientation))
    if not found:
        return Evidence(
            layer=Layer.NOTICE,
            state=State.ABSENT,
            summary="no known notice is seen; other wordings and fonts are not read",
        )
    first = found[0]
    return Evidence(
        layer=Layer.NOTICE,
        state=State.PRESENT,
        summary=f"“{first.text}”, {first.height_fraction:.1%} of the shorter side",
        detail={"notices": [to_dict(item) for item in found]},
    )


def _metadata(content: bytes | None) -> tuple[Evidence, Evidence]:
    if content is None:
        return _not_a_file(Layer.AIGC), _not_a_file(Layer.IPTC)
    reading = metadata.read(content)
    first = reading.labels[0].label if reading.labels else None
    problems = [problem for item in reading.labels for problem in item.problems]
    summaries = {
        State.PRESENT: first
        and f"Label {first.label}, producer {first.content_producer}, "
        f"number {first.produce_id}",
        State.MALFORMED: f"not well formed: {', '.join(problems)}",
        State.CONFLICTING: f"{len(reading.labels)} labels that contradict each other",
        State.ABSENT: "no AIGC field",
    }
    if reading.problems:
        summaries[State.ABSENT] = (
            f"no AIGC field could be read: {', '.join(reading.problems)}"
        )
    state = reading.state
    aigc = Evidence(
        layer=Layer.AIGC,
        state=state,
        summary=summaries[state] or "",
        detail={
            "label": to_dict(first),
            "places": [item.place for item in reading.labels],
            "problems": [*problems, *reading.problems],
        },
    )
    types = [value.rsplit("/", 1)[-1] for value in reading.source_types]
    iptc = Evidence(
        layer=Layer.IPTC,
        state=State.PRESENT if types else State.ABSENT,
        summary=", ".join(types) or "no digital source type",
        detail={"source_types": list(reading.source_types)},
    )
    return aigc, iptc


def _record_evidence(record: Record, how: str, digest: str) -> Evidence:
    same = digest == record.sha256_after
    return Evidence(
        layer=Layer.RECORD,
        state=State.PRESENT,
        summary=f"no. {record.sequence} of {record.time}, "
        + ("byte for byte this file" if same else f"found by its {how}"),
        detail={**to_dict(record), "found_by": how, "same_bytes": same},
    )


def _produce_id(evidence: Evidence) -> str | None:
    label = evidence.detail.get("label")
    return label["produce_id"] or None if label else None


def _not_a_file(layer: Layer) -> Evidence:
    return Evidence(
        layer=layer,
        state=State.NOT_CHECKED,
        summary="pixels without a file have none",
    )


def _without_empty(values: dict[str, Any], *dropped: str) -> dict[str, Any]:
    return {
        name: value
        for name, value in values.items()
        if name not in dropped and value not in (None, "", [], False)
    }
