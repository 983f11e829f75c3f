"""Books: what is read in their chapters, and where a notice and a field can stand.

The guide that names a place for the field in documents (TC260-PG-20258A) names none
for EPUB. It stands among the metadata of the book, in the form of EPUB 2, which EPUB 3
has kept and which readers of both pass over.

References
----------
EPUB 3.3, 4.2 (containers), 5.5 (metadata), 5.7 (spine), 4.4 (obfuscated fonts);
OPF 2.0.1, 2.2.
"""

from __future__ import annotations

import posixpath
from html import escape
from itertools import accumulate
from urllib.parse import unquote

from ..errors import DamagedMedia, MediaTooLarge, UnsupportedFormat
from .document import MAX_TEXT_BYTES, Document, Field
from .html import BLOCK_STYLE, HtmlDocument
from .package import Package, edited, walk

__all__ = ["BookDocument"]

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_SIGNATURES = "META-INF/signatures.xml"
_PACKAGE_TYPE = "application/oebps-package+xml"
_CHAPTER_TYPES = ("application/xhtml+xml", "text/html", "text/x-oeb1-document")
# What obfuscates fonts, and hides no text.
_OF_FONTS = (
    "http://www.idpf.org/2008/embedding",
    "http://ns.adobe.com/pdf/enc#RC",
)
_FIXED = "pre-paginated"
# On a page of a fixed size the notice lies above, instead of in the flow of the text.
_OVERLAY = (
    BLOCK_STYLE.replace("position:static!", "position:absolute!")
    + ";top:1%;right:1%;z-index:2147483647"
)


class _Chapter(HtmlDocument):
    """A page of a book, of EPUB 2 or 3."""

    xml = True
    style = BLOCK_STYLE

    def _block(self, said: str) -> str:
        return (
            '<div xmlns="http://www.w3.org/1999/xhtml" xml:lang="zh-Hans" dir="ltr" '
            f'style="{self.style}">{said}</div>'
        )


class _FixedPage(_Chapter):
    """A page of a fixed size."""

    style = _OVERLAY


class BookDocument(Document):
    """An EPUB file."""

    format = "epub"
    media_type = "application/epub+zip"
    field_place = "meta AIGC of the book"
    _chapters: list[_Chapter] | None = None

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.package = Package(content)
        names = self.package.names
        if _CONTAINER not in names:
            raise DamagedMedia("the book does not tell where its contents are")
        self.main = _main(self.package.read(_CONTAINER))
        self.book = _Book(self.package.read(self.main), self.main)
        hidden = _encrypted(self.package)
        self.places = [
            place
            for place in dict.fromkeys(self.book.chapters)
            if place in names and place not in hidden
        ]
        if hidden:
            self.locked = (
                "the book is encrypted (DRM)",
                "Label it before it is encrypted.",
            )
        elif _SIGNATURES in names:
            self.locked = (
                "the book is signed, and a label would break the signature",
                "Label it first, and sign it then.",
            )

    def parts(self) -> list[str]:
        """Return what is seen between the places where a block can stand."""
        return [part for chapter in self.chapters for part in chapter.parts()]

    @property
    def chapters(self) -> list[_Chapter]:
        """The pages of the book, in the order in which they are read."""
        if self._chapters is None:
            sizes = self.package.sizes
            if sum(sizes[place] for place in self.places) > MAX_TEXT_BYTES:
                raise MediaTooLarge(
                    f"the book has more than {MAX_TEXT_BYTES:,} bytes of text",
                    hint="Label it in parts.",
                )
            kind = _FixedPage if self.book.is_fixed else _Chapter
            self._chapters = [kind(self.package.read(place)) for place in self.places]
        return self._chapters

    def insert(self, index: int, text: str, *, raised: bool) -> BookDocument:
        """Return the book with a block or raised letters in one of its pages.

        Raises
        ------
        UnsupportedFormat
            It has no pages of text.
        """
        chapters = self.chapters
        if not chapters:
            raise UnsupportedFormat(
                "the book has no pages of text", hint="Label what it shows by itself."
            )
        counts = [len(chapter.parts()) for chapter in chapters]
        starts = [*accumulate(counts, initial=0)]
        index = min(index, starts[-1])
        # Raised letters stand at the end of the part before.
        last = index - bool(raised and index)
        number = min(
            next((n for n, stop in enumerate(starts[1:]) if last < stop), len(counts)),
            len(counts) - 1,
        )
        before = chapters[number]
        chapter = before.insert(index - starts[number], text, raised=raised)
        if _is_whole(before.content) and not _is_whole(chapter.content):
            raise UnsupportedFormat(
                "a notice cannot stand in a page of the book as it is written",
                hint="Save the book anew with another program first.",
            )
        place = self.places[number]
        return BookDocument(self.package.replaced({place: chapter.content}))

    def fields(self, name: str) -> list[Field]:
        """Return the entries of a name in the metadata of the book."""
        return [
            Field(place=f"meta {name} of the book", value=value)
            for known, value, *_ in self.book.metas
            if known.lower() == name.lower()
        ]

    def with_field(self, name: str, value: str) -> BookDocument:
        """Return the book with one entry of a name in its metadata."""
        book = self.book
        element = (
            f'<meta xmlns="{book.space}" name="{name}" content="{escape(value)}"/>'
        )
        changes = [(book.end, book.end, element)]
        changes += [
            (start, stop, "")
            for known, _, start, stop in book.metas
            if known.lower() == name.lower()
        ]
        part = edited(book.content, changes)
        return BookDocument(self.package.replaced({self.main: part}))


class _Book:
    """The package document: metadata, and the pages in their order."""

    def __init__(self, content: bytes, place: str) -> None:
        self.content = content
        self.space = ""
        self.end = -1
        self.metas: list[tuple[str, str, int, int]] = []
        self.chapters: list[str] = []
        self.is_fixed = False
        self._folder = posixpath.dirname(place)
        self._items: dict[str, str] = {}
        self._path: list[str] = []
        self._meta: tuple[dict[str, str], int] = ({}, 0)
        self._said: list[str] = []
        walk(content, self._start, self._close, self._said.append, doctype=True)
        if self.end < 0:
            raise DamagedMedia("the book has no metadata")

    def _start(self, name: str, attributes: dict[str, str], place: int) -> None:
        space, _, local = name.rpartition(" ")
        if not self._path:
            self.space = space
            if local != "package":
                raise DamagedMedia("the main part of the book is no package document")
        self._path.append(local)
        inside = self._path[1:2]
        if local == "meta" and inside == ["metadata"]:
            self._meta = (attributes, place)
            self._said.clear()
        elif local == "item" and attributes.get("media-type") in _CHAPTER_TYPES:
            target = unquote(attributes.get("href", "").partition("#")[0])
            self._items[attributes.get("id", "")] = posixpath.normpath(
                posixpath.join(self._folder, target)
            )
        elif local == "itemref" and attributes.get("linear") != "no":
            item = self._items.get(attributes.get("idref", ""))
            self.chapters += [item] if item else []

    def _close(self, name: str, inside: int, stop: int) -> None:
        self._path.pop()
        local = name.rpartition(" ")[2]
        if local == "metadata" and len(self._path) == 1 and stop > inside:
            self.end = inside
        elif local == "meta" and self._path[1:2] == ["metadata"]:
            attributes, start = self._meta
            said = attributes.get("content", "".join(self._said))
            known = attributes.get("name") or attributes.get("property", "")
            if known == "rendition:layout" and said.strip() == _FIXED:
                self.is_fixed = True
            # In EPUB 3 a name may have a prefix.
            self.metas.append((known.rpartition(":")[2], said, start, stop))


def _is_whole(content: bytes) -> bool:
    """Tell whether a page is XML, which readers of books insist on."""
    try:
        walk(content, lambda *_: None, lambda *_: None, doctype=True)
    except DamagedMedia:
        return False
    return True


def _main(content: bytes) -> str:
    """Return the part that tells what a book holds; the first one counts."""
    found: list[str] = []

    def start(name: str, attributes: dict[str, str], place: int) -> None:
        kind = attributes.get("media-type", _PACKAGE_TYPE)
        if name.endswith(" rootfile") and kind == _PACKAGE_TYPE:
            found.append(posixpath.normpath(attributes.get("full-path", "")))

    walk(content, start, lambda *_: None, doctype=True)
    if not found:
        raise DamagedMedia("the book does not tell where its contents are")
    return found[0]


def _encrypted(package: Package) -> set[str]:
    """Return the parts that are encrypted, obfuscated fonts aside."""
    if _ENCRYPTION not in package.names:
        return set()
    found: set[str] = set()
    method = ""

    def start(name: str, attributes: dict[str, str], place: int) -> None:
        nonlocal method
        local = name.rpartition(" ")[2]
        if local == "EncryptedData":
            method = ""
        elif local == "EncryptionMethod":
            method = attributes.get("Algorithm", "")
        elif local == "CipherReference" and method not in _OF_FONTS:
            found.add(posixpath.normpath(unquote(attributes.get("URI", ""))))

    walk(package.read(_ENCRYPTION), start, lambda *_: None)
    return found
