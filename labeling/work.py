"""What all media have in common on their way through the layers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from .. import __version__
from . import files, policy
from .errors import ManifestError
from .fingerprints.fingerprint import Fingerprint
from .metadata import image as of_picture
from .metadata.image import Reading
from .model import (
    EXEMPT,
    UNSUPPORTED,
    AigcLabel,
    LabelResult,
    Layer,
    LayerResult,
    State,
    to_dict,
)
from .payload import Payload
from .provenance import manifest
from .provenance.sidecar import sidecar_of, sign_sidecar
from .records.stored import StoredManifest
from .settings import Settings

__all__ = ["STRENGTHS", "Work"]

STRENGTHS = (1.0, 1.4, 2.0)
"""Of the mark: one after the other, until it reads back from the encoded file."""


class Work(ABC):
    """One file on its way through the layers.

    Parameters
    ----------
    settings : Settings
    due : Due
        Which layers the rules ask for.
    target : Path or None
        Where the labeled file shall stand.
    """

    def __init__(
        self, settings: Settings, due: policy.Due, target: Path | None
    ) -> None:
        self.settings = settings
        self.due = due
        self.target = target
        self.notes: list[str] = [*due.notes]
        self.layers: list[LayerResult] = []
        self.when = datetime.now(UTC)
        self.produce_id = uuid4().hex
        self.manifest: StoredManifest | None = None
        self.fingerprint: Fingerprint | None = None
        self.beside = b""
        self.is_exempt = settings.exemption is not None
        if self.is_exempt:
            self._missing(Layer.NOTICE, EXEMPT)

    def run(self, overwrite: bool) -> LabelResult:
        """Make the labeled file, enter it into the log and put it in its place."""
        if self.target is None:
            return self._record(self._make(None))
        # The place is taken first: what cannot be written shows before the work.
        with files.replacing(self.target, overwrite=overwrite) as temporary:
            result = self._make(temporary)
            if self.beside:
                place = sidecar_of(self.target)
                files.write_bytes(place, self.beside, overwrite=overwrite)
            # Entered before the file appears: a labeled file without a record is
            # the one thing that must not be.
            return self._record(result)

    @abstractmethod
    def _make(self, place: Path | None) -> LabelResult:
        """Go through the layers; leave the labeled file at `place` if there is one."""

    def _result(self, source: Path | None, **facts: Any) -> LabelResult:
        """Return what was done, with the facts that only the medium knows."""
        return LabelResult(
            source=None if source is None else str(source),
            target=None if self.target is None else str(self.target),
            produce_id=self.produce_id,
            service=self.settings.service,
            jurisdictions=self.settings.jurisdictions,
            layers=tuple(self.layers),
            notes=tuple(dict.fromkeys(self.notes)),
            sidecar=self.beside,
            **facts,
        )

    def _free_payload(self) -> Payload:
        while True:
            payload = Payload.random(self.settings.issuer)
            records = self.settings.records
            if records is None or not records.payload_taken(payload):
                return payload

    def _claim(
        self, title: str, label: AigcLabel, payload: Payload | None, scheme: str
    ) -> manifest.Claim:
        return manifest.Claim(
            title=title,
            label=label,
            payload=payload,
            mark_scheme=scheme if payload else None,
            software_agent=self.settings.software_agent,
            software_agent_version=self.settings.software_agent_version,
            consent=self.settings.consent,
            disclosure=self.settings.disclosure,
            training=self.settings.training,
            when=self.when,
            generator_version=__version__,
        )

    def _label_picture(self, content: bytes) -> tuple[bytes, AigcLabel]:
        """Write field and source type into the XMP of a picture."""
        label = self.settings.aigc(self.produce_id)
        written = of_picture.write(content, label)
        self.notes += written.notes
        self._written(Layer.AIGC, place=written.place, producer=label.content_producer)
        source_type = of_picture.TRAINED_ALGORITHMIC_MEDIA
        self._written(Layer.IPTC, source_type=source_type)
        return written.content, label

    def _has_history(
        self, original: bytes | Path | None, media_type: str | None
    ) -> bool:
        """Tell whether the original has a manifest that the new one can go on from."""
        if original is None or not manifest.has_manifest(original, media_type):
            return False
        if manifest.read(original, media_type).state is State.MALFORMED:
            self.notes.append(
                "the C2PA manifest of the source is unreadable and was left out"
            )
            return False
        return True

    def _check_seal(
        self,
        signed: bytes | Path,
        media_type: str,
        metadata: Reading,
        label: AigcLabel,
        store: bytes,
    ) -> None:
        """Read manifest and label of the finished file back; keep the manifest."""
        reading = manifest.read(signed, media_type)
        if reading.state not in (State.TRUSTED, State.UNTRUSTED):
            raise ManifestError(
                f"the signed file does not verify: {', '.join(reading.failures)}"
            )
        if metadata.state is not State.PRESENT or metadata.labels[0].label != label:
            raise ManifestError("signing changed the AIGC label")
        self.manifest = StoredManifest(manifest_id=reading.manifest_id, content=store)

    def _sealed(self, has_history: bool, place: str = "file") -> None:
        self._written(
            Layer.C2PA,
            action="c2pa.opened" if has_history else "c2pa.created",
            development=self.settings.signer.development,
            place=place,
        )

    def _seal_beside(
        self, content: bytes | Path, media_type: str, claim: manifest.Claim
    ) -> None:
        """Sign a file that has no place for a manifest, if one may stand beside it."""
        if not self.settings.sidecar:
            self._missing(Layer.C2PA, UNSUPPORTED)
            return
        store = sign_sidecar(content, media_type, claim, self.settings.signer)
        reading = manifest.read(content, media_type, store=store)
        if reading.state not in (State.TRUSTED, State.UNTRUSTED):
            raise ManifestError(
                f"the manifest does not verify: {', '.join(reading.failures)}"
            )
        self.manifest = StoredManifest(manifest_id=reading.manifest_id, content=store)
        self.beside = store
        self._sealed(False, "sidecar")

    def _record(self, result: LabelResult) -> LabelResult:
        records = self.settings.records
        if records is None:
            return result
        notice = result.layer(Layer.NOTICE)
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
            notice=notice.detail if notice and notice.written else None,
            consent=self.settings.consent,
            exemption=to_dict(self.settings.exemption),
            key_id=self.settings.key.id if result.payload else None,
            manifest=self.manifest,
            fingerprint=str(self.fingerprint) if self.fingerprint else None,
        )
        written = LayerResult(
            layer=Layer.RECORD,
            written=True,
            detail={"sequence": record.sequence, "hash": record.hash},
        )
        return replace(result, layers=(*result.layers, written))

    def _written(self, layer: Layer, **detail: Any) -> None:
        self.layers.append(LayerResult(layer=layer, written=True, detail=detail))

    def _missing(self, layer: Layer, reason: str) -> None:
        self.layers.append(LayerResult(layer=layer, written=False, reason=reason))
