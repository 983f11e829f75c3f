"""Documents: what can be read in them, and where a notice and a field can stand."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ..errors import DamagedMedia, MediaError, MediaTooLarge
from .probe import AUDIO_HEAD_BYTES, format_by_suffix, open_file
from .signature import PACKAGE, document_kind
from .source import read_file

__all__ = [
    "FORMATS",
    "MAX_TEXT_BYTES",
    "Document",
    "Field",
    "document_source",
    "format_of",
    "open_document",
]

MAX_TEXT_BYTES = 64 << 20
"""Largest text, or part of a document that is read."""

FORMATS = {
    ".txt": "txt",
    ".md": "md",
    ".markdown": "md",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".docx": "docx",
    ".xlsx": "xlsx",
    ".pptx": "pptx",
    ".epub": "epub",
    ".pdf": "pdf",
    ".svg": "svg",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A named value in the metadata of a document.

    Parameters
    ----------
    place : str
        Where it stands, for people.
    value : str
        As text; a mapping as a JSON object.
    """

    place: str
    value: str


class Document(ABC):
    """A document as it was read; changes give a new one.

    Parameters
    ----------
    content : bytes
        The file.

    Raises
    ------
    MediaError
        It cannot be read, or not be labeled.
    """

    format: ClassVar[str]
    media_type: ClassVar[str]
    field_place: ClassVar[str]
    """Where a named value is written, for people; empty where there is no place."""

    content: bytes
    locked: tuple[str, str] | None = None
    """Why it can be read, but not be labeled, and what to do."""

    @abstractmethod
    def parts(self) -> list[str]:
        """Return the visible text, cut where a notice can stand between two parts."""

    @abstractmethod
    def insert(self, index: int, text: str, *, raised: bool) -> Document:
        """Return the document with a line before one of its parts.

        Parameters
        ----------
        index : int
            The part; the number of parts for the end.
        text : str
            The line.
        raised : bool
            Instead of a line, put superscript at the end of the part before, or in
            front of the first one.
        """

    @abstractmethod
    def fields(self, name: str) -> list[Field]:
        """Return the values of a name, in file order."""

    @abstractmethod
    def with_field(self, name: str, value: str) -> Document:
        """Return the document with one value of a name, in place of all earlier ones.

        Parameters
        ----------
        name : str
            Letters.
        value : str
            A JSON object of texts.
        """


def format_of(path: Path | str) -> str:
    """Tell the format of a document by the suffix of its name.

    Raises
    ------
    UnsupportedFormat
        The suffix is missing or not one of `FORMATS`.
    """
    return format_by_suffix(path, FORMATS)


def document_source(source: object) -> tuple[bytes, str] | None:
    """Return content and format of a document; None for what is none.

    Parameters
    ----------
    source : str, Path, bytes or anything else
        A file, or the bytes of one. Of texts, the name tells which format it is; one
        that is named like something else is none.

    Raises
    ------
    MediaError
        There is no such file, it is a folder or device, may not be read, or is too
        large.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        content = bytes(source)
        return _told(content, document_kind(content[:AUDIO_HEAD_BYTES]))
    if not isinstance(source, str | os.PathLike):
        return None
    path = Path(source)
    named = FORMATS.get(path.suffix.lower())
    with open_file(path) as file:
        format = document_kind(file.read(AUDIO_HEAD_BYTES), named)
    if path.suffix and not named and format in ("txt", "md", "html"):
        return None
    return None if format is None else _told(read_file(path), format)


def _told(content: bytes, kind: str | None) -> tuple[bytes, str] | None:
    """Tell packages apart by what is in them."""
    if kind == PACKAGE:
        from .office import format_of_package

        kind = format_of_package(content)
    return None if kind is None else (content, kind)


def open_document(content: bytes, format: str) -> Document:
    """Read a document.

    Parameters
    ----------
    content : bytes
        The file.
    format : str
        ``"txt"``, ``"md"``, ``"html"``, ``"docx"``, ``"xlsx"``, ``"pptx"``, ``"epub"``
        or ``"pdf"``.

    Raises
    ------
    MediaError
        It is damaged, too large, encrypted, or in an unknown encoding.
    """
    if not content:
        raise DamagedMedia("the file is empty")
    # Loaded late: each brings what only its format needs.
    if format == "docx":
        from .docx import WordDocument

        return WordDocument(content)
    if format == "xlsx":
        from .xlsx import WorkbookDocument

        return WorkbookDocument(content)
    if format == "pptx":
        from .pptx import PresentationDocument

        return PresentationDocument(content)
    if format == "epub":
        from .epub import BookDocument

        return BookDocument(content)
    if format == "pdf":
        from .pdf import PdfDocument

        return PdfDocument(content)
    if len(content) > MAX_TEXT_BYTES:
        raise MediaTooLarge(
            f"the text has {len(content):,} bytes, more than {MAX_TEXT_BYTES:,}",
            hint="Label it in parts.",
        )
    if format == "html":
        from .html import HtmlDocument

        return HtmlDocument(content)
    from .plain import Markdown, PlainText

    kind = {"txt": PlainText, "md": Markdown}.get(format)
    if kind is None:
        raise MediaError(f"there are no documents of format {format!r}")
    return kind(content)
