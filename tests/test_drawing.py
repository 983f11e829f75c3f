"""Drawings on their way through the layers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synthmark.labeling.errors import UnsupportedFormat
from synthmark.labeling.model import Layer, Media, State

SPACE = 'xmlns="http://www.w3.org/2000/svg"'
SHAPES = '<rect width="50" height="40" fill="teal"/>'
DRAWING = f'<svg {SPACE} viewBox="0 0 400 300">{SHAPES}</svg>'.encode()
DRAWINGS = {
    "plain": DRAWING,
    "marked": b"\xef\xbb\xbf" + DRAWING,
    "empty": f'<?xml version="1.0"?>\n<svg {SPACE} width="9mm" height="8mm"/>'.encode(),
    "styled": DRAWING.replace(b"<rect", b"<style>*{opacity:0}</style><rect"),
    "doctype": b'<!DOCTYPE svg PUBLIC "a" "http://a/b.dtd">\n' + DRAWING,
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_every_layer_that_a_drawing_can_hold_reads_back(studio: Any, name: str) -> None:
    result = studio.labeler.label(DRAWINGS[name])
    assert result.complete
    assert (result.media, result.media_type) == (Media.IMAGE, "image/svg+xml")
    report = studio.detect(result.content)
    states = {one.layer: one.state for one in report.evidence}
    assert states == {
        Layer.NOTICE: State.PRESENT,
        Layer.MARK: State.UNSUPPORTED,
        Layer.AIGC: State.PRESENT,
        Layer.IPTC: State.PRESENT,
        Layer.C2PA: State.TRUSTED,
        Layer.RECORD: State.PRESENT,
    }
    (notice,) = report.layer(Layer.NOTICE).detail["notices"]
    assert notice["height_fraction"] == pytest.approx(0.05, rel=1e-3)
    assert report.verdict == "confirmed"
    assert report.produce_id == result.produce_id
    assert report.findings == ()


def test_labeling_twice_leaves_one_of_each_and_the_history(studio: Any) -> None:
    once = studio.labeler.label(DRAWING)
    twice = studio.labeler.label(once.content)
    report = studio.detect(twice.content)
    assert len(report.layer(Layer.NOTICE).detail["notices"]) == 1
    assert len(report.layer(Layer.AIGC).detail["places"]) == 1
    assert report.produce_id == twice.produce_id != once.produce_id
    assert twice.layer(Layer.C2PA).detail["action"] == "c2pa.opened"
    assert twice.content.count(b"<c2pa:manifest") == 1
    assert SHAPES.encode() in twice.content


def test_a_changed_or_covered_drawing_is_told(studio: Any) -> None:
    labeled = studio.labeler.label(DRAWING).content
    changed = studio.detect(labeled.replace(b"teal", b"pink"))
    assert changed.layer(Layer.C2PA).state is State.TAMPERED
    covered = studio.detect(labeled.replace(b"</svg></svg>", b"</svg><rect/></svg>"))
    assert covered.layer(Layer.NOTICE).state is State.ABSENT
    assert {"altered", "hidden"} <= {one.kind for one in covered.findings}


def test_elements_with_a_prefix_get_no_manifest(studio: Any) -> None:
    prefixed = b'<s:svg xmlns:s="http://www.w3.org/2000/svg" width="400" height="300"/>'
    result = studio.labeler.label(prefixed)
    assert result.layer(Layer.C2PA).reason == "unsupported"
    assert any("prefix" in note for note in result.notes)
    report = studio.detect(result.content)
    assert report.layer(Layer.NOTICE).state is State.PRESENT
    assert report.layer(Layer.AIGC).state is State.PRESENT


def test_hostile_manifests_are_not_parsed(studio: Any) -> None:
    labeled = studio.labeler.label(DRAWING).content
    start = labeled.index(b"<c2pa:manifest>") + len(b"<c2pa:manifest>")
    for noise in (b"<!-- -->", b"*", b"&#65;"):
        report = studio.detect(labeled[:start] + noise + labeled[start:])
        assert report.layer(Layer.C2PA).state is State.MALFORMED


def test_the_notice_of_others_is_read(studio: Any) -> None:
    text = '<text x="300" y="290" font-size="20">AI生成</text>'.encode()
    report = studio.detect(DRAWING.replace(b"<rect", text + b"<rect"))
    (notice,) = report.layer(Layer.NOTICE).detail["notices"]
    assert (notice["text"], notice["place"]) == ("AI生成", "bottom-right")
    assert report.verdict == "suspected"


def test_a_drawing_stays_one(studio: Any, tmp_path: Path) -> None:
    source = tmp_path / "a.svg"
    source.write_bytes(DRAWING)
    assert studio.labeler.label(source, tmp_path / "b.svg").complete
    for name in ("b.png", "b.html"):
        with pytest.raises(UnsupportedFormat):
            studio.labeler.label(source, tmp_path / name)


def test_the_command_line_labels_checks_and_detects(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "a.svg").write_bytes(DRAWING)
    ran = run("label", "a.svg")
    assert ran.code == 0, ran.err
    assert "contrast" in ran.out
    ran = run("detect", "a.labeled.svg")
    assert ran.code == 0
    assert "5.0%" in ran.out
    (tmp_path / "b.svg").write_bytes(
        DRAWING.replace(
            b"</svg>",
            '<text x="300" y="290" font-size="20">AI生成</text></svg>'.encode(),
        )
    )
    assert run("check", "a.labeled.svg").code == 0
    assert run("check", "b.svg").code == 7
