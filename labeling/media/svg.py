"""SVG drawings: what is shown of them, what they say, and where a notice can stand.

A drawing is read as text. Nothing in it is run, drawn or fetched; entities of its own
it may not declare.

References
----------
SVG 2, 5.1 (document structure), 8 (coordinate systems), 11 (text); CSS Values 3, 6.2.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ..errors import DamagedMedia, MediaTooLarge, UnsupportedFormat
from .document import MAX_TEXT_BYTES
from .package import edited, walk

__all__ = ["MEDIA_TYPE", "Drawing", "Spelled"]

MEDIA_TYPE = "image/svg+xml"

_SPACE = "http://www.w3.org/2000/svg"
_MANIFEST = "http://c2pa.org/manifest manifest"
_MAX_ELEMENTS = 500_000
_MAX_SPELLED = 100_000
_MAX_TEXTS = 10_000
_MAX_STYLE = 1_000
_MAX_VALUE = 200
# What is in them is not shown where it stands.
_UNSHOWN = frozenset(
    {
        *("clipPath", "defs", "desc", "filter", "linearGradient", "marker", "mask"),
        *("metadata", "pattern", "radialGradient", "script", "style", "symbol"),
        "title",
    }
)
# What may stand behind a notice without covering it.
_COVERS_NOTHING = _UNSHOWN | {"view"}
_HIDING = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)"
    r"|(?:fill-)?opacity\s*:\s*(?:0+(?:\.0*)?|\.0+)\s*(?:;|!|$))"
)
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_LENGTH = re.compile(rf"\s*({_NUMBER})\s*(px|pt|pc|mm|cm|in|Q|r?em|ex|)\s*")
_NUMBERS = re.compile(rf"({_NUMBER})")
_STEP = re.compile(r"(matrix|translate|scale|rotate)\s*\(([^()]*)\)")
_FONT_SIZE = re.compile(r"(?:^|;)\s*font-size\s*:\s*([^;]+)")
_PX = {
    "": 1.0,
    "px": 1.0,
    "pt": 4 / 3,
    "pc": 16.0,
    "mm": 96 / 25.4,
    "cm": 96 / 2.54,
    "in": 96.0,
    "Q": 96 / 101.6,
    "em": 16.0,
    "rem": 16.0,
    "ex": 8.0,
}
# Where neither the drawing nor its surroundings tell, in pixels.
_USUAL = (300.0, 150.0)
_LEAST, _MOST = 1e-6, 1e7

_Matrix = tuple[float, float, float, float, float, float]
_UNMOVED: _Matrix = (1, 0, 0, 1, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelled:
    """A text in a drawing: what it says, where it begins, and the size of its font."""

    text: str
    x: float
    y: float
    size: float


class Drawing:
    """An SVG file.

    Parameters
    ----------
    content : bytes
        The file, in UTF-8.

    Attributes
    ----------
    x, y, width, height : float
        What is shown, in the units of the drawing.
    short : float
        Shorter side of the whole picture, in the same units: more than those of the
        drawing where a margin is left around it.
    size_px : tuple of float
        Width and height that it has by itself, in pixels.
    elastic : bool
        Whether all of the drawing is shown, whatever its surroundings.
    styled : bool
        Whether style sheets or scripts may change how it looks.
    texts : tuple of Spelled
        What can be read in it.
    signable : bool
        Whether a manifest can be put into it.

    Raises
    ------
    DamagedMedia
        It is malformed, or nothing of it is shown.
    MediaTooLarge
        It has more than 64 MiB or 500,000 elements.
    UnsupportedFormat
        It is not in UTF-8.
    """

    def __init__(self, content: bytes) -> None:
        if len(content) > MAX_TEXT_BYTES:
            raise MediaTooLarge(
                f"the drawing has {len(content):,} bytes, more than {MAX_TEXT_BYTES:,}"
            )
        try:
            content.decode()
        except UnicodeDecodeError as error:
            raise UnsupportedFormat(
                "the drawing is not in UTF-8", hint="Save it as UTF-8 first."
            ) from error
        self.content = content
        read = _Reader(content)
        self.texts = tuple(read.texts)
        self.styled = read.styled
        self.signable = content.startswith(b"<svg", read.start)
        self._read = read
        self._measure(read.root)

    def _measure(self, root: dict[str, str]) -> None:
        sides = [_length(root.get(name, "")) for name in ("width", "height")]
        box = [
            float(one) for one in _NUMBERS.findall(root.get("viewBox", "")[:_MAX_VALUE])
        ]
        if 0.0 in sides or (len(box) == 4 and 0 in box[2:]):
            raise DamagedMedia("the drawing has no size: nothing of it is shown")
        self.elastic = True
        self.x = self.y = 0.0
        fixed = (sides[0], sides[1]) if sides[0] and sides[1] else None
        if len(box) != 4 or min(box[2:]) < 0:
            self.width, self.height = self.size_px = fixed or _USUAL
            self.short = min(self.size_px)
        else:
            self.x, self.y, self.width, self.height = box
            self._fit(fixed, root.get("preserveAspectRatio", ""))
        measures = (self.width, self.height, *self.size_px)
        if not all(_LEAST <= one <= _MOST for one in measures) or not all(
            abs(one) <= _MOST for one in (self.x, self.y)
        ):
            raise DamagedMedia(
                f"the drawing is {self.width:g} x {self.height:g} units large"
            )

    def _fit(self, fixed: tuple[float, float] | None, ratio: str) -> None:
        """Fit the drawing's own rectangle into its size."""
        width, height = self.width, self.height
        self.short, self.size_px = min(width, height), (width, height)
        if fixed is None:
            return
        self.size_px = fixed
        scales = (fixed[0] / width, fixed[1] / height)
        if "none" in ratio:
            # Letters are stretched too; their height counts.
            self.short = max(self.short, min(fixed) / scales[1])
        elif "slice" in ratio:
            scale = max(scales)
            self.width, self.height = fixed[0] / scale, fixed[1] / scale
            shares = (_share(ratio, "x"), _share(ratio, "Y"))
            self.x += shares[0] * (width - self.width)
            self.y += shares[1] * (height - self.height)
            self.short = min(self.width, self.height)
            self.elastic = False
        else:
            self.short = min(fixed) / min(scales)

    @property
    def short_px(self) -> float:
        """Shorter side in pixels, at its own size."""
        return min(self.size_px)

    def elements(self, kind: str) -> list[str]:
        """Return the elements of a class, as written, that nothing is drawn over.

        Parameters
        ----------
        kind : str
            The class.
        """
        return [
            self.content[start:stop].decode()
            for known, start, stop in self._read.last
            if known == kind
        ]

    def with_element(self, element: str, kind: str) -> Drawing:
        """Return the drawing with one element of a class, drawn over all others.

        Parameters
        ----------
        element : str
            In ASCII, with its namespace.
        kind : str
            Its class; earlier ones of it are taken out.
        """
        read = self._read
        earlier = [(one[1], one[2], "") for one in read.classed if one[0] == kind]
        if read.inside == read.stop:
            # "<svg/>" is opened for it.
            close = self.content.rindex(b"/>", 0, read.stop)
            name = self.content[read.start + 1 :].split(None, 1)[0].split(b"/")[0]
            changes = [(close, read.stop, f">{element}</{name.decode()}>")]
        else:
            changes = [(read.inside, read.inside, element)]
        return Drawing(edited(self.content, [*earlier, *changes]))

    def without_manifest(self) -> Drawing:
        """Return the drawing without C2PA manifests.

        One says nothing of a drawing that has been changed.
        """
        if not self._read.manifests:
            return self
        gone = [(start, stop, "") for start, stop in self._read.manifests]
        return Drawing(edited(self.content, gone))


class _Reader:
    """Goes through a drawing once."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.root: dict[str, str] = {}
        self.start = self.inside = self.stop = -1
        self.styled = b"<?xml-stylesheet" in content
        self.texts: list[Spelled] = []
        # Elements in the root that have a class; of these, what nothing is drawn over.
        self.classed: list[tuple[str, int, int]] = []
        self.last: list[tuple[str, int, int]] = []
        self.manifests: list[tuple[int, int]] = []
        self._count = self._spelled = 0
        self._path: list[str] = []
        self._states: list[tuple[_Matrix, float, bool]] = [(_UNMOVED, 16.0, True)]
        self._starts: list[tuple[int, str]] = []
        self._text_depth = 0
        self._said: list[str] = []
        self._at = (0.0, 0.0)
        walk(content, self._open, self._close, self._text, doctype=True)

    def _open(self, name: str, attributes: dict[str, str], place: int) -> None:
        self._count += 1
        if self._count > _MAX_ELEMENTS:
            raise MediaTooLarge(
                f"the drawing has more than {_MAX_ELEMENTS:,} elements",
                hint="Save it as a picture of pixels, such as PNG.",
            )
        space, _, local = name.rpartition(" ")
        if space != _SPACE:
            local = ""
        if not self._path:
            if local != "svg":
                raise UnsupportedFormat(
                    "the file is XML, but not an SVG drawing",
                    hint="Its root is an svg element in the namespace of SVG.",
                )
            self.root, self.start = attributes, place
        elif len(self._path) == 1 and local and local not in _COVERS_NOTHING:
            self.last = []
        self.styled |= local in ("style", "script")
        self._path.append(name)
        self._starts.append((place, attributes.get("class", "")))
        matrix, size, shown = self._states[-1]
        style = attributes.get("style", "")[:_MAX_STYLE]
        shown = shown and (
            local not in _UNSHOWN
            and attributes.get("display") != "none"
            and attributes.get("visibility") not in ("hidden", "collapse")
            and attributes.get("opacity") not in ("0", "0.0", "0%")
            and not _HIDING.search(style)
        )
        size = _font_size(attributes, style, size)
        if len(self._path) > 1 and "transform" in attributes:
            matrix = _moved(attributes["transform"], matrix)
        self._states.append((matrix, size, shown))
        if local == "text" and not self._text_depth:
            self._text_depth, self._said = len(self._path), []
            self._at = (_first(attributes, "x"), _first(attributes, "y"))

    def _text(self, characters: str) -> None:
        shown = self._states[-1][2]
        if self._text_depth and shown and self._spelled < _MAX_SPELLED:
            self._spelled += len(characters)
            self._said.append(characters)

    def _close(self, name: str, inside: int, stop: int) -> None:
        if len(self._path) == self._text_depth:
            self._text_depth = 0
            said = "".join(self._said).strip()
            (a, b, c, d, e, f), size, shown = self._states[-1]
            if said and shown and len(self.texts) < _MAX_TEXTS:
                x, y = self._at
                self.texts.append(
                    Spelled(
                        text=said,
                        x=a * x + c * y + e,
                        y=b * x + d * y + f,
                        size=size * math.hypot(c, d),
                    )
                )
        self._path.pop()
        *_, is_shown = self._states.pop()
        start, kind = self._starts.pop()
        if not self._path:
            self.inside, self.stop = inside, stop
        elif len(self._path) == 1 and kind:
            self.classed.append((kind, start, stop))
            if is_shown:
                self.last.append((kind, start, stop))
        if name == _MANIFEST:
            self.manifests.append((start, stop))


def _length(written: str) -> float | None:
    """Return a length in pixels; None where it depends on the surroundings."""
    found = None if len(written) > _MAX_VALUE else _LENGTH.fullmatch(written)
    return abs(float(found[1])) * _PX[found[2]] if found else None


def _share(ratio: str, axis: str) -> float:
    """Return how much of what is cut off is cut off in front."""
    return {"Min": 0.0, "Max": 1.0}.get(ratio.partition(axis)[2][:3], 0.5)


def _font_size(attributes: dict[str, str], style: str, size: float) -> float:
    """Return the size of the font at an element, inside of one with another size."""
    named = _FONT_SIZE.search(style)
    written = (named[1] if named else attributes.get("font-size", "")).strip()
    if written.endswith("em") and not written.endswith("rem"):
        scale = _length(written.removesuffix("em"))
        return size if scale is None else size * scale
    if written.endswith("%"):
        scale = _length(written.removesuffix("%"))
        return size if scale is None else size * scale / 100
    found = _length(written) if written else None
    return size if found is None else found


def _first(attributes: dict[str, str], name: str) -> float:
    found = _NUMBERS.match(attributes.get(name, "")[:_MAX_VALUE].strip())
    return float(found[1]) if found else 0.0


def _moved(written: str, matrix: _Matrix) -> _Matrix:
    """Return a matrix with transformations inside of it."""
    for kind, inside in _STEP.findall(written[:_MAX_STYLE]):
        values = [float(one) for one in _NUMBERS.findall(inside)] or [0.0]
        step: _Matrix = _UNMOVED
        if kind == "matrix" and len(values) == 6:
            step = (values[0], values[1], values[2], values[3], values[4], values[5])
        elif kind == "translate":
            step = (1, 0, 0, 1, values[0], [*values, 0.0][1])
        elif kind == "scale":
            step = (values[0], 0, 0, values[-1], 0, 0)
        elif kind == "rotate":
            angle = math.radians(values[0])
            cos, sin = math.cos(angle), math.sin(angle)
            x, y = values[1:3] if len(values) == 3 else (0.0, 0.0)
            step = (cos, sin, -sin, cos, x - cos * x + sin * y, y - sin * x - cos * y)
        a, b, c, d, e, f = matrix
        p, q, r, s, t, u = step
        matrix = (
            *(a * p + c * q, b * p + d * q),
            *(a * r + c * s, b * r + d * s),
            *(a * t + c * u + e, b * t + d * u + f),
        )
    return matrix
