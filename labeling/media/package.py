"""ZIP packages of office documents: parts, and the same package with other parts."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from xml.parsers import expat

from ..errors import DamagedMedia, MediaError, MediaTooLarge, UnsupportedFormat
from .document import MAX_TEXT_BYTES

__all__ = ["Package", "attribute", "edited", "walk"]

_MAX_PARTS = 10_000
# What begins an entry of the directory. Packages inside of this one have some too.
_ENTRY = b"PK\x01\x02"
_MOST_ENTRIES = 10 * _MAX_PARTS
_MAX_BYTES = 512 << 20
_MAX_DEPTH = 1_000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# Where there is one, what reads the package wants it in front and not packed.
_FIRST = "mimetype"
_ATTRIBUTE = re.compile(rb"\s+([^\s=/>]+)\s*=\s*(\"[^\"]*\"|'[^']*')")


class Package:
    """A ZIP package in memory.

    Parameters
    ----------
    content : bytes
        The file.

    Raises
    ------
    DamagedMedia
        It is cut off or malformed, or has two parts of one name.
    MediaTooLarge
        It would be more than 512 MiB unpacked, or has more than 10,000 parts.
    UnsupportedFormat
        It is encrypted or packed in a rare way.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        # Counted first: a directory of a million entries takes gigabytes to read.
        if content.count(_ENTRY) > _MOST_ENTRIES:
            raise MediaTooLarge(f"the package has more than {_MAX_PARTS:,} parts")
        with _opened(content) as archive:
            entries = archive.infolist()
        self.sizes = {entry.filename: entry.file_size for entry in entries}
        self.names = [*self.sizes]
        if len(self.names) < len(entries):
            raise DamagedMedia("the package has two parts of one name")
        # What an entry says of its size is a limit when it is read.
        if (
            len(entries) > _MAX_PARTS
            or sum(entry.file_size for entry in entries) > _MAX_BYTES
        ):
            raise MediaTooLarge(
                f"the package unpacks to more than {_MAX_BYTES:,} bytes or "
                f"{_MAX_PARTS:,} parts"
            )
        if any(entry.flag_bits & 1 for entry in entries):
            raise UnsupportedFormat(
                "the package is encrypted", hint="Save it without a password first."
            )
        if any(entry.compress_type not in _METHODS for entry in entries):
            raise UnsupportedFormat("the package is packed in a rare way")

    def read(self, name: str) -> bytes:
        """Return a part.

        Raises
        ------
        DamagedMedia
            It is missing or damaged.
        MediaTooLarge
            It has more than 64 MiB.
        """
        with _opened(self.content) as archive:
            if name not in self.sizes:
                raise DamagedMedia(f"the package has no part {name[:80]!r}")
            if self.sizes[name] > MAX_TEXT_BYTES:
                raise MediaTooLarge(f"a part has more than {MAX_TEXT_BYTES:,} bytes")
            return archive.read(name)

    def replaced(self, parts: Mapping[str, bytes]) -> bytes:
        """Return the package with some parts replaced or, at its end, added.

        The others keep their bytes, order, dates and way of packing; a part that tells
        the type of the package stands in front, not packed (OCF 3.3, 4.3).
        """
        target = io.BytesIO()
        with _opened(self.content) as old, zipfile.ZipFile(target, "w") as new:
            for entry in sorted(old.infolist(), key=lambda one: one.filename != _FIRST):
                name = entry.filename
                made = zipfile.ZipInfo(name, entry.date_time)
                if name != _FIRST:
                    made.compress_type = entry.compress_type
                made.external_attr = entry.external_attr
                made.create_system = entry.create_system
                new.writestr(made, parts[name] if name in parts else old.read(name))
            for name in parts.keys() - set(self.names):
                made = zipfile.ZipInfo(name)
                made.compress_type = zipfile.ZIP_DEFLATED
                new.writestr(made, parts[name])
        return target.getvalue()


def walk(
    content: bytes,
    start: Callable[[str, dict[str, str], int], object],
    end: Callable[[str, int, int], object],
    text: Callable[[str], object] = lambda _: None,
    *,
    doctype: bool = False,
) -> None:
    """Go through an XML part and tell where its elements stand, in bytes.

    Parameters
    ----------
    content : bytes
        The part, in UTF-8.
    start : callable
        Is told name, attributes and place of each start tag. Names are a namespace, a
        blank, and the name in it.
    end : callable
        Is told the name, where the content of the element ends, and where the element
        does. Both are the same for an element without an end tag.
    text : callable, optional
        Is told the characters between tags.
    doctype : bool, optional
        Whether it may name a document type, which is not fetched; entities of its own
        it may not declare.

    Raises
    ------
    DamagedMedia
        It is not XML in UTF-8, has a document type, or is nested beyond any reason.
    """
    parser = expat.ParserCreate("UTF-8", " ")
    parser.buffer_text = True
    depth = 0
    fresh = False  # nothing has come since a start tag

    def opened(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, fresh
        depth, fresh = depth + 1, True
        if depth > _MAX_DEPTH:
            raise DamagedMedia("an XML part is nested too deeply")
        start(name, attributes, parser.CurrentByteIndex)

    def closed(name: str) -> None:
        nonlocal depth, fresh
        place = stop = parser.CurrentByteIndex
        # The place of "<a/>" is behind it, that of "<a></a>" between its tags.
        if not (fresh and content[place - 2 : place] == b"/>"):
            stop = content.index(b">", place) + 1
        depth, fresh = depth - 1, False
        end(name, place, stop)

    def told(characters: str) -> None:
        nonlocal fresh
        fresh = False
        text(characters)

    def refused(_name: str, _system: object, _public: object, declares: int) -> None:
        if declares:
            raise DamagedMedia("an XML part declares entities in its document type")
        if not doctype:
            raise DamagedMedia("an XML part has a document type, which none may have")

    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    parser.CharacterDataHandler = told
    parser.StartDoctypeDeclHandler = refused
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError) as error:
        if isinstance(error, MediaError):
            raise
        raise DamagedMedia(f"an XML part is malformed: {error}") from error


def attribute(content: bytes, place: int, name: str) -> tuple[int, int] | None:
    """Return where the value of an attribute stands, quotes included.

    Parameters
    ----------
    content : bytes
        A part that `walk` went through.
    place : int
        Where the start tag begins.
    name : str
        As it is written there.
    """
    tag = re.compile(rb"<[^\s/>]+").match(content, place)
    position = tag.end() if tag else place
    while found := _ATTRIBUTE.match(content, position):
        if found[1] == name.encode():
            return found.span(2)
        position = found.end()
    return None


def edited(content: bytes, changes: Iterable[tuple[int, int, str]]) -> bytes:
    """Return bytes with stretches of them replaced."""
    pieces, kept = [], 0
    for start, stop, new in sorted(changes):
        pieces += [content[kept:start], new.encode()]
        kept = stop
    return b"".join([*pieces, content[kept:]])


@contextmanager
def _opened(content: bytes) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield archive
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        OSError,
        RuntimeError,
        ValueError,
        KeyError,
    ) as error:
        if isinstance(error, MediaError):
            raise
        raise DamagedMedia("the package is cut off or damaged") from error
