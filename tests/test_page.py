"""The pages that people read."""

from __future__ import annotations

import string
import unicodedata
from typing import Any

import pytest

from synthmark.labeling import page
from synthmark.labeling.console import Language
from synthmark.labeling.errors import TooSmallForMark, TooSmallForNotice
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
from synthmark.labeling.words import WORDS

LABEL = {
    "label": "1",
    "content_producer": "acme",
    "produce_id": "n1",
    "content_propagator": "acme",
    "propagate_id": "n1",
}
SEAL = {"role": "producer", "algorithm": "sm2", "known": False}
PAYLOAD = {"hex": "00000700000001e2", "version": 0, "issuer": 7, "serial": 482}
TURNED = {"rotation_deg": -12.34, "flipped": True}
STRAIGHT = {"rotation_deg": 0.01, "flipped": False}
MARK = {"p_value": 2e-93, "keys": ["k"], "payload": PAYLOAD, "transform": STRAIGHT}
C2PA = {
    "signer_name": "Signer",
    "signer_organization": "Acme Ltd",
    "failures": ["assertion.dataHash.mismatch"],
    "detail": "broken box",
}
LIKE = {"text": "Made with AI", "height_fraction": 0.03, "as_ruled": False}
RECORD = {"sequence": 3, "time": "2026-01-02", "same_bytes": False}
SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"

# What the layers of a detection may show, and what must then be on their line.
SHOWN: list[tuple[str, str, dict[str, Any], list[str]]] = [
    (
        "notice",
        "present",
        {"notices": [{"text": "AI生成", "height_fraction": 0.0512}]},
        ["AI生成", "5.1%"],
    ),
    ("notice", "absent", {"notices": []}, []),
    ("notice", "absent", {"notices": [], "notice_like": []}, []),
    (
        "notice",
        "absent",
        {"notices": [], "notice_like": [LIKE, {**LIKE, "text": "AI合成"}]},
        ["Made with AI", "3.0%", "AI合成"],
    ),
    (
        "notice",
        "present",
        {
            "notices": [{"text": "AI生成", "height_fraction": 0.0512}],
            "notice_like": [LIKE],
        },
        ["“AI生成”", "5.1%", "Made with AI"],
    ),
    ("mark", "present", MARK, ["00000700000001e2", "2e-93"]),
    ("mark", "present", {**MARK, "transform": TURNED}, ["-12.3°"]),
    ("mark", "unreadable", {**MARK, "payload": None}, ["2e-93"]),
    (
        "mark",
        "absent",
        {"p_value": 1.0, "keys": ["k", "l"], "payload": None, "transform": None},
        ["2"],
    ),
    ("mark", "not_checked", {}, []),
    ("aigc", "present", {"label": LABEL}, ["acme", "n1"]),
    (
        "aigc",
        "present",
        {
            "label": {**LABEL, "content_propagator": "shop", "propagate_id": "p2"},
            "seals": [
                {**SEAL, "integrity": "verified"},
                {**SEAL, "integrity": "verified", "known": True},
                {**SEAL, "integrity": "unverifiable"},
                {**SEAL, "integrity": "failed"},
            ],
        },
        ["acme", "shop", "p2", "SM2"],
    ),
    ("aigc", "absent", {"label": None, "places": [], "problems": []}, []),
    (
        "aigc",
        "malformed",
        {"label": None, "places": ["XMP"], "problems": ["not JSON", "too long"]},
        ["not JSON, too long"],
    ),
    ("aigc", "conflicting", {"label": LABEL, "places": ["XMP", "EXIF"]}, ["2"]),
    ("aigc", "not_checked", {}, []),
    ("iptc", "present", {"source_types": [SOURCE]}, ["trainedAlgorithmicMedia"]),
    ("iptc", "absent", {"source_types": []}, []),
    ("iptc", "not_checked", {}, []),
    ("c2pa", "trusted", C2PA, ["Signer"]),
    ("c2pa", "untrusted", {**C2PA, "signer_name": ""}, ["Acme Ltd"]),
    ("c2pa", "tampered", C2PA, ["assertion.dataHash.mismatch"]),
    ("c2pa", "malformed", C2PA, ["broken box"]),
    ("c2pa", "absent", C2PA, []),
    ("c2pa", "unsupported", C2PA, []),
    ("c2pa", "not_checked", {}, []),
    ("record", "present", {**RECORD, "found_by": "payload"}, ["3", "2026-01-02"]),
    (
        "record",
        "present",
        {**RECORD, "found_by": "sha256", "same_bytes": True},
        ["3"],
    ),
    ("record", "present", {**RECORD, "found_by": "original"}, ["3"]),
    ("record", "absent", {}, []),
    ("record", "not_checked", {}, []),
]

WRITTEN: list[tuple[str, dict[str, Any], list[str]]] = [
    (
        "notice",
        {"text": "AI生成", "ink_height_px": 20, "contrast": 8.7},
        ["AI生成", "20", "8.7"],
    ),
    ("mark", {"scheme": "image-lattice/1", "psnr_db": 47.5}, ["image-lattice/1"]),
    ("aigc", {"place": "XMP", "producer": "maker"}, ["XMP", "maker"]),
    ("iptc", {"source_type": SOURCE}, ["trainedAlgorithmicMedia"]),
    ("c2pa", {"action": "c2pa.created", "development": False}, ["c2pa.created"]),
    ("record", {"sequence": 3, "hash": "0" * 64}, ["3"]),
]


def report(**values: Any) -> Report:
    evidence = [Evidence(layer=layer, state=State.ABSENT) for layer in Layer]
    mark = {"p_value": 1.0, "keys": ["k"], "payload": None, "transform": None}
    evidence[1] = Evidence(layer=Layer.MARK, state=State.ABSENT, detail=mark)
    defaults: dict[str, Any] = {
        "file": "a.png",
        "media": Media.IMAGE,
        "sha256": "0" * 64,
        "verdict": Verdict.NONE,
        "payload": None,
        "produce_id": None,
        "evidence": tuple(evidence),
        "findings": (),
    }
    return Report(**{**defaults, **values})


def result(**values: Any) -> LabelResult:
    defaults: dict[str, Any] = {
        "source": "a.png",
        "target": "a.labeled.png",
        "media": Media.IMAGE,
        "media_type": "image/png",
        "payload": None,
        "produce_id": "n1",
        "service": "other",
        "jurisdictions": ("cn",),
        "layers": (),
        "sha256_before": "0" * 64,
        "sha256_after": "1" * 64,
    }
    return LabelResult(**{**defaults, **values})


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def test_the_languages_of_the_command_line_are_those_of_the_pages() -> None:
    assert [language.value for language in Language] == list(page.LANGUAGES)
    assert set(WORDS) == set(page.LANGUAGES)


def test_both_languages_say_the_same() -> None:
    english, chinese = WORDS["en"], WORDS["zh"]
    assert english.keys() == chinese.keys()
    for key, text in english.items():
        assert fields(text) == fields(chinese[key]), key


@pytest.mark.parametrize("language", page.LANGUAGES)
def test_every_value_has_words(language: str) -> None:
    words = WORDS[language]
    for kind in (Verdict, Layer, FindingKind, Reason):
        assert all(words[value] for value in kind)
    # Why a layer may be missing.
    assert words[TooSmallForMark.code]
    assert words[TooSmallForNotice.code]


@pytest.mark.parametrize("language", page.LANGUAGES)
@pytest.mark.parametrize(
    ("layer", "state", "detail", "expected"),
    SHOWN,
    ids=[f"{layer} {state} {n}" for n, (layer, state, *_) in enumerate(SHOWN)],
)
def test_each_layer_has_a_line_for_what_it_shows(
    layer: str, state: str, detail: dict[str, Any], expected: list[str], language: str
) -> None:
    evidence = Evidence(layer=Layer(layer), state=State(state), detail=detail)
    _, line = page.report_page(
        report(verdict=Verdict.SUSPECTED, evidence=(evidence,)), language
    ).splitlines()
    name = WORDS[language][layer]
    assert line.strip().startswith(name)
    assert len(line.strip()) > len(name) + 1
    for text in expected:
        assert text in line
    assert "{" not in line


def test_every_state_of_every_layer_was_shown() -> None:
    shown = {f"{layer}.{state}" for layer, state, *_ in SHOWN}
    states = {f"{layer}.{state}" for layer in Layer for state in State}
    assert states & WORDS["en"].keys() <= shown


def test_how_a_record_was_found_is_told_where_it_matters() -> None:
    def line(**detail: Any) -> str:
        evidence = Evidence(
            layer=Layer.RECORD, state=State.PRESENT, detail={**RECORD, **detail}
        )
        return page.report_page(report(evidence=(evidence,))).splitlines()[1]

    assert "this very file" in line(found_by="payload", same_bytes=True)
    assert "the original before it was labeled" in line(found_by="original")
    assert line(found_by="payload").endswith("2026-01-02")


@pytest.mark.parametrize("language", page.LANGUAGES)
def test_a_page_names_the_file_the_verdict_and_each_finding(language: str) -> None:
    words = WORDS[language]
    findings = tuple(
        Finding(kind=FindingKind.REMOVED, layer=layer, reason=reason)
        for layer, reason in zip(Layer, Reason, strict=False)
    )
    lines = page.report_page(
        report(verdict=Verdict.POSSIBLE, findings=findings), language
    ).splitlines()
    assert lines[0] == f"a.png: {words['possible']}"
    told = [line for line in lines if line.startswith("  ! ")]
    assert len(told) == len(findings)
    for line, finding in zip(told, findings, strict=True):
        assert words["removed"] in line
        assert words[finding.layer] in line
        assert words[finding.reason] in line


@pytest.mark.parametrize("language", page.LANGUAGES)
def test_no_label_is_no_proof_and_the_page_says_so(language: str) -> None:
    note = WORDS[language]["none.note"]
    assert page.report_page(report(), language).splitlines()[-1].strip() == note
    assert note not in page.report_page(report(verdict=Verdict.CONFIRMED), language)


@pytest.mark.parametrize("language", page.LANGUAGES)
@pytest.mark.parametrize(("layer", "detail", "expected"), WRITTEN)
def test_each_written_layer_has_a_line(
    layer: str, detail: dict[str, Any], expected: list[str], language: str
) -> None:
    one = LayerResult(layer=Layer(layer), written=True, detail=detail)
    head, line = page.label_page(result(layers=(one,)), language).splitlines()
    assert head == f"a.labeled.png: {WORDS[language]['labeled']}"
    for text in expected:
        assert text in line


@pytest.mark.parametrize("language", page.LANGUAGES)
def test_a_missing_layer_and_its_reason_are_told(language: str) -> None:
    words = WORDS[language]
    for reason in ("too_small_for_mark", "too_small_for_notice", "mark_not_readable"):
        one = LayerResult(layer=Layer.MARK, written=False, reason=reason)
        head, line = page.label_page(result(layers=(one,)), language).splitlines()
        assert head == f"a.labeled.png: {words['incomplete']}"
        assert words[reason] in line


def test_a_development_certificate_is_called_what_it_is() -> None:
    detail = {"action": "c2pa.created", "development": True}
    one = LayerResult(layer=Layer.C2PA, written=True, detail=detail)
    assert "development only" in page.label_page(result(layers=(one,)))


def test_notes_are_on_the_page() -> None:
    text = page.label_page(result(notes=("16 bits per channel were reduced to 8",)))
    assert text.splitlines()[-1] == "  * 16 bits per channel were reduced to 8"


def test_what_has_no_file_is_named_by_a_dash() -> None:
    assert page.report_page(report(file=None)).startswith("-: ")
    assert page.label_page(result(source=None, target=None)).startswith("-: ")
    assert page.label_page(result(target=None)).startswith("a.png: ")


@pytest.mark.parametrize("language", page.LANGUAGES)
def test_the_texts_of_the_layers_stand_in_one_column(language: str) -> None:
    lines = page.report_page(report(), language).splitlines()[1:-1]
    words = WORDS[language]
    starts = set()
    for layer, line in zip(Layer, lines, strict=True):
        after = line.removeprefix(f"  {words[layer]}")
        starts.add(columns(line) - columns(after.lstrip(" ")))
    assert len(starts) == 1


@pytest.mark.parametrize(
    "text",
    ["a\nb", "a\r\nb", "\x1b[2J", "\x9b2J", "a\u202eb", "a\u2028b", "\udcff", "\x00"],
)
def test_texts_of_strangers_neither_break_lines_nor_steer_the_terminal(
    text: str,
) -> None:
    forged = Evidence(
        layer=Layer.IPTC, state=State.PRESENT, detail={"source_types": [text]}
    )
    for shown in (
        page.report_page(report(evidence=(forged,), file=text, verdict="possible")),
        page.label_page(result(target=text, notes=(text,))),
    ):
        assert len(shown.splitlines()) == 2
        assert all(line.isprintable() for line in shown.split("\n"))


def test_ordinary_names_are_shown_as_they_are() -> None:
    assert page.printable("肖像 №1 (ä).png") == "肖像 №1 (ä).png"
