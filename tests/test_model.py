"""The shared types: results that turn into JSON and can be asked by layer."""

from __future__ import annotations

import json

import pytest

from synthmark.labeling.model import (
    Evidence,
    Finding,
    FindingKind,
    LabelResult,
    Layer,
    LayerResult,
    Media,
    Reason,
    Report,
    State,
    Verdict,
)
from synthmark.labeling.payload import Payload

EVIDENCE = Evidence(
    layer=Layer.MARK,
    state=State.PRESENT,
    detail={"spans": ((0, 1), (2, 3)), "state": State.PRESENT, "p_value": 1e-9},
)
REPORT = Report(
    file="图.png",
    media=Media.IMAGE,
    sha256="a" * 64,
    verdict=Verdict.CONFIRMED,
    payload=Payload(issuer=7, serial=9),
    produce_id=None,
    evidence=(EVIDENCE,),
    findings=(
        Finding(
            kind=FindingKind.REMOVED,
            layer=Layer.AIGC,
            reason=Reason.ABSENT_THOUGH_RECORDED,
        ),
    ),
)


def result(*layers: LayerResult) -> LabelResult:
    return LabelResult(
        source=None,
        target="out.png",
        media=Media.IMAGE,
        media_type="image/png",
        payload=None,
        produce_id="item-1",
        service="other",
        jurisdictions=("cn",),
        layers=layers,
        sha256_before="a" * 64,
        sha256_after="b" * 64,
        content=b"the labeled file",
    )


def test_a_report_is_json_that_says_everything() -> None:
    data = json.loads(json.dumps(REPORT.to_dict()))
    assert data["verdict"] == "confirmed"
    assert data["payload"] == {
        "hex": "0000070000000009",
        "version": 0,
        "issuer": 7,
        "serial": 9,
    }
    assert data["produce_id"] is None
    assert data["evidence"] == [
        {
            "layer": "mark",
            "state": "present",
            "detail": {
                "spans": [[0, 1], [2, 3]],
                "state": "present",
                "p_value": 1e-9,
            },
        }
    ]
    assert data["findings"] == [
        {"kind": "removed", "layer": "aigc", "reason": "absent_though_recorded"}
    ]


def test_evidence_is_found_by_its_layer() -> None:
    assert REPORT.layer(Layer.MARK) is EVIDENCE


def test_a_label_is_complete_when_every_layer_is() -> None:
    mark = LayerResult(layer=Layer.MARK, written=True)
    c2pa = LayerResult(layer=Layer.C2PA, written=False, reason="no certificate")
    assert result(mark).complete
    assert not result(mark, c2pa).complete
    assert result(mark, c2pa).layer(Layer.C2PA).reason == "no certificate"


@pytest.mark.parametrize("written", [True, False])
def test_a_result_is_json_without_the_content(written: bool) -> None:
    data = result(LayerResult(layer=Layer.MARK, written=written)).to_dict()
    text = json.dumps(data)
    assert "labeled file" not in text
    assert "content" not in data
    assert data["complete"] is written
    assert "labeled file" not in repr(result())
