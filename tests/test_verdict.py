"""From evidence to verdict: each verdict, each finding and what it rests on."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from synthmark.labeling.model import (
    Evidence,
    Finding,
    FindingKind,
    Layer,
    Reason,
    State,
    Verdict,
)
from synthmark.labeling.verdict import findings, verdict

TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
CAMERA = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
ONE = {"hex": "0000000000000001", "version": 0, "issuer": 0, "serial": 1}
TWO = {"hex": "0000000000000002", "version": 0, "issuer": 0, "serial": 2}


def label(value: str = "1", number: str = "n1", producer: str = "acme") -> Any:
    return {"label": value, "content_producer": producer, "produce_id": number}


def aigc(value: str = "1", number: str = "n1", **more: Any) -> Evidence:
    return evidence("aigc", "present", label=label(value, number, **more))


def sealed(integrity: str) -> Evidence:
    seal = {"role": "producer", "integrity": integrity}
    return evidence("aigc", "present", label=label(), seals=[seal])


def evidence(layer: str, state: str, **detail: Any) -> Evidence:
    return Evidence(layer=Layer(layer), state=State(state), detail=detail)


def record(
    number: str = "n1", payload: Any = ONE, found_by: str = "payload", **more: Any
) -> Evidence:
    layers = ["notice", "mark", "aigc", "iptc", "c2pa"]
    detail = {"produce_id": number, "payload": payload, "layers": layers}
    detail["action"] = "label"
    detail["notice"] = None
    return evidence(
        "record",
        "present",
        **{**detail, "found_by": found_by, "same_bytes": False, **more},
    )


OTHER = {"similarity": 0.1, "same": False, "p_value": 1.0}
NOTICE = evidence("notice", "present", notices=[{"text": "AI生成"}])
MARK = evidence("mark", "present", payload=ONE)
LIKE = evidence("notice", "absent", notices=[], notice_like=[{"text": "AI生成"}])
SIZE = {"width": 1024, "height": 724}
WIDER = {"width": 1400, "height": 724}
UNSEEN = evidence("notice", "absent", notices=[], extent={"medium": "image", **SIZE})
UPRIGHT = evidence(
    "mark",
    "present",
    payload=ONE,
    scheme="image-lattice/1",
    transform={
        "scale_x": 724 / 512,
        "scale_y": 724 / 512,
        "rotation_deg": 0.1,
        "flipped": False,
    },
)
NO_MARK = evidence("mark", "absent", payload=None)
IPTC = evidence("iptc", "present", source_types=[TRAINED])
MANIFEST = {"source_types": ["trainedAlgorithmicMedia"], "label": None, "payload": None}


def c2pa(state: str, **detail: Any) -> Evidence:
    return evidence("c2pa", state, **{**MANIFEST, **detail})


def with_layers(*given: Evidence) -> tuple[Evidence, ...]:
    """Complete some layers to all, the others absent."""
    layers = {item.layer: item for item in given}
    return tuple(layers.get(layer, evidence(layer, "absent")) for layer in Layer)


VERDICTS = {
    "nothing at all": ([], "none"),
    "an AIGC label says generated": ([aigc("1")], "confirmed"),
    "an AIGC label says possibly": ([aigc("2")], "possible"),
    "an AIGC label says suspected": ([aigc("3")], "suspected"),
    "a broken AIGC label": ([evidence("aigc", "malformed", label=None)], "suspected"),
    "two AIGC labels": ([evidence("aigc", "conflicting", label=label())], "suspected"),
    "a trusted manifest of AI": ([c2pa("trusted")], "confirmed"),
    "a trusted manifest of composites": (
        [c2pa("trusted", source_types=["compositeWithTrainedAlgorithmicMedia"])],
        "confirmed",
    ),
    "a trusted manifest of a camera": (
        [c2pa("trusted", source_types=["digitalCapture"])],
        "none",
    ),
    "a trusted manifest without source": ([c2pa("trusted", source_types=[])], "none"),
    "an unknown signer": ([c2pa("untrusted")], "suspected"),
    "a broken manifest of AI": ([c2pa("tampered")], "suspected"),
    "a broken manifest of a camera": (
        [c2pa("tampered", source_types=["digitalCapture"])],
        "none",
    ),
    "an unreadable manifest": ([c2pa("malformed", source_types=[])], "none"),
    "no manifest possible": ([evidence("c2pa", "unsupported")], "none"),
    "a notice": ([NOTICE], "suspected"),
    "a text like a notice": ([LIKE], "suspected"),
    "a label outweighs a text like a notice": ([LIKE, aigc("2")], "possible"),
    "a mark": ([MARK], "suspected"),
    "a mark that cannot be read": ([evidence("mark", "unreadable")], "suspected"),
    "no key for marks": ([evidence("mark", "not_checked")], "none"),
    "a source type of AI": ([IPTC], "suspected"),
    "a source type of a camera": (
        [evidence("iptc", "present", source_types=[CAMERA])],
        "none",
    ),
    "a record alone": ([record(found_by="original")], "suspected"),
    "a label outweighs a notice": ([NOTICE, aigc("2"), IPTC], "possible"),
    "a manifest outweighs a label": ([aigc("3"), c2pa("trusted")], "confirmed"),
    "a mark does not weaken a label": ([MARK, aigc("1")], "confirmed"),
    "everything": (
        [NOTICE, MARK, aigc(), IPTC, c2pa("trusted"), record()],
        "confirmed",
    ),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_verdict(case: str) -> None:
    given, expected = VERDICTS[case]
    assert verdict(with_layers(*given)) == expected


def test_every_verdict_has_a_case() -> None:
    assert {expected for _, expected in VERDICTS.values()} == set(Verdict)


def test_the_order_of_layers_plays_no_part() -> None:
    given = with_layers(NOTICE, aigc("2"))[:4]
    assert {verdict(order) for order in permutations(given)} == {Verdict.POSSIBLE}


GONE = [
    "removed aigc absent_though_recorded",
    "removed c2pa absent_though_recorded",
]
WHOLE = [NOTICE, MARK, aigc(), IPTC, c2pa("trusted", label=label(), payload=ONE)]

FINDINGS: dict[str, tuple[list[Evidence], list[str]]] = {
    "nothing at all": ([], []),
    "everything, unchanged": ([*WHOLE, record()], []),
    "everything, but nobody's log": (WHOLE, []),
    "a broken manifest": ([c2pa("tampered")], ["altered c2pa manifest_broken"]),
    "a mark that was made for another content": (
        [MARK, record(likeness=OTHER)],
        ["copied mark content_is_not_the_recorded_one"],
    ),
    "a label that was made for another content": (
        [aigc(), record(found_by="produce_id", likeness=OTHER)],
        ["copied aigc content_is_not_the_recorded_one"],
    ),
    "a mark on what cannot be compared": (
        [MARK, record(likeness={**OTHER, "same": None})],
        [*GONE, "hidden notice absent_though_recorded"],
    ),
    "what only looks like a recorded item": (
        [record(found_by="fingerprint", likeness={**OTHER, "same": True})],
        [],
    ),
    "an unreadable manifest": ([c2pa("malformed")], ["altered c2pa manifest_broken"]),
    "an unknown signer": ([c2pa("untrusted")], []),
    "a malformed label": (
        [evidence("aigc", "malformed", label=None)],
        ["altered aigc label_malformed"],
    ),
    "contradicting labels": (
        [evidence("aigc", "conflicting", label=label())],
        ["altered aigc labels_conflict"],
    ),
    "a label other than the signed one": (
        [aigc("1", producer="other"), c2pa("trusted", label=label())],
        ["altered aigc label_is_not_the_signed_one"],
    ),
    "a label edited after signing": (
        [aigc("3"), c2pa("tampered", label=label())],
        [
            "altered c2pa manifest_broken",
            "altered aigc label_is_not_the_signed_one",
        ],
    ),
    "a mark other than the bound one": (
        [MARK, c2pa("trusted", payload=TWO)],
        [
            "altered mark payload_is_not_the_bound_one",
            "removed aigc absent_though_marked",
        ],
    ),
    "a label of another item on a marked picture": (
        [NOTICE, MARK, aigc(number="n2"), c2pa("trusted"), record(number="n1")],
        ["forged aigc number_is_not_the_recorded_one"],
    ),
    "that, with the manifest gone and the notice cut off": (
        [MARK, aigc(number="n2"), record(number="n1")],
        [
            "forged aigc number_is_not_the_recorded_one",
            "removed c2pa absent_though_recorded",
            "hidden notice absent_though_recorded",
        ],
    ),
    "a label of a marked item on another picture": (
        [NO_MARK, aigc(), record(found_by="produce_id")],
        # That picture never had the notice and manifest of the record's item.
        ["forged aigc mark_of_recorded_item_absent"],
    ),
    "that, without a key to look for the mark": (
        [NOTICE, evidence("mark", "not_checked"), aigc(), c2pa("untrusted"), record()],
        [],
    ),
    "an item that was never marked": (
        [NOTICE, NO_MARK, aigc(), c2pa("trusted"), record(payload=None)],
        [],
    ),
    "the very file, though its mark is another key's and its notice unseen": (
        [NO_MARK, aigc(), c2pa("trusted"), record(same_bytes=True)],
        [],
    ),
    "the original, before it was labeled": ([NO_MARK, record(found_by="original")], []),
    "the original with a broken manifest of its own": (
        [c2pa("tampered"), record(found_by="original")],
        ["altered c2pa manifest_broken"],
    ),
    "metadata and manifest gone, by the record": ([NOTICE, MARK, record()], GONE),
    "metadata gone, by the mark alone": (
        [MARK],
        ["removed aigc absent_though_marked"],
    ),
    "a mark without its number proves no label": (
        [evidence("mark", "unreadable", payload=None)],
        [],
    ),
    "only what was written can be removed": (
        [MARK, record(layers=["mark", "aigc"])],
        ["removed aigc absent_though_recorded"],
    ),
    "a format that cannot hold a manifest lost none": (
        [NOTICE, MARK, aigc(), evidence("c2pa", "unsupported"), record()],
        [],
    ),
    "the notice gone": (
        [MARK, aigc(), c2pa("trusted"), record()],
        ["hidden notice absent_though_recorded"],
    ),
    "the notice gone from a frame that is whole": (
        [UNSEEN, UPRIGHT, aigc(), c2pa("trusted"), record(notice=SIZE)],
        ["hidden notice covered"],
    ),
    "the notice gone with a part of the frame": (
        [UNSEEN, UPRIGHT, aigc(), c2pa("trusted"), record(notice=WIDER)],
        ["hidden notice absent_though_recorded"],
    ),
    "the notice gone, another's in its place": (
        [LIKE, MARK, aigc(), c2pa("trusted"), record()],
        ["hidden notice absent_though_recorded"],
    ),
    "a notice that was never drawn": (
        [MARK, aigc(), c2pa("trusted"), record(layers=["mark", "aigc", "c2pa"])],
        [],
    ),
    "a label that its provider has not signed": (
        [sealed("failed")],
        ["forged aigc label_is_not_signed_by_its_provider"],
    ),
    "a label that somebody has signed in his own way": ([sealed("unverifiable")], []),
    "an item that this platform has spread": (
        [
            aigc(),
            record(
                "p1",
                None,
                "produce_id",
                action="propagate",
                origin_id="n1",
                layers=["aigc"],
            ),
        ],
        [],
    ),
    "an item of an unknown producer that this platform has spread": (
        [
            aigc("2", ""),
            record(
                "p1",
                None,
                "produce_id",
                action="propagate",
                origin_id=None,
                layers=["aigc"],
            ),
        ],
        [],
    ),
    "a spread item with the number of another": (
        [
            aigc(number="n2"),
            record(
                "p1",
                None,
                "sha256",
                action="propagate",
                origin_id="n1",
                layers=["aigc"],
            ),
        ],
        ["forged aigc number_is_not_the_recorded_one"],
    ),
    "everything gone but the mark": (
        [MARK, record()],
        [*GONE, "hidden notice absent_though_recorded"],
    ),
}


def written(finding: Finding) -> str:
    return f"{finding.kind} {finding.layer} {finding.reason}"


@pytest.mark.parametrize("case", FINDINGS)
def test_findings(case: str) -> None:
    given, expected = FINDINGS[case]
    assert [written(one) for one in findings(with_layers(*given))] == expected


def test_every_reason_and_kind_has_a_case() -> None:
    words = " ".join(one for _, expected in FINDINGS.values() for one in expected)
    seen = set(words.split())
    assert set(Reason) <= seen
    assert set(FindingKind) - {FindingKind.COPIED} <= seen
