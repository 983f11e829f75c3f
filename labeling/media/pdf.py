"""PDF documents: what is read in them, and where a notice and a field can stand.

References
----------
ISO 32000-2, 14.3.3 (document information dictionary), 9.7 (composite fonts).
"""

from __future__ import annotations

import io
import itertools
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pikepdf

from ..errors import DamagedMedia, MediaError, MediaTooLarge, UnsupportedFormat
from .document import Document, Field
from .pdf_notice import Drawn, draw
from .pdf_text import OWN, Matrix, page_lines, times, unended

__all__ = ["PdfDocument"]

_MAX_PAGES = 20_000
_READ_PAGES = 20
"""Of long documents so many pages are read at either end."""

_MAX_TREE = 100
_MOST_UNPACKED = 64 << 20
"""Bytes that a stream may unpack to; images are never unpacked here."""

_LEAST_PT, _MOST_PT = 20.0, 1e5
_GAP = 0.4
"""Between a notice and the sides of the page, by its height."""

# qpdf tells of small damage by the log; it is asked for it instead.
logging.getLogger("pikepdf").setLevel(logging.CRITICAL)


class PdfDocument(Document):
    """A PDF file; its parts are its pages."""

    format = "pdf"
    media_type = "application/pdf"
    field_place = "Info key AIGC"

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._parts: list[str] | None = None
        with _opened(content) as pdf:
            count = len(pdf.pages)
            if not count:
                raise DamagedMedia("the PDF document has no pages")
            if count > _MAX_PAGES:
                raise MediaTooLarge(f"the PDF document has {count:,} pages")
            self.locked = _lock(pdf)

    def parts(self) -> list[str]:
        """Return the text of each page, that of the first and last ones at least."""
        if self._parts is None:
            with _opened(self.content) as pdf:
                pages, count = pdf.pages, len(pdf.pages)
                numbers = [*range(_READ_PAGES), *range(count - _READ_PAGES, count)]
                noted = (n for n, page in enumerate(pages) if _has_notice(page))
                numbers += itertools.islice(noted, _READ_PAGES)
                self._parts = [""] * count
                for number in {n for n in numbers if 0 <= n < count}:
                    self._parts[number] = _text(pages[number])
        return list(self._parts)

    def insert(self, index: int, text: str, *, raised: bool) -> PdfDocument:
        """Return the document with a notice on the page.

        It stands in the upper right corner of the page, at the end of the document in
        the lower right one of the last page.
        """
        with _opened(self.content) as pdf:
            pages = pdf.pages
            at_end = index >= len(pages)
            if raised and index:
                index, at_end = index - 1, True
            page = pages[min(index, len(pages) - 1)]
            width, height, matrix = _shown(page)
            drawn = draw(pdf, text, min(width, height), raised=raised)
            _place(pdf, page, drawn, (width, height), matrix, at_end)
            return PdfDocument(_saved(pdf))

    def fields(self, name: str) -> list[Field]:
        """Return the entry of a name in the Info dictionary."""
        with _opened(self.content) as pdf:
            info = pdf.trailer.get("/Info")
            if not isinstance(info, pikepdf.Dictionary) or f"/{name}" not in info:
                return []
            value = info[f"/{name}"]
            return [Field(place=f"Info key {name}", value=str(value))]

    def with_field(self, name: str, value: str) -> PdfDocument:
        """Return the document with an entry of a name in the Info dictionary."""
        with _opened(self.content) as pdf:
            pdf.docinfo[f"/{name}"] = pikepdf.String(value)
            return PdfDocument(_saved(pdf))


@contextmanager
def _opened(content: bytes) -> Iterator[pikepdf.Pdf]:
    before: Any = pikepdf.settings.set_qpdf_limits(
        flate_max_memory=_MOST_UNPACKED, run_length_max_memory=_MOST_UNPACKED
    )
    try:
        with pikepdf.open(io.BytesIO(content), suppress_warnings=True) as pdf:
            yield pdf
    except pikepdf.PasswordError as error:
        raise UnsupportedFormat(
            "the PDF document is encrypted",
            hint="Save it without a password first.",
        ) from error
    except MediaError:
        raise
    except (
        pikepdf.PdfError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        IndexError,
        RuntimeError,
    ) as error:
        raise DamagedMedia("the PDF document is cut off or damaged") from error
    finally:
        pikepdf.settings.set_qpdf_limits(**before)


def _saved(pdf: pikepdf.Pdf) -> bytes:
    """Return the document as a file; streams stay packed as they are.

    A manifest says nothing of a changed document and is left out.
    """
    _drop_manifest(pdf.Root)
    target = io.BytesIO()
    pdf.save(
        target,
        compress_streams=False,
        stream_decode_level=pikepdf.StreamDecodeLevel.none,
        object_stream_mode=pikepdf.ObjectStreamMode.preserve,
        fix_metadata_version=False,
        linearize=pdf.is_linearized,
    )
    return target.getvalue()


def _drop_manifest(root: Any) -> None:
    kept = [file for file in root.get("/AF", []) if not _is_manifest(file)]
    if len(kept) == len(root.get("/AF", [])):
        return
    root.AF = pikepdf.Array(kept)
    if "/EmbeddedFiles" in root.get("/Names", {}):
        files = pikepdf.NameTree(root.Names.EmbeddedFiles)
        for name in [name for name, file in files.items() if _is_manifest(file)]:
            del files[name]
        if not len(files):
            del root.Names["/EmbeddedFiles"]
    if not kept:
        del root["/AF"]


def _is_manifest(file: Any) -> bool:
    return bool(file.get("/AFRelationship") == "/C2PA_Manifest")


def _lock(pdf: pikepdf.Pdf) -> tuple[str, str] | None:
    """Say why the document must not be changed."""
    if pdf.is_encrypted:
        return "the PDF document is encrypted", "Save it without encryption first."
    if _is_signed(pdf.Root):
        return (
            "the PDF document is signed, and a label would break the signature",
            "Label it first, and sign it then.",
        )
    if warnings := pdf.get_warnings():
        first = str(warnings[0]).rpartition(": ")[2]
        return (
            f"the PDF document is damaged: {first[:120]}",
            "Save it anew with another program first.",
        )
    return None


def _is_signed(root: Any) -> bool:
    form = root.get("/AcroForm", {})
    if "/Perms" in root or int(form.get("/SigFlags", 0)) & 1:
        return True
    fields = form.get("/Fields", [])
    return any(field.get("/FT") == "/Sig" and "/V" in field for field in fields)


def _shown(page: pikepdf.Page) -> tuple[float, float, Matrix]:
    """Return the size of a page as shown, and the matrix from there to its space."""
    box = [float(value) for value in page.cropbox]
    (left, right), (low, high) = sorted(box[0::2]), sorted(box[1::2])
    width, height = right - left, high - low
    if not (_LEAST_PT <= width <= _MOST_PT and _LEAST_PT <= height <= _MOST_PT):
        raise DamagedMedia(
            f"a page of the PDF document is {width:g} x {height:g} points large"
        )
    turn = _turn(page)
    if turn == 90:
        return height, width, (0, 1, -1, 0, right, low)
    if turn == 180:
        return width, height, (-1, 0, 0, -1, right, high)
    if turn == 270:
        return height, width, (0, -1, 1, 0, left, high)
    return width, height, (1, 0, 0, 1, left, low)


def _turn(page: pikepdf.Page) -> int:
    """Return by how many degrees the page is turned, clockwise; it may be inherited."""
    node: Any = page.obj
    for _ in range(_MAX_TREE):
        if "/Rotate" in node:
            return int(node.Rotate) % 360
        if "/Parent" not in node:
            break
        node = node.Parent
    return 0


def _place(
    pdf: pikepdf.Pdf,
    page: pikepdf.Page,
    drawn: Drawn,
    size: tuple[float, float],
    matrix: Matrix,
    at_end: bool,
) -> None:
    """Lay a notice over a page, in its upper or lower right corner as shown."""
    width, height = size
    gap = _GAP * drawn.height
    # On a page too narrow for it, it shrinks.
    scale = min(1.0, (width - 2 * gap) / drawn.width)
    x = width - gap - scale * drawn.width
    y = gap if at_end else height - gap - scale * drawn.height
    moved = times((scale, 0, 0, scale, x, y), matrix)
    name = page.add_resource(
        drawn.form, pikepdf.Name.XObject, pikepdf.Name(f"{OWN}{_number(page)}")
    )
    numbers = " ".join(f"{value:.4f}" for value in moved)
    # What the page leaves behind, such as a turned system of coordinates, ends here.
    ends = "Q " * (1 + unended(page))
    page.contents_add(b"q\n", prepend=True)
    page.contents_add(f"\n{ends}q {numbers} cm {name} Do Q\n".encode())


def _number(page: pikepdf.Page) -> int:
    forms: Any = page.resources.get("/XObject", pikepdf.Dictionary())
    return 1 + len([name for name in forms.keys() if name.startswith(OWN)])  # noqa: SIM118


def _has_notice(page: pikepdf.Page) -> bool:
    return _number(page) > 1


def _text(page: pikepdf.Page) -> str:
    width, height, matrix = _shown(page)
    a, b, c, d, e, f = matrix
    # Turned back (the turns are orthogonal), the middle of the page at the origin.
    back = (a, c, b, d, -a * e - b * f - width / 2, -c * e - d * f - height / 2)
    try:
        return "\n".join(page_lines(page, back)).strip()
    except MediaTooLarge:
        return ""  # such as a map; it can be labeled all the same
