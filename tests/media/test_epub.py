"""Books, with lxml as a second opinion."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from synthmark.labeling.errors import DamagedMedia, MediaError, UnsupportedFormat
from synthmark.labeling.media.epub import BookDocument
from synthmark.labeling.media.package import Package

VALUE = '{"Label":"1","ProduceID":"<&7>"}'
XHTML = "http://www.w3.org/1999/xhtml"
OPF = "http://www.idpf.org/2007/opf"
CONTAINER = (
    '<?xml version="1.0"?><container version="1.0" '
    'xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile '
    'full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/>'
    "</rootfiles></container>"
)


def page(body: str, head: str = "<title/>") -> str:
    return (
        f'<?xml version="1.0"?>\n<html xmlns="{XHTML}"><head>{head}</head>'
        f"<body>{body}</body></html>"
    )


PAGES = {
    "cover.xhtml": page("<h1>封面</h1>"),
    "text/one two.xhtml": page("<p>One &amp;.</p><p>Two.</p>", '<script src="x"/>'),
    "notes.xhtml": page("<p>Notes.</p>"),
}


def package(meta: str = "", version: str = "3.0") -> str:
    items = "".join(
        f'<item id="i{n}" href="{name.replace(" ", "%20")}" '
        'media-type="application/xhtml+xml"/>'
        for n, name in enumerate(PAGES)
    )
    return (
        f'<?xml version="1.0"?>\n<package xmlns="{OPF}" version="{version}">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>T</dc:title>'
        f"{meta}</metadata><manifest>{items}</manifest><spine>"
        '<itemref idref="i0"/><itemref idref="i1"/><itemref idref="i2" linear="no"/>'
        "</spine></package>"
    )


def made(**changes: Any) -> bytes:
    """Write a book; an argument names a part, its dots and slashes as underlines."""
    parts = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "OEBPS/book.opf": package(),
        **{f"OEBPS/{name}": text for name, text in PAGES.items()},
    }
    more = changes.pop("more", {})
    for name in parts:
        parts[name] = changes.get(name.rpartition("/")[2].split(".")[0], parts[name])
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (parts | more).items():
            kind = zipfile.ZIP_STORED if name == "mimetype" else None
            archive.writestr(name, text, kind)
    return file.getvalue()


CONTENT = made()


def opened(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize(
    ("index", "name", "texts"),
    [
        (0, "cover.xhtml", ["AI生成 <&>", "封面"]),
        (1, "text/one two.xhtml", ["AI生成 <&>", "One &.", "Two."]),
        (2, "text/one two.xhtml", ["One &.", "AI生成 <&>", "Two."]),
        (3, "text/one two.xhtml", ["One &.", "Two.", "AI生成 <&>"]),
    ],
)
def test_another_reader_sees_the_notice_in_the_page(
    index: int, name: str, texts: list[str]
) -> None:
    document = BookDocument(CONTENT)
    assert document.parts() == ["封面", "One &.", "Two."]
    labeled = document.insert(index, "AI生成 <&>", raised=False)
    before, after = opened(CONTENT), opened(labeled.content)
    assert [part for part in before if before[part] != after[part]] == [f"OEBPS/{name}"]
    body = etree.fromstring(after[f"OEBPS/{name}"])[-1]
    assert ["".join(one.itertext()) for one in body] == texts
    assert {etree.QName(one).namespace for one in body} == {XHTML}


@pytest.mark.parametrize("index", range(4))
def test_raised_letters_stand_in_a_paragraph_that_is_there(index: int) -> None:
    labeled = BookDocument(CONTENT).insert(index, "AI", raised=True)
    assert len(labeled.parts()) == 3
    said = labeled.parts()[max(0, index - 1)]
    assert said.endswith("ᴬᴵ") if index else said.startswith("ᴬᴵ")


def test_the_container_keeps_its_form() -> None:
    labeled = BookDocument(CONTENT).with_field("AIGC", VALUE).content
    with zipfile.ZipFile(io.BytesIO(labeled)) as archive:
        first = archive.infolist()[0]
    assert (first.filename, first.compress_type, first.extra) == ("mimetype", 0, b"")
    assert labeled[30:58] == b"mimetypeapplication/epub+zip"


def test_a_container_in_disorder_is_put_in_order() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in reversed(opened(CONTENT).items()):
            archive.writestr(name, part)
    labeled = BookDocument(file.getvalue()).with_field("AIGC", VALUE).content
    assert labeled[30:58] == b"mimetypeapplication/epub+zip"


def test_the_field_stands_once_among_the_metadata() -> None:
    labeled = BookDocument(CONTENT).with_field("AIGC", "old").with_field("AIGC", VALUE)
    assert [one.value for one in labeled.fields("AIGC")] == [VALUE]
    root = etree.fromstring(opened(labeled.content)["OEBPS/book.opf"])
    (meta,) = root.iter(f"{{{OPF}}}meta")
    assert dict(meta.attrib) == {"name": "AIGC", "content": VALUE}
    assert labeled.parts() == BookDocument(CONTENT).parts()


def test_fields_of_every_form_are_read_and_replaced() -> None:
    both = (
        '<meta property="x:AIGC">{"a":1}</meta>'
        '<opf:meta xmlns:opf="http://www.idpf.org/2007/opf" name="aigc" content="2"/>'
    )
    document = BookDocument(made(book=package(both)))
    assert [one.value for one in document.fields("AIGC")] == ['{"a":1}', "2"]
    assert [one.value for one in document.with_field("AIGC", "3").fields("AIGC")] == [
        "3"
    ]


def test_on_pages_of_a_fixed_size_the_notice_lies_above() -> None:
    fixed = package('<meta property="rendition:layout">pre-paginated</meta>')
    for book, position in ((fixed, b"absolute"), (package(), b"static")):
        labeled = BookDocument(made(book=book)).insert(0, "AI生成", raised=False)
        cover = opened(labeled.content)["OEBPS/cover.xhtml"]
        assert b"position:%s!important" % position in cover


def encrypted(algorithm: str, part: str) -> dict[str, str]:
    text = (
        '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container" '
        'xmlns:e="http://www.w3.org/2001/04/xmlenc#"><e:EncryptedData>'
        f'<e:EncryptionMethod Algorithm="{algorithm}"/><e:CipherData>'
        f'<e:CipherReference URI="{part}"/></e:CipherData></e:EncryptedData>'
        "</encryption>"
    )
    return {"META-INF/encryption.xml": text}


def test_an_encrypted_book_is_read_as_far_as_possible_and_not_labeled() -> None:
    aes = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
    document = BookDocument(made(more=encrypted(aes, "OEBPS/text/one%20two.xhtml")))
    assert document.locked
    assert "DRM" in document.locked[0]
    assert document.parts() == ["封面"]


def test_obfuscated_fonts_are_no_encryption() -> None:
    fonts = "http://www.idpf.org/2008/embedding"
    document = BookDocument(made(more=encrypted(fonts, "OEBPS/font.otf")))
    assert document.locked is None


def test_a_signed_book_can_only_be_read() -> None:
    document = BookDocument(made(more={"META-INF/signatures.xml": "<signatures/>"}))
    assert document.locked
    assert "signed" in document.locked[0]


def test_a_page_that_a_notice_would_break_is_left_alone() -> None:
    body = PAGES["cover.xhtml"].replace("<", "<h:").replace("<h:/", "</h:")
    prefixed = body.replace("<h:?", "<?").replace("xmlns=", "xmlns:h=")
    with pytest.raises(UnsupportedFormat, match="as it is written"):
        BookDocument(made(cover=prefixed)).insert(0, "AI生成", raised=False)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"container": "<container/>"}, "does not tell"),
        (
            {"container": CONTAINER.replace("book.opf", "../../../etc/passwd")},
            "no part",
        ),
        ({"book": package()[:-20]}, "malformed"),
        ({"book": "<package/>"}, "no metadata"),
        (
            {"book": package().replace("?>", '?><!DOCTYPE a [<!ENTITY b "c">]>')},
            "entit",
        ),
        ({"container": CONTAINER.replace("?>", "?>" + "<a>" * 2000)}, "nested"),
    ],
)
def test_damaged_and_hostile_books_are_refused(
    changes: dict[str, str], problem: str
) -> None:
    with pytest.raises(DamagedMedia, match=problem):
        BookDocument(made(**changes))


@given(
    st.sampled_from(sorted(opened(CONTENT))),
    st.integers(0, 5000),
    st.sampled_from([b"", b"<", b"/", b'"', b"&", b"0", b"-9", b"\xff", b"<a/>", b":"]),
)
def test_a_changed_part_gives_a_document_or_an_error(
    name: str, place: int, new: bytes
) -> None:
    package = Package(CONTENT)
    part = bytearray(package.read(name))
    place %= len(part)
    part[place : place + 1] = new
    try:
        document = BookDocument(package.replaced({name: bytes(part)}))
        document.insert(0, "AI生成", raised=False).with_field("AIGC", VALUE).parts()
    except MediaError:
        pass
