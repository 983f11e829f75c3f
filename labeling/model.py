"""The frozen types that every room shares.

Arrays are always (height, width) or (height, width, channel), uint8 unless said
otherwise. Boxes and offsets are in pixels of the picture as it is displayed, x to
the right and y down.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any

from .payload import Payload

__all__ = [
    "AIGC_FIELDS",
    "EXEMPT",
    "SCHEMA_VERSION",
    "UNSUPPORTED",
    "AigcLabel",
    "Box",
    "Detection",
    "Evidence",
    "Finding",
    "FindingKind",
    "LabelResult",
    "Layer",
    "LayerResult",
    "Media",
    "Propagation",
    "Reason",
    "Report",
    "State",
    "Transform",
    "Verdict",
    "to_dict",
]

SCHEMA_VERSION = 1

UNSUPPORTED = "unsupported"
"""Why a layer was not written: files of this format cannot hold it."""

EXEMPT = "exempt"
"""Why a notice was not written: its user asked for that (Labeling Measures, Art. 9)."""

AIGC_FIELDS = {
    "Label": "label",
    "ContentProducer": "content_producer",
    "ProduceID": "produce_id",
    "ReservedCode1": "reserved_code_1",
    "ContentPropagator": "content_propagator",
    "PropagateID": "propagate_id",
    "ReservedCode2": "reserved_code_2",
}
"""Keys of the AIGC label in the order of GB 45438-2025, annex E b), and the attributes
of `AigcLabel` behind them."""


class Media(StrEnum):
    """Kinds of media."""

    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    TEXT = "text"


class Layer(StrEnum):
    """The layers of a label, from the outside in."""

    NOTICE = "notice"
    MARK = "mark"
    AIGC = "aigc"
    IPTC = "iptc"
    C2PA = "c2pa"
    RECORD = "record"


class State(StrEnum):
    """What a layer shows; each layer uses the values that make sense for it."""

    PRESENT = "present"
    ABSENT = "absent"
    # mark: a mark is there, but its payload cannot be read
    UNREADABLE = "unreadable"
    # metadata: there is a label, but not a well-formed one, or several
    MALFORMED = "malformed"
    CONFLICTING = "conflicting"
    # manifest
    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    TAMPERED = "tampered"
    # this layer cannot be looked for in this file, or was not asked for
    UNSUPPORTED = "unsupported"
    NOT_CHECKED = "not_checked"


class Verdict(StrEnum):
    """What the layers together say (Labeling Measures, Art. 6)."""

    CONFIRMED = "confirmed"
    POSSIBLE = "possible"
    SUSPECTED = "suspected"
    NONE = "none"


class FindingKind(StrEnum):
    """How a label was interfered with (Provisions Art. 18; Measures Art. 10)."""

    REMOVED = "removed"
    ALTERED = "altered"
    HIDDEN = "hidden"
    FORGED = "forged"
    COPIED = "copied"


class Reason(StrEnum):
    """What a finding rests on."""

    MANIFEST_BROKEN = "manifest_broken"
    LABEL_MALFORMED = "label_malformed"
    LABELS_CONFLICT = "labels_conflict"
    LABEL_IS_NOT_THE_SIGNED_ONE = "label_is_not_the_signed_one"
    PAYLOAD_IS_NOT_THE_BOUND_ONE = "payload_is_not_the_bound_one"
    LABEL_IS_NOT_SIGNED_BY_ITS_PROVIDER = "label_is_not_signed_by_its_provider"
    NUMBER_IS_NOT_THE_RECORDED_ONE = "number_is_not_the_recorded_one"
    CONTENT_IS_NOT_THE_RECORDED_ONE = "content_is_not_the_recorded_one"
    MARK_OF_RECORDED_ITEM_ABSENT = "mark_of_recorded_item_absent"
    ABSENT_THOUGH_MARKED = "absent_though_marked"
    ABSENT_THOUGH_RECORDED = "absent_though_recorded"
    COVERED = "covered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle inside a picture, in pixels."""

    left: int
    top: int
    width: int
    height: int

    def overlaps(self, other: Box) -> bool:
        """Tell whether there is a pixel that lies in both."""
        return (
            self.left < other.left + other.width
            and other.left < self.left + self.width
            and self.top < other.top + other.height
            and other.top < self.top + self.height
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Transform:
    """What happened to the marked picture, as far as the mark shows it.

    Parameters
    ----------
    rotation_deg : float
        Counter-clockwise rotation, -180 to 180.
    scale_x, scale_y : float
        Pixels of this picture for each canonical pixel of the mark, along the axes
        that the picture had when it was marked. Their ratio shows a change of shape;
        the original size is not known to the mark.
    flipped : bool
        Whether it was mirrored (left to right, before the rotation).
    matrix : tuple of float
        Row-major 2x2 map from the mark's tile coordinates (canonical pixels) to
        pixels of this picture.
    offset : tuple of float
        Where a corner of a tile lies in this picture: x and y in pixels.
    """

    rotation_deg: float
    scale_x: float
    scale_y: float
    flipped: bool
    matrix: tuple[float, float, float, float]
    offset: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """Result of looking for an invisible mark.

    Parameters
    ----------
    found : bool
        Whether a mark of one of the keys is there.
    payload : Payload or None
        The payload, when it could be read. None with `found` means presence only.
    p_value : float
        Bound on the chance that an unmarked input, or one marked with another key,
        gives this result, over everything that was searched; 1 when nothing speaks
        for a mark.
    score : float
        Normalized correlation between the soft values and the decoded codeword,
        0 to 1.
    key_id : str or None
        `Key.id` of the key that found the mark.
    scheme : str
        Versioned name of the mark, for example ``"image-lattice/1"``.
    transform : Transform or None
        The geometry that was undone.
    spans : tuple of (float, float) or None
        Of a sound or video, where it carries the mark: start and end in seconds, in
        order.
    """

    found: bool
    payload: Payload | None
    p_value: float
    score: float
    scheme: str
    key_id: str | None = None
    transform: Transform | None = None
    spans: tuple[tuple[float, float], ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AigcLabel:
    """The seven values of the AIGC metadata label (GB 45438-2025, annex E).

    Parameters
    ----------
    label : str
        ``"1"`` is generated, ``"2"`` may be generated, ``"3"`` is suspected to be.
    content_producer, produce_id : str
        Name or code of the generating provider, and its unique number for the item.
    content_propagator, propagate_id : str
        The same two for the provider that spreads the item.
    reserved_code_1, reserved_code_2 : str
        Integrity data of producer and propagator.
    """

    label: str
    content_producer: str
    produce_id: str
    reserved_code_1: str = ""
    content_propagator: str = ""
    propagate_id: str = ""
    reserved_code_2: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What one layer of a file shows.

    Parameters
    ----------
    layer : Layer
        The layer that was read.
    state : State
        What it shows.
    detail : Mapping
        The facts behind it, of JSON types only; keys depend on the layer and are
        listed in ``docs/json.md``.
    """

    layer: Layer
    state: State
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A disagreement between layers, or damage to one of them."""

    kind: FindingKind
    layer: Layer
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that `detect` found out about one file."""

    file: str | None
    media: Media
    sha256: str
    verdict: Verdict
    payload: Payload | None
    produce_id: str | None
    evidence: tuple[Evidence, ...]
    findings: tuple[Finding, ...]

    def layer(self, layer: Layer) -> Evidence:
        """Return the evidence of one layer."""
        return next(item for item in self.evidence if item.layer is layer)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON types."""
        return {**to_dict(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerResult:
    """Whether one layer was written, and if not, why.

    Parameters
    ----------
    reason : str
        The code of the error that kept it from being written, for example
        ``"too_small_for_mark"``, or ``"unsupported"`` where files of this format
        cannot hold it, or ``"exempt"``.
    """

    layer: Layer
    written: bool
    reason: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelResult:
    """What `label` did to one file.

    Parameters
    ----------
    source, target : str or None
        Paths, where it came from one and went to one.
    content : bytes
        The labeled file; empty for a sound or video that went to a path.
    sidecar : bytes
        The manifest of a file that has no place for one, where that was asked for.
    complete : bool
        Whether every layer that is due, and that the format can hold, was written
        and read back.
    notes : tuple of str
        What a careful user wants to know: conversions, replaced broken parts.
    """

    source: str | None
    target: str | None
    media: Media
    media_type: str
    payload: Payload | None
    produce_id: str
    service: str
    jurisdictions: tuple[str, ...]
    layers: tuple[LayerResult, ...]
    sha256_before: str
    sha256_after: str
    notes: tuple[str, ...] = ()
    content: bytes = field(default=b"", repr=False)
    sidecar: bytes = field(default=b"", repr=False)

    @property
    def complete(self) -> bool:
        """Whether every layer was written that is due and that the format can hold."""
        return all(
            layer.written or layer.reason in (EXEMPT, UNSUPPORTED)
            for layer in self.layers
        )

    def layer(self, layer: Layer) -> LayerResult | None:
        """Return the result of one layer; None for one that is not due."""
        return next((item for item in self.layers if item.layer is layer), None)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON types, without the content."""
        return {**to_dict(self), "complete": self.complete}


@dataclass(frozen=True, slots=True, kw_only=True)
class Propagation:
    """What `propagate` did to one file.

    Parameters
    ----------
    source, target : str or None
        Paths, where it came from one and went to one.
    media : Media
    verdict : Verdict
        What the file was found to be, a declaration included. For ``none`` there is
        nothing to add, and no file was written.
    label : AigcLabel or None
        The label that the file has now.
    layers : tuple of LayerResult
        What was written: the label, a manifest, the record.
    sha256_before, sha256_after : str
        Digests of the file; the second is empty when none was written.
    notes : tuple of str
        What a careful user wants to know.
    content : bytes
        The file; empty when it went to a path, or when none was written.
    """

    source: str | None
    target: str | None
    media: Media
    verdict: Verdict
    label: AigcLabel | None
    layers: tuple[LayerResult, ...]
    sha256_before: str
    sha256_after: str
    notes: tuple[str, ...] = ()
    content: bytes = field(default=b"", repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON types, without the content."""
        return {**to_dict(self)}


def to_dict(value: Any) -> Any:
    """Turn a value made of this module's types into JSON types; drop bytes."""
    if isinstance(value, Payload):
        return {
            "hex": str(value),
            "version": value.version,
            "issuer": value.issuer,
            "serial": value.serial,
        }
    if dataclasses.is_dataclass(value):
        return {
            item.name: to_dict(getattr(value, item.name))
            for item in dataclasses.fields(value)
            if not isinstance(getattr(value, item.name), bytes)
        }
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): to_dict(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_dict(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    return value
