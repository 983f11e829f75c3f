from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from synthmark.labeling.errors import MetadataError
from synthmark.labeling.metadata.aigc import (
    MAX_CHARACTERS,
    is_label,
    parse,
    to_json,
)
from synthmark.labeling.model import AigcLabel

# Annex E j): no blank, no backslash; the quote only as \".
legal = st.text(st.sampled_from([chr(c) for c in range(0x21, 0x7F) if chr(c) != "\\"]))
labels = st.builds(
    AigcLabel,
    label=st.sampled_from("123"),
    content_producer=legal.filter(bool),
    produce_id=legal.filter(bool),
    reserved_code_1=legal,
    content_propagator=legal,
    propagate_id=legal,
    reserved_code_2=legal,
)
PLAIN = (
    '{"Label":"1","ContentProducer":"p","ProduceID":"7","ReservedCode1":"",'
    '"ContentPropagator":"","PropagateID":"","ReservedCode2":""}'
)


def plain(**changes: object) -> str:
    return json.dumps({**json.loads(PLAIN), **changes}, ensure_ascii=False)


def test_text_is_exactly_as_the_standard_writes_it() -> None:
    label = AigcLabel(
        label="1",
        content_producer="a",
        produce_id='b"c',
        reserved_code_1="d",
        content_propagator="e",
        propagate_id="f",
        reserved_code_2="g",
    )
    assert to_json(label) == (
        '{"Label":"1","ContentProducer":"a","ProduceID":"b\\"c","ReservedCode1":"d",'
        '"ContentPropagator":"e","PropagateID":"f","ReservedCode2":"g"}'
    )


@given(labels)
def test_every_legal_label_reads_back(label: AigcLabel) -> None:
    text = to_json(label)
    wrapped = f'{{"AIGC":{text}}}'
    forms: list[str | bytes] = [
        text,
        wrapped,
        f"\ufeff {wrapped}\0",
        f"AIGC={text}",
        text.encode(),
        wrapped.encode("gb18030"),
        json.dumps(text),
        json.dumps(text)[1:-1],
        json.dumps({"AIGC": text}),
    ]
    for form in forms:
        parsed = parse(form)
        assert (parsed.label, parsed.problems) == (label, ())
        assert is_label(form.decode() if isinstance(form, bytes) else form)


def test_xml_escapes_that_were_left_in_are_understood() -> None:
    parsed = parse(PLAIN.replace('"', "&quot;"))
    assert parsed == parse(PLAIN.replace('"', "&#34;")) == parse(PLAIN)
    assert parsed.problems == ()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"content_producer": "某公司"}, "ContentProducer"),
        ({"content_producer": "a b"}, "ContentProducer"),
        ({"produce_id": "a\\b"}, "ProduceID"),
        ({"reserved_code_2": "a\x7f"}, "ReservedCode2"),
        ({"produce_id": 7}, "ProduceID"),
        ({"label": "4"}, "Label"),
        ({"label": ""}, "Label"),
        ({"content_producer": ""}, "ContentProducer"),
        ({"produce_id": ""}, "ProduceID"),
        ({"reserved_code_1": "x" * MAX_CHARACTERS}, str(MAX_CHARACTERS)),
    ],
)
def test_writer_refuses(changes: dict[str, str], complaint: str) -> None:
    values = {"label": "1", "content_producer": "p", "produce_id": "7", **changes}
    with pytest.raises(MetadataError, match=complaint):
        to_json(AigcLabel(**values))


def test_refused_name_comes_with_the_hint_to_use_the_code() -> None:
    label = AigcLabel(label="1", content_producer="某公司", produce_id="7")
    with pytest.raises(MetadataError) as caught:
        to_json(label)
    assert "provider code" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (plain(Label="4"), "Label is not 1, 2 or 3"),
        (plain(Label=1), "value of Label is not a string"),
        (plain(Label="AIGC"), "Label is not 1, 2 or 3"),
        (plain(ReservedCode1={"a": 1}), "value of ReservedCode1 is not a string"),
        (plain(Extra=""), "unknown key 'Extra'"),
        (plain(**{"\x1b[31m": ""}), r"unknown key '\x1b[31m'"),
        (
            plain(ContentProducer="某公司"),
            "value of ContentProducer has characters outside annex E j)",
        ),
        (plain(ProduceID=""), "ProduceID is empty"),
        (PLAIN.replace(',"ReservedCode2":""', ""), "missing key ReservedCode2"),
        (f'{{"AIGC":{PLAIN},"More":1}}', "unknown key 'More'"),
    ],
)
def test_reader_names_the_problem_and_keeps_the_values(text: str, problem: str) -> None:
    parsed = parse(text)
    assert parsed.label is not None
    assert parsed.label.propagate_id == ""
    assert parsed.problems == (problem,)


def test_values_of_other_types_are_read_as_their_text() -> None:
    label = parse(plain(Label=1, ReservedCode1={"a": "b"}, ReservedCode2=None)).label
    assert label is not None
    assert label.label == "1"
    assert label.reserved_code_1 == '{"a":"b"}'
    assert label.reserved_code_2 == ""


def test_who_only_suspects_need_not_know_the_producer() -> None:
    text = plain(Label="3", ContentProducer="", ProduceID="", ContentPropagator="x")
    assert parse(text).problems == ()


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.replace('"Label":"1"', '"Label":"1","Label":"2"'),
        f'{{"AIGC":{PLAIN},"AIGC":{PLAIN}}}',
    ],
)
def test_duplicate_keys_make_a_label_ambiguous(text: str) -> None:
    parsed = parse(text)
    assert parsed.label is None
    assert parsed.problems[0].startswith("duplicate key")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not JSON"),
        ("AIGC", "not JSON"),
        ("[1]", "not a JSON object"),
        ("{}", "none of the seven keys"),
        ('{"AIGC":[]}', "not a JSON object"),
        (PLAIN[:-1], "not JSON"),
        (PLAIN + "}", "not JSON"),
        (PLAIN.replace('"1"', "NaN"), "not JSON"),
        (PLAIN.replace('"1"', "9" * 5000), "not JSON"),
        ("[" * 60_000, "more than 256 brackets"),
        ("&#91;" * 10_000, "more than 256 brackets"),
        (json.dumps(json.dumps("[" * 5_000)), "more than 256 brackets"),
        (" " + "x" * 70_000, "longer than 65536 characters"),
        ('{"AIGC":' * 20 + PLAIN + "}" * 20, "none of the seven keys"),
    ],
)
def test_what_is_no_label_says_so(text: str, problem: str) -> None:
    parsed = parse(text)
    assert parsed.label is None
    assert parsed.problems == (problem,)


@given(st.text() | st.binary())
@example(b"\xff\xfe\x80")
@example('{"Label":"\\ud800"}')
def test_reader_survives_anything(content: str | bytes) -> None:
    label = parse(content).label
    if label is not None:
        label.label.encode()


@pytest.mark.parametrize(
    "text",
    [
        "made with AIGC tools",
        '{"prompt":"an AIGC label"}',
        '{"Label":"cat"}',
        "ContentProducer: somebody",
        "",
    ],
)
def test_ordinary_comments_are_not_taken_for_labels(text: str) -> None:
    assert not is_label(text)


def test_broken_label_is_still_taken_for_one() -> None:
    assert is_label('{"AIGC":{"Label":"1","Conte')
