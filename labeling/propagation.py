"""Propagate: what a platform adds to the label of an item that it spreads.

The producer's part of the AIGC label stays; the platform adds its own name or code and
number, and the attribute says how sure it is (Labeling Measures, Art. 6): 1 when the
file's own metadata says that it is generated, 2 when who posts it says so, 3 when there
are only traces. Pixels, samples and packets stay as they are. A manifest in the file
becomes the parent of a new one, since the old one would not fit any more.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from uuid import uuid4

from .. import __version__
from . import files
from .detector import Detector
from .errors import MetadataError, SynthmarkError, UsageError
from .metadata.aigc import to_json
from .metadata.integrity import signed
from .metadata.label_key import LabelKey
from .metadata.provider import ProviderCode, looks_like_code
from .model import (
    AigcLabel,
    Layer,
    LayerResult,
    Propagation,
    Report,
    State,
    Verdict,
)
from .provenance.manifest import Claim
from .provenance.signer import Signer
from .relabeling import Relabeling

if TYPE_CHECKING:
    from .records.store import RecordStore

__all__ = ["Propagator"]

_UNKNOWN = AigcLabel(label="", content_producer="", produce_id="")
_LABELS = {Verdict.CONFIRMED: "1", Verdict.POSSIBLE: "2", Verdict.SUSPECTED: "3"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Propagator:
    """Adds a platform to labels, one like the other.

    Parameters
    ----------
    platform : str
        Name or code of the propagating provider (27 characters, TC260-PG-20252A).
    signer : Signer
        Who signs the manifests.
    detector : Detector
        Reads what a file shows; its keys and anchors decide what is found.
    records : RecordStore or None
        The log that each file is entered into.
    label_key : LabelKey or None
        Signs the platform's part of the label; None leaves it unsigned.

    Raises
    ------
    UsageError
        The platform cannot stand in a label, or has the code of a producer.
    """

    platform: str
    signer: Signer
    detector: Detector
    records: RecordStore | None
    label_key: LabelKey | None = None

    def __post_init__(self) -> None:
        if looks_like_code(self.platform):
            role = ProviderCode.parse(self.platform).role
            if role != "propagator":
                raise UsageError(
                    f"{self.platform} is the code of a {role}",
                    hint="The 23rd character is 2 for who propagates.",
                )
        try:
            to_json(self._labeled(None, Verdict.SUSPECTED))
        except MetadataError as error:
            raise UsageError(error.problem, hint=error.hint) from error

    def propagate(
        self,
        source: str | Path | bytes,
        target: str | Path | None = None,
        *,
        declared: bool = False,
        overwrite: bool = False,
    ) -> Propagation:
        """Add the platform to the label of one picture, sound, video or document.

        Parameters
        ----------
        source : str, Path or bytes
            The file or its bytes.
        target : str or Path, optional
            Where the file with the new label shall stand, in the same format. Without
            it the file is returned in `Propagation.content` alone.
        declared : bool, optional
            Whether the user who posts it says that it is generated.
        overwrite : bool, optional
            Whether an existing target may be replaced.

        Raises
        ------
        SynthmarkError
            The source cannot be read or has no place for a label, the result cannot be
            written or does not read back. No file appears and the input is untouched.
        """
        path = Path(source) if isinstance(source, str | os.PathLike) else None
        target = None if target is None else Path(target)
        report = self.detector.detect(source)
        verdict = report.verdict
        if declared and verdict in (Verdict.NONE, Verdict.SUSPECTED):
            verdict = Verdict.POSSIBLE
        done = Propagation(
            source=None if path is None else str(path),
            target=None if target is None else str(target),
            media=report.media,
            verdict=verdict,
            label=None,
            layers=(),
            sha256_before=report.sha256,
            sha256_after="",
        )
        if verdict is Verdict.NONE:
            return replace(done, target=None)
        _refuse_other_format(path, target)
        earlier, notes = _earlier(report)
        label = self._labeled(earlier, verdict)
        title = Path(target or path or "untitled").name
        work = Relabeling(
            label=label, claim=_claim(title, label), signer=self.signer, notes=notes
        )
        try:
            if target is None:
                with TemporaryDirectory(prefix="synthmark-") as folder:
                    place = Path(folder) / "item"
                    work.run(source, place)
                    done = self._done(done, work, place)
                    return replace(done, content=place.read_bytes())
            with files.replacing(target, overwrite=overwrite) as place:
                work.run(source, place)
                # Entered before the file appears, like every labeled file.
                return self._done(done, work, place)
        except SynthmarkError as error:
            if error.path is None:
                error.path = path
            raise

    def _labeled(self, earlier: AigcLabel | None, verdict: Verdict) -> AigcLabel:
        """Return the label with the platform in it."""
        label = replace(
            earlier or _UNKNOWN,
            label=_LABELS[verdict],
            content_propagator=self.platform,
            propagate_id=uuid4().hex,
            reserved_code_2="",
        )
        if self.label_key is None:
            return label
        return signed(label, self.label_key, "propagator")

    def _done(self, done: Propagation, work: Relabeling, place: Path) -> Propagation:
        """Return what was done, and enter it into the log."""
        detail = {"place": work.place, "propagator": self.platform}
        layers = [LayerResult(layer=Layer.AIGC, written=True, detail=detail)]
        if work.manifest:
            development = self.signer.development
            layers.append(
                LayerResult(
                    layer=Layer.C2PA,
                    written=True,
                    detail={"action": "c2pa.opened", "development": development},
                )
            )
        with open(place, "rb") as file:
            after = hashlib.file_digest(file, "sha256").hexdigest()
        label = work.label
        if self.records is not None:
            record = self.records.append(
                action="propagate",
                produce_id=label.propagate_id,
                origin_id=label.produce_id or None,
                payload=None,
                sha256_before=done.sha256_before,
                sha256_after=after,
                media=done.media,
                layers=[one.layer for one in layers],
                service="other",
                jurisdictions=(),
                software=f"synthmark {__version__}",
                target=done.target and Path(done.target).name,
                manifest=work.manifest,
            )
            layers.append(
                LayerResult(
                    layer=Layer.RECORD,
                    written=True,
                    detail={"sequence": record.sequence, "hash": record.hash},
                )
            )
        return replace(
            done,
            label=label,
            layers=tuple(layers),
            sha256_after=after,
            notes=tuple(dict.fromkeys(work.notes)),
        )


def _earlier(report: Report) -> tuple[AigcLabel | None, list[str]]:
    """Return the label whose producer's part stays, and what is to be said of it.

    A label that is not well formed may have been altered: then the one under an intact
    signature takes its place, where there is one.
    """
    notes = [f"{one.kind} {one.layer}: {one.reason}" for one in report.findings]
    aigc, c2pa = report.layer(Layer.AIGC), report.layer(Layer.C2PA)
    found = aigc.detail.get("label")
    intact = c2pa.state in (State.TRUSTED, State.UNTRUSTED)
    if intact and c2pa.detail["label"] and aigc.state is not State.PRESENT:
        found = c2pa.detail["label"]
    elif aigc.state in (State.MALFORMED, State.CONFLICTING):
        notes.append("the label in the file is not to be relied on and was not kept")
        found = None
    return (AigcLabel(**found) if found else None), notes


def _refuse_other_format(path: Path | None, target: Path | None) -> None:
    if path and target and path.suffix.lower() != target.suffix.lower():
        raise UsageError(
            "a propagated file keeps its format",
            hint=f"End the name in {path.suffix}.",
            path=target,
        )


def _claim(title: str, label: AigcLabel) -> Claim:
    return Claim(
        title=title,
        label=label,
        payload=None,
        mark_scheme=None,
        software_agent="synthmark",
        software_agent_version=__version__,
        when=datetime.now(UTC),
        generator_version=__version__,
        relabels=True,
    )
