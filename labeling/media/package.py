"""ZIP packages of office documents: parts, and the same package with other parts."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from xml.parsers import expat

from ..errors import DamagedMedia, MediaError, MediaTooLarge, UnsupportedFormat
from .document import MAX_TEXT_BYTES

__all__ = ["Package", "walk"]

_MAX_PARTS = 10_000
_MAX_BYTES = 512 << 20
_MAX_DEPTH = 1_000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


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
        with _opened(content) as archive:
            entries = archive.infolist()
        self.names = [entry.filename for entry in entries]
        if len(set(self.names)) < len(entries):
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
            if name not in self.names:
                raise DamagedMedia(f"the package has no part {name[:80]!r}")
            if archive.getinfo(name).file_size > MAX_TEXT_BYTES:
                raise MediaTooLarge(f"a part has more than {MAX_TEXT_BYTES:,} bytes")
            return archive.read(name)

    def replaced(self, parts: Mapping[str, bytes]) -> bytes:
        """Return the package with some parts replaced or, at its end, added.

        The others keep their bytes, order, dates and way of packing.
        """
        target = io.BytesIO()
        with _opened(self.content) as old, zipfile.ZipFile(target, "w") as new:
            for entry in old.infolist():
                made = zipfile.ZipInfo(entry.filename, entry.date_time)
                made.compress_type = entry.compress_type
                made.external_attr = entry.external_attr
                made.create_system = entry.create_system
                name = entry.filename
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

    def refused(*_: object) -> None:
        raise DamagedMedia("an XML part has a document type, which none may have")

    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    parser.CharacterDataHandler = told
    parser.StartDoctypeDeclHandler = refused
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError) as error:
        if isinstance(error, DamagedMedia):
            raise
        raise DamagedMedia(f"an XML part is malformed: {error}") from error


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
