"""How a document goes through the layers, written and read.

There is no invisible mark in text: what could be hidden in it is lost on the first
change and found by everybody. Label and manifest stand where the format has a place for
them; the manifest of plain text and Markdown in characters without width at the end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import policy
from .errors import ManifestError, MediaError, UnsupportedFormat
from .keys import Key
from .media.document import FORMATS, Document, format_of, open_document
from .media.plain import Markdown, PlainText
from .metadata import text as metadata
from .model import UNSUPPORTED, AigcLabel, LabelResult, Layer, Media, State
from .notices.find_text import FoundTextNotice, find
from .notices.text import CORNER_MARK, RAISED, Place, TextNotice
from .notices.wording import CORE
from .provenance import manifest
from .provenance.text import read_text, sign_text, store_of, unwrapped
from .records.stored import StoredManifest
from .settings import Settings
from .subject import Subject
from .work import Work

__all__ = ["DocumentSubject", "DocumentWork", "label_text"]

_TEXTS = ("txt", "md")
_SEALABLE = ("pdf",)


class DocumentSubject(Subject):
    """One document to be read, layer by layer."""

    media = Media.TEXT
    content: bytes

    def __init__(self, content: bytes, format: str, path: Path | None) -> None:
        try:
            self.document = open_document(_without_manifest(content, format), format)
        except MediaError as error:
            error.path = path
            raise
        self.content = content
        self.path = path
        self.wraps = _wraps(self.document)
        # A text may begin with any letters, those of other files too.
        self.sealable = self.wraps or format in _SEALABLE
        self.sha256 = hashlib.sha256(content).hexdigest()

    @property
    def extent(self) -> Mapping[str, Any]:
        """Medium and length."""
        return {"medium": "text", "characters": len(_shown(self.document))}

    def find_notices(self) -> Sequence[FoundTextNotice]:
        """Return the notices that are read."""
        return find(_shown(self.document))

    def find_mark(self, keys: Sequence[Key]) -> None:
        """Return nothing: there are no marks in text."""

    def read_metadata(self) -> metadata.Reading | None:
        """Return what the field says; None where the format has no place for it."""
        return _read(self.document) if self.document.field_place else None

    def read_manifest(self, anchors_pem: str) -> manifest.ManifestReading:
        """Read the manifest, of a text from its characters."""
        if self.wraps:
            return read_text(self.content, anchors_pem=anchors_pem)
        return super().read_manifest(anchors_pem)


class DocumentWork(Work):
    """One document on its way through the layers, in memory."""

    def __init__(
        self,
        settings: Settings,
        due: policy.Due,
        source: tuple[bytes, str],
        path: Path | None,
        target: Path | None,
        media_format: str | None,
    ) -> None:
        super().__init__(settings, due, target)
        self.original, before = source
        self.path = path
        if target is not None:
            media_format = format_of(target)
        self.format = media_format or before
        # A text is a text, with front matter or without.
        if self.format != before and not {self.format, before} <= {*_TEXTS}:
            endings = [end for end, kind in FORMATS.items() if kind == before]
            raise UnsupportedFormat(
                f"a document of the format {before} cannot become {self.format}",
                hint=f"End the name in {' or '.join(endings)}.",
            )
        bare = _without_manifest(self.original, before)
        self.document = open_document(bare, self.format)
        if self.document.locked:
            problem, hint = self.document.locked
            raise UnsupportedFormat(problem, hint=hint)

    def _make(self, place: Path | None) -> LabelResult:
        document = self.document
        if not self.is_exempt:
            document = self._place_notice(document)
        label = self.settings.aigc(self.produce_id)
        content = self._write_metadata(document, label)
        self._missing(Layer.MARK, UNSUPPORTED)
        content = self._sign(content, label)
        if place is not None:
            place.write_bytes(content)
        return self._result(
            self.path,
            media=Media.TEXT,
            media_type=self.document.media_type,
            payload=None,
            sha256_before=hashlib.sha256(self.original).hexdigest(),
            sha256_after=hashlib.sha256(content).hexdigest(),
            content=content,
        )

    def _place_notice(self, document: Document) -> Document:
        notice = self.settings.text_notice
        index = notice.boundary(document.parts())
        placed = open_document(_insert(document, notice).content, self.format)
        if not _stands(placed.parts(), index, notice):
            raise UnsupportedFormat(
                "the notice cannot be read at its place in the document",
                hint="Choose another place.",
            )
        self._written(
            Layer.NOTICE, text=notice.text, place=notice.place, style=notice.style
        )
        return placed

    def _write_metadata(self, document: Document, label: AigcLabel) -> bytes:
        if not document.field_place:
            self._missing(Layer.AIGC, UNSUPPORTED)
            return document.content
        earlier = _read(document)
        document = document.with_field(metadata.NAME, metadata.value(label))
        content = document.content
        metadata.confirm(_read(open_document(content, self.format)), label)
        self.notes += metadata.replaced(earlier, label)
        self._written(
            Layer.AIGC, place=document.field_place, producer=label.content_producer
        )
        return content

    def _sign(self, content: bytes, label: AigcLabel) -> bytes:
        if _wraps(self.document):
            return self._sign_text(content, label)
        media_type = self.document.media_type
        if self.format not in _SEALABLE:
            claim = self._claim(self._title, label, None, "")
            self._seal_beside(content, media_type, claim)
            return content
        has_history = self._has_history(self.original, media_type)
        signed, store = manifest.sign(
            content,
            media_type,
            self._claim(self._title, label, None, ""),
            self.settings.signer,
            parent=self.original if has_history else None,
        )
        after = open_document(signed, self.format)
        self._check_seal(signed, media_type, _read(after), label, store)
        if after.parts() != open_document(content, self.format).parts():
            raise ManifestError("signing changed the document")
        self._sealed(has_history)
        return signed

    def _sign_text(self, content: bytes, label: AigcLabel) -> bytes:
        document = open_document(content, self.format)
        if isinstance(document, Markdown):
            content = document.with_end().content
        earlier = read_text(self.original).state
        if earlier is State.MALFORMED:
            self.notes.append(
                "the C2PA manifest of the source is unreadable and was left out"
            )
        has_history = earlier not in (State.ABSENT, State.MALFORMED)
        signed = sign_text(
            content,
            self.document.media_type,
            self._claim(self._title, label, None, ""),
            self.settings.signer,
            parent=self.original if has_history else None,
        )
        reading = read_text(signed)
        if reading.state not in (State.TRUSTED, State.UNTRUSTED):
            raise ManifestError(
                f"the signed text does not verify: {', '.join(reading.failures)}"
            )
        if reading.label != label or unwrapped(signed) != content:
            raise ManifestError("signing changed the text")
        self.manifest = StoredManifest(
            manifest_id=reading.manifest_id, content=store_of(signed)
        )
        self._sealed(has_history)
        return signed

    @property
    def _title(self) -> str:
        return (self.target or self.path or Path("untitled")).name


def label_text(
    text: str,
    wording: str = CORE,
    *,
    place: Place = "start",
    style: str = "line",
    markdown: bool = False,
) -> str:
    r"""Return a text with a notice in it.

    A text that has this very notice at this place is returned as it is. For texts that
    come in chunks there is `label_chunks`.

    Parameters
    ----------
    text : str
        Plain text or Markdown, with any line ends.
    wording : str, optional
        The notice, with both elements of GB 45438-2025, 5.1 b); of no meaning to a
        corner mark.
    place : str or float, optional
        ``"start"``, ``"end"``, or the share of the text before the notice, 0 to 1.
    style : "line" or "corner", optional
        On a line of its own, or as raised letters, which say AI (5.1 c).
    markdown : bool, optional
        Whether it is Markdown: the notice then stands behind front matter, and outside
        of fenced code.

    Raises
    ------
    UsageError
        The wording lacks an element, or the place or style cannot be meant.

    Examples
    --------
    >>> label_text("Hello", place="end")
    'Hello\n\nAI生成'
    """
    said = CORNER_MARK if style == "corner" else wording
    notice = TextNotice(text=said, place=place, style=style)
    # The notice breaks a manifest in the text.
    bare = unwrapped(text.encode("utf-8", "surrogatepass"))
    document = (Markdown if markdown else PlainText).of(
        bare.decode("utf-8", "surrogatepass")
    )
    labeled = _insert(document, notice)
    assert isinstance(labeled, PlainText)
    return text if labeled is document else labeled.text


def _insert(document: Document, notice: TextNotice) -> Document:
    parts = document.parts()
    index = notice.boundary(parts)
    if _stands(parts, index, notice):
        return document
    return document.insert(index, notice.text, raised=notice.raised)


def _stands(parts: Sequence[str], index: int, notice: TextNotice) -> bool:
    """Tell whether the notice stands at its place, or beside that in the middle."""
    if isinstance(notice.place, str):
        index = notice.boundary(parts)
        return _is_at(parts, index, notice)
    # Its own length moves the middle a little.
    return any(_is_at(parts, index + step, notice) for step in (-1, 0, 1))


def _is_at(parts: Sequence[str], index: int, notice: TextNotice) -> bool:
    before = "".join(parts[max(0, index - 1) : max(0, index)])
    after = "".join(parts[max(0, index) : max(0, index + 1)])
    if notice.raised:
        return before.endswith(RAISED) or (index == 0 and after.startswith(RAISED))
    lines = (*before.splitlines()[-1:], *after.splitlines()[:1])
    return notice.text in (line.strip() for line in lines)


def _wraps(document: Document) -> bool:
    """Tell whether a manifest can stand in the characters of a document."""
    return isinstance(document, PlainText) and document.encoding.name == "utf-8"


def _without_manifest(content: bytes, format: str) -> bytes:
    return unwrapped(content) if format in _TEXTS else content


def _shown(document: Document) -> str:
    return "\n\n".join(document.parts())


def _read(document: Document) -> metadata.Reading:
    fields = document.fields(metadata.NAME)
    return metadata.read([(field.place, field.value) for field in fields])
