"""From evidence to a verdict: what the layers say together, and where they disagree.

The four verdicts are those of the Labeling Measures, Art. 6:

=========== =================================================================
confirmed   the file's own metadata states that it is generated: a well-formed
            AIGC label with the value 1, or an intact manifest of a trusted
            signer that names an AI source type
possible    the AIGC label says "may be" (2)
suspected   no such statement, but a trace: a notice, or a text that looks like
            one, a mark, an AIGC label that says "suspected" (3) or is not well
            formed, an IPTC source type of AI, or a manifest with one that is
            not trusted or not intact
none        nothing was found, which does not prove that nothing was there
=========== =================================================================

A record that only the content leads to counts for nothing here: what looks like a
recorded item may be the photograph that the item was made from.

There is no score: a mark or a signature is proof, a notice is a signal, an
unsigned field is a claim that anybody can write. A text that looks like a notice
may be anybody's: it is a trace, but does not stand in for a notice that was recorded
and is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .framing import is_whole
from .model import Evidence, Finding, FindingKind, Layer, Reason, State, Verdict

__all__ = ["findings", "verdict"]

AI_SOURCE_TYPES = frozenset(
    {
        "trainedAlgorithmicMedia",
        "compositeWithTrainedAlgorithmicMedia",
        "compositeSynthetic",
        "algorithmicMedia",
    }
)
LABELS = {
    "1": Verdict.CONFIRMED,
    "2": Verdict.POSSIBLE,
    "3": Verdict.SUSPECTED,
}
_BORROWED = {
    Reason.CONTENT_IS_NOT_THE_RECORDED_ONE,
    Reason.MARK_OF_RECORDED_ITEM_ABSENT,
}
_NOT_ITSELF = ("original", "fingerprint")
STRENGTH = (Verdict.NONE, Verdict.SUSPECTED, Verdict.POSSIBLE, Verdict.CONFIRMED)


def verdict(evidence: Iterable[Evidence]) -> Verdict:
    """Return the strongest verdict that a layer supports."""
    return max((_alone(item) for item in evidence), key=STRENGTH.index)


def _alone(item: Evidence) -> Verdict:
    """Return what one layer supports by itself."""
    if item.detail.get("notice_like"):
        return Verdict.SUSPECTED
    if item.state in (State.ABSENT, State.NOT_CHECKED, State.UNSUPPORTED):
        return Verdict.NONE
    if item.layer is Layer.AIGC and item.state is State.PRESENT:
        return LABELS[item.detail["label"]["label"]]
    if item.layer is Layer.IPTC and not _names_ai(item):
        return Verdict.NONE
    if item.layer is Layer.RECORD and item.detail.get("found_by") == "fingerprint":
        return Verdict.NONE
    if item.layer is Layer.C2PA:
        if not _names_ai(item):
            return Verdict.NONE
        trusted = item.state is State.TRUSTED
        return Verdict.CONFIRMED if trusted else Verdict.SUSPECTED
    return Verdict.SUSPECTED


def _names_ai(item: Evidence) -> bool:
    types = item.detail.get("source_types", ())
    return any(value.rsplit("/", 1)[-1] in AI_SOURCE_TYPES for value in types)


def findings(evidence: Iterable[Evidence]) -> tuple[Finding, ...]:
    """Return how the label was interfered with, most serious first."""
    layers = {item.layer: item for item in evidence}
    found = [*_altered(layers), *_unsigned(layers[Layer.AIGC])]
    record = layers[Layer.RECORD].detail
    # A file whose digest is in the log is whole, as it was labeled or before that; and
    # what only looks like a recorded item may be the photograph that it was made from.
    if not (record.get("same_bytes") or record.get("found_by") in _NOT_ITSELF):
        found += [*_copied(layers)] or [*_forged(layers)]
        # The record that a borrowed label leads to says nothing of this picture.
        if not _BORROWED & {one.reason for one in found}:
            found += [*_removed(layers), *_hidden(layers)]
    return tuple(found)


def _altered(layers: dict[Layer, Evidence]) -> Iterator[Finding]:
    c2pa, aigc, mark = layers[Layer.C2PA], layers[Layer.AIGC], layers[Layer.MARK]
    if c2pa.state in (State.TAMPERED, State.MALFORMED):
        yield _finding(FindingKind.ALTERED, c2pa, Reason.MANIFEST_BROKEN)
    if aigc.state is State.MALFORMED:
        yield _finding(FindingKind.ALTERED, aigc, Reason.LABEL_MALFORMED)
    if aigc.state is State.CONFLICTING:
        yield _finding(FindingKind.ALTERED, aigc, Reason.LABELS_CONFLICT)
    signed, found = c2pa.detail.get("label"), aigc.detail.get("label")
    if signed and found and signed != found:
        yield _finding(FindingKind.ALTERED, aigc, Reason.LABEL_IS_NOT_THE_SIGNED_ONE)
    bound, read = c2pa.detail.get("payload"), mark.detail.get("payload")
    if bound and read and bound != read:
        yield _finding(FindingKind.ALTERED, mark, Reason.PAYLOAD_IS_NOT_THE_BOUND_ONE)


def _unsigned(aigc: Evidence) -> Iterator[Finding]:
    """Name a label of a provider whose key is known, and is not the one behind it."""
    if any(seal["integrity"] == "failed" for seal in aigc.detail.get("seals", ())):
        reason = Reason.LABEL_IS_NOT_SIGNED_BY_ITS_PROVIDER
        yield _finding(FindingKind.FORGED, aigc, reason)


def _copied(layers: dict[Layer, Evidence]) -> Iterator[Finding]:
    """Name a mark or label that was made for another content."""
    record = layers[Layer.RECORD].detail
    if (record.get("likeness") or {}).get("same") is False:
        borrowed = Layer.MARK if record["found_by"] == "payload" else Layer.AIGC
        reason = Reason.CONTENT_IS_NOT_THE_RECORDED_ONE
        yield _finding(FindingKind.COPIED, layers[borrowed], reason)


def _forged(layers: dict[Layer, Evidence]) -> Iterator[Finding]:
    record, aigc, mark = layers[Layer.RECORD], layers[Layer.AIGC], layers[Layer.MARK]
    label = aigc.detail.get("label")
    if record.state is not State.PRESENT or not label:
        return
    if _origin(record) != label["produce_id"]:
        yield _finding(FindingKind.FORGED, aigc, Reason.NUMBER_IS_NOT_THE_RECORDED_ONE)
    elif record.detail["payload"] and mark.state is State.ABSENT:
        yield _finding(FindingKind.FORGED, aigc, Reason.MARK_OF_RECORDED_ITEM_ABSENT)


def _origin(record: Evidence) -> str:
    """Return the producer's number of a recorded item; empty for an unknown one."""
    spread = record.detail["action"] == "propagate"
    return record.detail["origin_id" if spread else "produce_id"] or ""


def _removed(layers: dict[Layer, Evidence]) -> Iterator[Finding]:
    """Name what the mark or the record says must have been there."""
    record, mark = layers[Layer.RECORD], layers[Layer.MARK]
    if record.state is State.PRESENT:
        written = set(record.detail["layers"])
        reason = Reason.ABSENT_THOUGH_RECORDED
    elif mark.state is State.PRESENT:
        written = {Layer.AIGC}
        reason = Reason.ABSENT_THOUGH_MARKED
    else:
        return
    for layer in (Layer.AIGC, Layer.C2PA):
        if layer in written and layers[layer].state is State.ABSENT:
            yield _finding(FindingKind.REMOVED, layers[layer], reason)


def _hidden(layers: dict[Layer, Evidence]) -> Iterator[Finding]:
    record, notice = layers[Layer.RECORD], layers[Layer.NOTICE]
    if (
        record.state is State.PRESENT
        and Layer.NOTICE in record.detail["layers"]
        and notice.state is State.ABSENT
    ):
        reason = Reason.ABSENT_THOUGH_RECORDED
        written, mark = record.detail["notice"], layers[Layer.MARK].detail
        if written and is_whole(notice.detail["extent"], written, mark):
            reason = Reason.COVERED
        yield _finding(FindingKind.HIDDEN, notice, reason)


def _finding(kind: FindingKind, evidence: Evidence, reason: Reason) -> Finding:
    return Finding(kind=kind, layer=evidence.layer, reason=reason)
