from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark.labeling.errors import MetadataError
from synthmark.labeling.metadata import tree, xmp

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DC = "http://purl.org/dc/elements/1.1/"
TC260 = "http://www.tc260.org.cn/ns/AIGC/1.0/"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
SOURCE = xmp.TRAINED_ALGORITHMIC_MEDIA
NEW = '{"Label":"1","ContentProducer":"new<&>","ProduceID":"\\"7\\""}'
OLD = '{"Label":"2","ContentProducer":"old","ProduceID":"1"}'
CAPTURE = SOURCE.replace("trainedAlgorithmicMedia", "digitalCapture")


def packet(properties: str = "", attributes: str = "", around: str = "") -> bytes:
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">'
        f'<rdf:Description rdf:about="uuid:1" xmlns:dc="{DC}" xmlns:t="{TC260}" '
        f'xmlns:i="{IPTC}" {attributes}>{properties}</rdf:Description>{around}'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def bag(kind: str, *items: str) -> str:
    return f"<rdf:{kind}>{''.join(f'<rdf:li>{i}</rdf:li>' for i in items)}</rdf:{kind}>"


@pytest.mark.parametrize(
    "content",
    [
        packet(f"<t:AIGC>{OLD}</t:AIGC>"),
        packet(f"<t:AIGC>\n  <![CDATA[{OLD}]]>\n</t:AIGC>"),
        packet(attributes=f"t:AIGC='{OLD}'"),
        packet(f"<t:AIGC>{bag('Bag', OLD)}</t:AIGC>"),
        packet(f"<t:AIGC>{bag('Alt', OLD)}</t:AIGC>"),
        packet(
            f"<t:AIGC rdf:parseType='Resource'><rdf:value>{OLD}</rdf:value></t:AIGC>"
        ),
        packet(f"<n:AIGC xmlns:n='urn:other'>{OLD}</n:AIGC>"),
        packet(f"<AIGCLabel xmlns='urn:other'>{OLD}</AIGCLabel>"),
        packet(
            f"<dc:rights rdf:parseType='Resource'><t:AIGC>{OLD}</t:AIGC></dc:rights>"
        ),
        packet(f"<t:AIGC>{OLD}</t:AIGC>").decode().encode("utf-16"),
        b"\xef\xbb\xbf" + packet(f"<t:AIGC>{OLD}</t:AIGC>") + b"\0\0",
        f'<r:RDF xmlns:r="{RDF}"><r:Description xmlns:t="{TC260}" '
        f"t:AIGC='{OLD}'/></r:RDF>".encode(),
        f'<RDF xmlns="{RDF}"><Description xmlns:t="{TC260}">'
        f"<t:AIGC>{OLD}</t:AIGC></Description></RDF>".encode(),
    ],
)
def test_label_is_read_in_every_dialect_and_replaced(content: bytes) -> None:
    assert xmp.read(content).labels == (OLD,)
    edited = xmp.edit(content, NEW, SOURCE)
    assert xmp.read(edited) == xmp.Properties(labels=(NEW,), source_types=(SOURCE,))
    assert b"old" not in edited
    ET.fromstring(edited)


@pytest.mark.parametrize(
    "content",
    [
        packet(f"<i:DigitalSourceType>{CAPTURE}</i:DigitalSourceType>"),
        packet(attributes=f"i:DigitalSourceType='{CAPTURE}'"),
        packet(f"<i:DigitalSourceType rdf:resource='{CAPTURE}'/>"),
        packet(f"<i:DigitalSourceType>{bag('Bag', CAPTURE)}</i:DigitalSourceType>"),
    ],
)
def test_source_type_is_read_in_every_dialect_and_replaced(content: bytes) -> None:
    assert xmp.read(content).source_types == (CAPTURE,)
    assert xmp.read(xmp.edit(content, NEW, SOURCE)).source_types == (SOURCE,)
    assert xmp.read(xmp.edit(content, NEW, None)).source_types == (CAPTURE,)


def test_every_label_of_a_packet_is_seen() -> None:
    more = f"<rdf:Description t:AIGC='{NEW.replace('<&>', '')}' xmlns:t='{TC260}'/>"
    content = packet(f"<t:AIGC>{bag('Seq', OLD, 'x')}</t:AIGC><t:AIGC/>", around=more)
    assert xmp.read(content).labels == (OLD, "x", "", NEW.replace("<&>", ""))


def test_source_type_of_an_ingredient_is_not_that_of_the_file() -> None:
    content = packet(
        "<dc:source rdf:parseType='Resource'>"
        f"<i:DigitalSourceType>{CAPTURE}</i:DigitalSourceType></dc:source>"
    )
    assert xmp.read(content).source_types == ()
    assert CAPTURE.encode() in xmp.edit(content, NEW, SOURCE)


def test_property_that_only_sounds_like_a_label_is_left_alone() -> None:
    content = packet("<n:AIGCTool xmlns:n='urn:other'>brush</n:AIGCTool>")
    assert xmp.read(content).labels == ()
    assert b"brush" in xmp.edit(content, NEW, SOURCE)


def test_everything_else_in_a_packet_keeps_its_meaning() -> None:
    kept = (
        f"<dc:subject>{bag('Bag', 'a &amp; b', 'c')}</dc:subject>"
        "<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>Sea</rdf:li>"
        "<rdf:li xml:lang='zh'>海&#13;\n</rdf:li></rdf:Alt></dc:title>"
        "<dc:source>dc:kept\t </dc:source>"
    )
    other = "<rdf:Description rdf:about='uuid:1' xmlns:u='urn:u' u:a='1&#10;&quot;2'/>"
    before = packet(kept, f"dc:format='image/x' t:AIGC='{OLD}'", other)
    after = xmp.edit(xmp.edit(before, NEW, SOURCE), NEW, SOURCE)

    def statements(content: bytes) -> list[str]:
        (rdf,) = ET.fromstring(content)
        found = []
        for subject in rdf:
            for name, value in subject.attrib.items():
                found.append(f"{name}={value!r}")
            found += [ET.canonicalize(ET.tostring(item)) for item in subject]
        return [text for text in found if "AIGC" not in text and IPTC not in text]

    about = f"{{{RDF}}}about='uuid:1'"
    assert statements(after) == [*statements(before), about]
    assert b"xmlns:dc=" in after
    assert b"<dc:title>" in after


def test_editing_twice_changes_nothing_more() -> None:
    for content in (None, packet("\n <dc:format>x</dc:format>\n", around="\n")):
        once = xmp.edit(content, NEW, SOURCE)
        assert xmp.edit(once, NEW, SOURCE) == once


def test_prefix_that_means_something_else_is_not_captured() -> None:
    content = packet("<TC260:x xmlns:TC260='urn:other'>kept</TC260:x>").replace(
        b"<rdf:RDF", b"<rdf:RDF xmlns:TC260='urn:another' xmlns:Iptc4xmpExt='urn:3'"
    )
    edited = xmp.edit(content, NEW, SOURCE)
    assert xmp.read(edited).labels == (NEW,)
    assert ET.fromstring(edited).find(".//{urn:other}x") is not None


def test_prefix_means_again_what_it_meant_before_an_inner_element() -> None:
    content = packet("<dc:a xmlns:t='urn:other'/><t:AIGC>broken</t:AIGC>")
    assert xmp.read(content).labels == ("broken",)
    unknown = packet("<dc:a xmlns:z='urn:z'/><z:b/>")
    assert "prefix" in xmp.read(unknown).problem


def test_undeclared_prefix_is_read_but_not_kept() -> None:
    content = packet(attributes=f"TC260:AIGC='{OLD}'")
    found = xmp.read(content)
    assert found.labels == (OLD,)
    assert "prefix" in found.problem
    # Once the label is replaced nothing undeclared is left.
    assert xmp.read(xmp.edit(content, NEW, SOURCE)).problem == ""
    with pytest.raises(MetadataError, match="prefix"):
        xmp.edit(packet(attributes="nowhere:x='1'"), NEW, SOURCE)


LAUGHS = "".join(f'<!ENTITY l{i + 1} "{f"&l{i};" * 10}">' for i in range(9))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 40,
        b"no XML",
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>",
        packet()[:-4],
        packet("\xff").replace(b"\xc3", b""),
        b"<!DOCTYPE x>" + packet(),
        f"<!DOCTYPE x [<!ENTITY l0 'ha'>{LAUGHS}]>".encode() + packet("&l9;"),
        b"<!DOCTYPE x [<!ENTITY f SYSTEM 'file:///etc/passwd'>]>" + packet("&f;"),
        packet("&unknown;"),
        packet("<dc:a>" * 100 + "</dc:a>" * 100),
        packet("<dc:a/>" * 60_000),
        packet(" ".join(["x"] * 2_500_000)),
        packet("".join(f"<dc:a xmlns:n{i}='u'/>" for i in range(30_000))),
    ],
    ids=lambda content: content[:20].decode(errors="replace") + f"~{len(content)}",
)
def test_unreadable_packets_are_refused(content: bytes) -> None:
    with pytest.raises(MetadataError):
        xmp.read(content)
    with pytest.raises(MetadataError):
        xmp.edit(content, NEW, SOURCE)


@given(st.data())
def test_packet_cut_or_changed_anywhere_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(
        packet(f"<t:AIGC>{OLD}</t:AIGC>", f"i:DigitalSourceType='{SOURCE}'")
    )
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(
            st.integers(0, 255)
        )
    content = content[: data.draw(st.integers(0, len(content)))]
    try:
        edited = xmp.edit(bytes(content), NEW, SOURCE)
    except MetadataError:
        return
    assert xmp.read(edited).labels == (NEW,)


def escaped(text: str) -> str:
    return "".join(f"&#{ord(c)};" for c in text)


names = st.sampled_from(["a", "b:c", "b:d"])
texts = st.text(st.sampled_from("x&<>\"'\r\n\t 海]"), max_size=8)
trees = st.recursive(
    st.builds('<{0} b:x="{1}"/>'.format, names, texts.map(escaped)),
    lambda inner: st.builds(
        "<{0}>{1}{2}</{0}>".format, names, texts.map(escaped), inner
    ),
    max_leaves=4,
)


@given(trees)
def test_tree_writes_what_it_read(text: str) -> None:
    text = f'<r xmlns="urn:d" xmlns:b="urn:b">{text}</r>'
    written = tree.serialize(tree.parse(text))
    assert ET.canonicalize(written) == ET.canonicalize(text)
    assert tree.parse(written) == tree.parse(text)
