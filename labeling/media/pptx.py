"""Presentations: what is read on their slides, and where a notice can stand.

A notice is a box of text on a plate in a corner of a slide, above all else there.

References
----------
ISO/IEC 29500-1, 19.3 (slides), 20.1 (DrawingML shapes), 21.1.2 (text).
"""

from __future__ import annotations

from xml.sax.saxutils import escape

from ..errors import DamagedMedia, MediaTooLarge, UnsupportedFormat
from .document import MAX_TEXT_BYTES
from .office import PRESENTATION_TYPE, OfficeDocument, relations
from .package import edited, walk

__all__ = ["PresentationDocument"]

# Files of the strict form of the standard have other namespaces: of the slides, of
# what is drawn on them, and of relationships.
_OPEN = "http://schemas.openxmlformats.org"
_STRICT = "http://purl.oclc.org/ooxml"
_SPACES = {
    f"{_OPEN}/presentationml/2006/main": (
        f"{_OPEN}/drawingml/2006/main",
        f"{_OPEN}/officeDocument/2006/relationships",
    ),
    f"{_STRICT}/presentationml/main": (
        f"{_STRICT}/drawingml/main",
        f"{_STRICT}/officeDocument/relationships",
    ),
}
_FALLBACK = f"{_OPEN}/markup-compatibility/2006 Fallback"
_NAME = "AIGC notice"
_MARK, _RAISED = "AI", "ᴬᴵ"
_SHAPES = ("sp", "grpSp", "graphicFrame", "pic", "cxnSp")

_EMU_PER_POINT = 12_700
_LEAST_SIDE, _MOST_SIDE = 914_400, 51_206_400
_USUAL = (9_144_000, 6_858_000)
# By the shorter side of the slide, and in points: it is read from afar.
_SIZE, _LEAST = 0.032, 10.0
# By its size.
_PADDING, _HEIGHT, _GAP, _LATIN, _RAISED_SIZE = 0.5, 1.7, 0.5, 0.66, 1.2


class PresentationDocument(OfficeDocument):
    """A PPTX file."""

    format = "pptx"
    media_type = (
        "application/vnd.openxmlformats-officedocument.presentationml.presentation"
    )
    main_type = PRESENTATION_TYPE
    _slides: list[_Slide] | None = None

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        listing = _Presentation(self.package.read(self.main))
        self.width, self.height = listing.size
        named = {one.id: one.target for one in relations(self.package, self.main)}
        self.places = [named.get(id, "") for id in listing.slides]

    def parts(self) -> list[str]:
        """Return the text of each slide that is shown."""
        return [slide.text for slide in self.slides]

    @property
    def slides(self) -> list[_Slide]:
        """The slides that are shown."""
        if self._slides is None:
            sizes = self.package.sizes
            if sum(sizes.get(place, 0) for place in self.places) > MAX_TEXT_BYTES:
                raise MediaTooLarge(
                    f"the slides have more than {MAX_TEXT_BYTES:,} bytes",
                    hint="Label the presentation in parts.",
                )
            made = (
                _Slide(place, self.package.read(place), (self.width, self.height))
                for place in dict.fromkeys(self.places)
                if place in sizes
            )
            self._slides = [slide for slide in made if slide.is_shown]
        return self._slides

    def insert(self, index: int, text: str, *, raised: bool) -> PresentationDocument:
        """Return the presentation with a notice on a slide.

        It stands in the upper right corner of the slide, at the end of the presentation
        in the lower right one of the last slide.

        Raises
        ------
        UnsupportedFormat
            There is no slide that is shown.
        """
        slides = self.slides
        if not slides:
            raise UnsupportedFormat(
                "the presentation shows no slides", hint="Add one first."
            )
        at_end = index >= len(slides)
        if raised and index:
            index, at_end = index - 1, True
        slide = slides[min(index, len(slides) - 1)]
        size = max(_LEAST, _SIZE * min(self.width, self.height) / _EMU_PER_POINT)
        if raised:
            size *= _RAISED_SIZE
        shape = self._shape(slide, text, size, raised=raised, at_end=at_end)
        part = edited(slide.content, [(slide.end, slide.end, shape)])
        return PresentationDocument(self.package.replaced({slide.place: part}))

    def _shape(
        self, slide: _Slide, text: str, size: float, *, raised: bool, at_end: bool
    ) -> str:
        em = size * _EMU_PER_POINT
        advance = sum(1 if letter >= "\u2e80" else _LATIN for letter in text)
        # In a slide too narrow for it, it shrinks.
        gap = _GAP * em
        share = min(1.0, (self.width - 2 * gap) / ((advance + 2 * _PADDING) * em))
        em, size = em * share, size * share
        width, height = round((advance + 2 * _PADDING) * em), round(_HEIGHT * em)
        x = round(self.width - gap - width)
        y = round(self.height - gap - height if at_end else gap)
        drawing = _SPACES[slide.space][0]
        style = ' baseline="30000"' if raised else ""
        padding = round(_PADDING * em / 2)
        return (
            f'<p:sp xmlns:p="{slide.space}" xmlns:a="{drawing}"><p:nvSpPr>'
            f'<p:cNvPr id="{slide.free_id}" name="{_NAME}"/>'
            '<p:cNvSpPr txBox="1"/><p:nvPr userDrawn="1"/></p:nvSpPr><p:spPr><a:xfrm>'
            f'<a:off x="{x}" y="{y}"/><a:ext cx="{width}" cy="{height}"/></a:xfrm>'
            '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom>'
            '<a:solidFill><a:srgbClr val="F5F5F5"/></a:solidFill>'
            '<a:ln w="6350"><a:solidFill><a:srgbClr val="767676"/></a:solidFill></a:ln>'
            f'</p:spPr><p:txBody><a:bodyPr wrap="none" lIns="{padding}" tIns="0" '
            f'rIns="{padding}" bIns="0" rtlCol="0" anchor="ctr"><a:noAutofit/>'
            '</a:bodyPr><a:lstStyle/><a:p><a:pPr algn="ctr"/>'
            f'<a:r><a:rPr lang="zh-CN" altLang="en-US" sz="{round(size * 100)}" b="1"'
            f'{style}><a:solidFill><a:srgbClr val="1A1A1A"/></a:solidFill></a:rPr>'
            f"<a:t>{escape(text)}</a:t></a:r></a:p></p:txBody></p:sp>"
        )


class _Presentation:
    """The main part: which slides there are, and their size in EMU."""

    def __init__(self, content: bytes) -> None:
        self.slides: list[str] = []
        self.size = _USUAL
        self._space = ""
        walk(content, self._start, lambda *_: None)

    def _start(self, name: str, attributes: dict[str, str], place: int) -> None:
        space, _, local = name.rpartition(" ")
        if not self._space:
            self._space = space
            if space not in _SPACES or local != "presentation":
                raise DamagedMedia("the main part of the document is no presentation")
        if space != self._space:
            return
        if local == "sldId":
            self.slides.append(attributes.get(f"{_SPACES[space][1]} id", ""))
        elif local == "sldSz":
            sides = [_number(attributes.get(side, "")) for side in ("cx", "cy")]
            if not all(_LEAST_SIDE <= side <= _MOST_SIDE for side in sides):
                raise DamagedMedia(f"the slides are {sides[0]} x {sides[1]} EMU large")
            self.size = (sides[0], sides[1])


class _Slide:
    """The text of a slide, and where a shape can follow the others."""

    def __init__(self, place: str, content: bytes, size: tuple[int, int]) -> None:
        self.place, self.content, self._size = place, content, size
        self.space = self._drawing = ""
        self.is_shown = True
        self.end = -1
        self.free_id = 2
        self._path: list[str] = []
        self._fallback = 0
        self._hidden_at = 0
        self._name, self._top = "", 0
        self._outside = self._raised = False
        self._said: list[str] = []
        self._shapes: list[tuple[int, str]] = []
        walk(content, self._start, self._close, self._text)
        if self.end < 0:
            raise DamagedMedia("a slide has no shapes")
        # Ours stand where they are: before what is below them, or behind it all.
        ordered = sorted(self._shapes, key=lambda one: one[0])
        self.text = "\n\n".join(text for _, text in ordered)

    def _start(self, name: str, attributes: dict[str, str], place: int) -> None:
        space, _, local = name.rpartition(" ")
        if not self._path:
            self.space = space
            if space not in _SPACES or local != "sld":
                raise DamagedMedia("a slide of the presentation is none")
            self._drawing = _SPACES[space][0]
            self.is_shown = attributes.get("show", "1") not in ("0", "false")
        self._path.append(name)
        self._fallback += name == _FALLBACK
        depth = len(self._path)
        if depth == 4 and local in (*_SHAPES, "AlternateContent"):
            self._said, self._name, self._outside = [], "", False
        if depth == 4 and space == self.space and local == "extLst" and self.end < 0:
            self.end = place
        if local == "cNvPr":
            self.free_id = max(self.free_id, _number(attributes.get("id", "")) + 1)
            if depth == 6:
                self._name = attributes.get("name", "")
            if attributes.get("hidden", "0") in ("1", "true") and not self._hidden_at:
                self._hidden_at = depth - 2
        elif local == "off" and depth == 7:
            values = [_number(attributes.get(name, "")) for name in ("x", "y")]
            self._top = values[1]
            self._outside = any(
                abs(value) >= side
                for value, side in zip(values, self._size, strict=True)
            )
        elif local == "rPr":
            self._raised = _number(attributes.get("baseline", "").rstrip("%")) > 0
        elif local == "r":
            self._raised = False
        elif local == "br":
            self._said.append("\n")

    def _text(self, characters: str) -> None:
        if (
            self._path[-1] != f"{self._drawing} t"
            or self._fallback
            or self._hidden_at
            or self._outside
        ):
            return
        if self._raised and characters.strip() == _MARK:
            characters = _RAISED
        self._said.append(characters)

    def _close(self, name: str, inside: int, stop: int) -> None:
        depth = len(self._path)
        self._path.pop()
        self._fallback -= name == _FALLBACK
        if depth == self._hidden_at:
            self._hidden_at = 0
        if name == f"{self._drawing} p":
            self._said.append("\n")
        elif depth == 4 and (said := "".join(self._said).strip()):
            order = 0
            if self._name == _NAME:
                order = -1 if self._top < self._size[1] / 2 else 1
            self._shapes.append((order, said))
            self._said = []
        elif name == f"{self.space} spTree" and self.end < 0 and stop > inside:
            self.end = inside


def _number(text: str) -> int:
    """Return a number that is written down; 0 for anything else."""
    sign = -1 if text.startswith("-") else 1
    digits = text.removeprefix("-")
    return sign * int(digits[:12]) if digits.isdecimal() else 0
