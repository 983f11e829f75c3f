"""From evidence to a verdict: what the layers say together, and where they disagree.

The four verdicts are those of the Labeling Measures, Art. 6:

=========== =================================================================
confirmed   the file's own metadata states that it is generated: a well-formed
            AIGC label with the value 1, or an intact manifest of a trusted
            signer that names an AI source type
possible    the AIGC label says "may be" (2)
suspected   no such statement, but a trace: a notice, a mark, an AIGC label
            that says "suspected" (3) or is not well formed, an IPTC source
            type, or a manifest that is not trusted or not intact
none        nothing was found, which does not prove that nothing was there
=========== =================================================================

There is no score: a mark or a signature is proof, a notice is a signal, an
unsigned field is a claim that anybody can write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .model import Evidence, Finding, FindingKind, Layer, State, Verdict

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
STRENGTH = (Verdict.NONE, Verdict.SUSPECTED, Verdict.POSSIBLE, Verdict.CONFIRMED)


def verdict(evidence: Iterable[Evidence]) -> Verdict:
    """Return the strongest verdict that a layer supports."""
    return max((_alone(item) for item in evidence), key=STRENGTH.index)


def _alone(item: Evidence) -> Verdict:
    """Return what one layer supports by itself."""
    if item.state in (State.ABSENT, State.NOT_CHECKED, State.UNSUPPORTED):
        return Verdict.NONE
    if item.layer is Layer.AIGC and item.state is State.PRESENT:
        return LABELS[item.detail["label"]["label"]]
    if item.layer is Layer.IPTC and not _names_ai(item):
        return Verdict.NONE
    if item.layer is Layer.C2PA:
        if not _names_ai(item):
            return Verdict.NONE
        trusted = item.state is State.TRUSTED
        return Verdict.CONFIRMED if trusted else Verdict.SUSPECTED
    if item.layer is Layer.RECORD:
        return Verdict.SUSPECTED
    return Verdict.SUSPECTED


def _names_ai(item: Evidence) -> bool:
    types = item.detail.get("source_types", ())
    return any(value.rsplit("/", 1)[-1] in AI_SOURCE_TYPES for value in types)


def findings(evidence: Iterable[Evidence]) -> tuple[Finding, ...]:
    """Return how the label was interfered with, most serious first."""
    layers = {item.layer: item for item in evidence}
    return tuple(
        [*_altered(layers), *_forged(layers), *_removed(layers), *_hidden(layers)]
    )


def _altered(layers: dict[Layer, Evidence]) -> Iterator[Finding]:
    c2pa, aigc, mark = layers[Layer.C2PA], layers[Layer.AIGC], layers[Layer.MARK]
    if c2pa.state in (State.TAMPERED, State.MALFORMED):
        yield _finding("altered", Layer.C2PA, f"the manifest is {c2pa.summary}")
    if aigc.state in (State.MALFORMED, State.CONFLICTING):
        yield _finding("altered", Layer.AIGC, f"the AIGC label is {aigc.summary}")
    signed, found = c2pa.detail.get("label"), aigc.detail.get("label")
    if signed and found and signed != found:
        yield _finding(
            "altered",
            Layer.AIGC,
            "the AIGC label in the metadata is not the one under the signature",
        )
    bound, read = c2pa.detail.get("payload"), mark.detail.get("payload")
    if bound and read and bound != read:
        yield _finding(
            "altered",
            Layer.MARK,
            "the mark's payload is not the one that the manifest is bound to",
        )


def _forged(layers: dict[Layer, Evidence]) -> Iterator[Finding]:
    record, aigc, mark = layers[Layer.RECORD], layers[Layer.AIGC], layers[Layer.MARK]
    label = aigc.detail.get("label")
    if record.state is not State.PRESENT or not label:
        return
    if record.detail["produce_id"] != label["produce_id"]:
        yield _finding(
            "forged",
            Layer.AIGC,
            f"the record of this item has the number {record.detail['produce_id']}, "
            f"the AIGC label claims {label['produce_id']}",
        )
    elif (
        record.detail["payload"] and mark.state is State.ABSENT
    ):
        yield _finding(
            "forged",
            Layer.AIGC,
            "the AIGC label claims an item of the log, but the item's mark is not in "
            "this picture",
        )


def _removed(layers: dict[Layer, Evidence]) -> Iterator[Finding]:
    """Name what the mark or the record says must have been there."""
    record, mark = layers[Layer.RECORD], layers[Layer.MARK]
    if record.state is State.PRESENT:
        written = {Layer(name) for name in record.detail["layers"]}
        why = "the record says it was written"
    elif mark.state is State.PRESENT:
        written = {Layer.AIGC}
        why = "the mark shows that the picture was labeled"
    else:
        return
    for layer in (Layer.AIGC, Layer.C2PA):
        if layer in written and layers[layer].state is State.ABSENT:
            yield _finding("removed", layer, f"{layers[layer].summary}, though {why}")


def _hidden(layers: dict[Layer, Evidence]) -> Iterator[Finding]:
    record, notice = layers[Layer.RECORD], layers[Layer.NOTICE]
    if (
        record.state is State.PRESENT
        and Layer.NOTICE in record.detail["layers"]
        and notice.state is State.ABSENT
    ):
        yield _finding(
            "hidden",
            Layer.NOTICE,
            "the notice is not seen, though the record says it was drawn: it may be "
            "cropped off, covered or too small",
        )


def _finding(kind: str, layer: Layer, reason: str) -> Finding:
    return Finding(kind=FindingKind(kind), layer=layer, reason=reason)
