"""The notice as it is drawn on a PDF page: text that can be selected, on a plate.

References
----------
ISO 32000-2, 8.10 (form XObjects), 9.7.4 (CIDFonts), 9.10.3 (ToUnicode CMaps).
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from importlib import resources
from typing import Any

import pikepdf

from ..errors import UnsupportedFormat

__all__ = ["Drawn", "draw"]

_FONT = "SMKNTC+SynthmarkNotice"
# By the shorter side of the page, and in points: what is set smaller is not read.
_SIZE, _LEAST = 0.02, 9.0
_RAISED = 0.8
# By its size, at the sides and above: low enough for a margin of half an inch.
_PADDING, _ABOVE = 0.5, 0.25
_INK, _GROUND, _LINE = "0.1 0.1 0.1", "0.96 0.96 0.96", "0.46 0.46 0.46"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A notice that can be placed on a page.

    Parameters
    ----------
    form : pikepdf.Stream
        The form XObject, its lower left corner at the origin.
    width, height : float
        In points.
    """

    form: Any
    width: float
    height: float


def draw(pdf: pikepdf.Pdf, text: str, side: float, *, raised: bool) -> Drawn:
    """Return a notice for a page.

    Parameters
    ----------
    pdf : pikepdf.Pdf
        The document that the page is in.
    text : str
        What it says; all characters in the font.
    side : float
        Shorter side of the page, in points.
    raised : bool
        Whether it is a corner mark, which is smaller.

    Raises
    ------
    UnsupportedFormat
        The font lacks a character.
    """
    size = max(_LEAST, _SIZE * side) * (_RAISED if raised else 1)
    glyphs, font = _font(pdf, text)
    advance = sum(glyphs[character][1] for character in text) * size / 1000
    width, height = advance + 2 * _PADDING * size, size * (1 + 2 * _ABOVE)
    codes = "".join(f"{glyphs[character][0]:04X}" for character in text)
    # A little above the lower padding: letters go below the line less than above it.
    x, y = _PADDING * size, (_ABOVE + 0.16) * size
    content = (
        f"{_GROUND} rg {_LINE} RG 0.5 w 0 0 {width:.2f} {height:.2f} re B\n"
        f"BT {_INK} rg /F {size:.2f} Tf {x:.2f} {y:.2f} Td <{codes}> Tj ET\n"
    )
    form = pdf.make_stream(content.encode())
    form.Type, form.Subtype = pikepdf.Name.XObject, pikepdf.Name.Form
    right, top = round(width + 0.5, 2), round(height + 0.5, 2)
    form.BBox = pikepdf.Array([-0.5, -0.5, right, top])
    form.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F=font))
    return Drawn(form=form, width=width, height=height)


def _font(pdf: pikepdf.Pdf, text: str) -> tuple[dict[str, tuple[int, int]], Any]:
    """Embed what a text needs of the notice font; return numbers, widths and font."""
    # Loaded late: nothing else needs it.
    from fontTools import subset
    from fontTools.ttLib import TTFont

    with (
        resources.files("synthmark")
        .joinpath("labeling", "notices", "fonts", "synthmark-notice.otf")
        .open("rb") as file
    ):
        face = TTFont(io.BytesIO(file.read()))
    lacking = set(text) - {chr(code) for code in face.getBestCmap()}
    if lacking:
        raise UnsupportedFormat(f"the notice font has no {min(lacking)!r}")
    options = subset.Options(
        layout_features=[], desubroutinize=True, notdef_outline=True, hinting=False
    )
    cutter = subset.Subsetter(options)
    cutter.populate(text=text)
    cutter.subset(face)
    em = face["head"].unitsPerEm
    names = face.getBestCmap()
    glyphs = {
        character: (
            # The font is keyed by numbers, which it names its glyphs by.
            int(names[ord(character)].removeprefix("cid")),
            round(face["hmtx"][names[ord(character)]][0] * 1000 / em),
        )
        for character in dict.fromkeys(text)
    }
    program = pdf.make_stream(face.getTableData("CFF "))
    program.Subtype = pikepdf.Name.CIDFontType0C
    outlines = face["CFF "].cff.topDictIndex[0].FontBBox
    descriptor = pdf.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.FontDescriptor,
            FontName=pikepdf.Name(f"/{_FONT}"),
            Flags=4,
            FontBBox=pikepdf.Array([round(side * 1000 / em) for side in outlines]),
            ItalicAngle=0,
            Ascent=880,
            Descent=-120,
            CapHeight=737,
            StemV=90,
            FontFile3=program,
        )
    )
    widths = [part for code, width in glyphs.values() for part in (code, [width])]
    descendant = pdf.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Font,
            Subtype=pikepdf.Name.CIDFontType0,
            BaseFont=pikepdf.Name(f"/{_FONT}"),
            CIDSystemInfo=pikepdf.Dictionary(
                Registry=pikepdf.String("Adobe"),
                Ordering=pikepdf.String("Identity"),
                Supplement=0,
            ),
            FontDescriptor=descriptor,
            DW=1000,
            W=pikepdf.Array(widths),
        )
    )
    font = pdf.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Font,
            Subtype=pikepdf.Name.Type0,
            BaseFont=pikepdf.Name(f"/{_FONT}"),
            Encoding=pikepdf.Name("/Identity-H"),
            DescendantFonts=pikepdf.Array([descendant]),
            ToUnicode=pdf.make_stream(_to_unicode(glyphs)),
        )
    )
    return glyphs, font


def _to_unicode(glyphs: dict[str, tuple[int, int]]) -> bytes:
    """Return the map from glyphs back to characters, for whoever selects the text."""
    pairs = [
        f"<{code:04X}> <{character.encode('utf-16-be').hex().upper()}>"
        for character, (code, _) in glyphs.items()
    ]
    lines = "\n".join(pairs)
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
        f"{len(pairs)} beginbfchar\n{lines}\nendbfchar\n"
        "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
    ).encode()
