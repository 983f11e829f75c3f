"""The label in drawings, with lxml as a second opinion."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from synthmark.labeling.errors import DamagedMedia, MediaError, MediaTooLarge
from synthmark.labeling.metadata.image import read, write
from synthmark.labeling.metadata.svg import is_svg, replace_xmp
from synthmark.labeling.model import AigcLabel, State

LABEL = AigcLabel(label="1", content_producer="acme", produce_id="<&7>")
OTHER = AigcLabel(label="1", content_producer="acme", produce_id="8")
SPACE = 'xmlns="http://www.w3.org/2000/svg"'
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
CC = '<rdf:RDF><cc:Work rdf:about=""><cc:license>né</cc:license></cc:Work></rdf:RDF>'
DECLARED = f'xmlns:rdf="{RDF}" xmlns:cc="http://creativecommons.org/ns#"'

DRAWINGS = {
    "empty": f'<svg {SPACE} width="9" a="/>"/>',
    "plain": f'<?xml version="1.0"?>\n<!-- a > b -->\n<svg {SPACE}>\r\n<rect/></svg>\n',
    "doctype": f'<!DOCTYPE svg PUBLIC "a" "http://b/c.dtd"><svg {SPACE}><g/></svg>',
    "prefixed": '<s:svg xmlns:s="http://www.w3.org/2000/svg" x="1>"><s:g/></s:svg>',
    "metadata": f"<svg {SPACE}><g/><metadata>a<b/></metadata></svg>",
    "inkscape": f"<svg {SPACE} {DECLARED}><metadata>{CC}</metadata></svg>",
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_label_is_added_and_nothing_else_changes(name: str) -> None:
    content = DRAWINGS[name].encode()
    written = write(content, LABEL)
    assert read(written.content).labels[0].label == LABEL
    assert written.place == "XMP"
    root = etree.fromstring(written.content)
    (label,) = root.iter("{http://www.tc260.org.cn/ns/AIGC/1.0/}AIGC")
    place = [etree.QName(one).localname for one in label.iterancestors()]
    assert place[:4] == ["Description", "RDF", "xmpmeta", "metadata"]
    # What was put in stands in one piece.
    begin = written.content.index(b"<?xpacket begin")
    end = written.content.index(b'end="w"?>') + 9
    rest = written.content[:begin] + written.content[end:]
    new = f"<metadata {SPACE}></metadata>".encode()
    closed = content[:-2] + b"></svg>" if name == "empty" else content
    assert rest.replace(new, b"") == closed


@pytest.mark.parametrize("name", DRAWINGS)
def test_another_label_takes_its_place_and_back(name: str) -> None:
    once = write(DRAWINGS[name].encode(), LABEL).content
    twice = write(once, OTHER)
    assert [found.label for found in read(twice.content).labels] == [OTHER]
    assert any("earlier AIGC label" in note for note in twice.notes)
    assert write(twice.content, LABEL).content == once


def test_labels_are_found_wherever_they_stand_and_disagreement_is_told() -> None:
    one = write(DRAWINGS["plain"].encode(), LABEL).content
    text = '{"AIGC":{"Label":"1","ContentProducer":"b","ProduceID":"9"}}'
    inside = f"<rect/><g><metadata>{text}</metadata></g>".encode()
    both = one.replace(b"<rect/>", inside)
    reading = read(both)
    assert reading.state is State.CONFLICTING
    assert [found.place for found in reading.labels] == ["XMP", "metadata"]
    again = write(both, OTHER)
    assert [found.label for found in read(again.content).labels] == [OTHER]
    assert b"<g><metadata></metadata></g>" in again.content


def test_a_label_in_rdf_without_a_packet_is_replaced_with_all_beside_it() -> None:
    label = (
        '<rdf:Description xmlns:T="http://www.tc260.org.cn/ns/AIGC/1.0/" T:AIGC="{}"/>'
    )
    rdf = CC.replace("</rdf:RDF>", label + "</rdf:RDF>")
    content = f"<svg {SPACE} {DECLARED}><metadata>{rdf}</metadata></svg>".encode()
    assert read(content).state is State.MALFORMED
    written = write(content, LABEL).content
    assert [found.label for found in read(written).labels] == [LABEL]
    root = etree.fromstring(written)
    assert [one.text for one in root.iter("{*}license")] == ["né"]


def test_more_packets_than_any_honest_drawing_has_are_refused() -> None:
    rdf = f'<rdf:RDF xmlns:rdf="{RDF}"><a AIGC="{{}}"/></rdf:RDF>'
    content = f"<svg {SPACE}>{rdf * 10}</svg>".encode()
    assert read(content).problems
    with pytest.raises(MediaTooLarge):
        write(content, LABEL)


def test_entities_are_not_expanded() -> None:
    content = f'<!DOCTYPE svg [<!ENTITY x "AIGC">]><svg {SPACE}>&x;</svg>'.encode()
    assert "entities" in read(content).problems[0]
    with pytest.raises(DamagedMedia):
        replace_xmp(content, b"")


@pytest.mark.parametrize(
    "beginning", [b"<!--" * 50_000, b"<!---->" * 50_000, b"<?a?>" * 50_000 + b"<a"]
)
def test_the_beginning_is_told_in_time(beginning: bytes) -> None:
    start = time.process_time()
    assert not is_svg(beginning)
    assert time.process_time() - start < 1


@given(st.sampled_from(sorted(DRAWINGS)), st.integers(0, 2000), st.integers(1, 255))
def test_one_changed_byte_is_read_or_told(name: str, place: int, by: int) -> None:
    content = bytearray(write(DRAWINGS[name].encode(), LABEL).content)
    content[place % len(content)] ^= by
    try:
        read(bytes(content))
        write(bytes(content), OTHER)
    except MediaError:
        pass
