"""SVG: XMP in a metadata element (ISO 16684-3, 2.8; TC260-PG-20259A, clause 6).

Bytes outside of the packet stay as they are. Other RDF, such as that of Inkscape, is
left alone unless it carries a label or a source type.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from html import escape
from xml.parsers import expat

from ..errors import DamagedMedia
from . import aigc, xmp
from .carrier import MAX_CARRIERS, Carrier, Kind, Survey

__all__ = ["is_svg", "read_carriers", "replace_xmp"]

_XMP = "adobe:ns:meta/"
_PACKET, _RDF = f"{_XMP} xmpmeta", f"{xmp.RDF} RDF"
_METADATA = "http://www.w3.org/2000/svg metadata"
_OURS = (b"AIGC", b"DigitalSourceType")
_MAX_ELEMENTS, _MAX_DEPTH = 1_000_000, 1_000
_BEGINNING = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*+(?>(?:<\?[^>]*+>|<!--(?>(?:(?!-->).)*+)-->"
    rb"|<!DOCTYPE[^>\[]*+(?:\[[^\]]*+\]\s*+)?>)\s*+)*+<(?:[\w.-]++:)?svg[\s/>]",
    re.DOTALL,
)
_TAG = re.compile(rb"<([^\s/>]++)(?:[^>\"'/]++|\"[^\"]*+\"|'[^']*+'|/(?!>))*+(/?)>")
_BEGIN = re.compile(rb"<\?xpacket begin[^>]{0,100}\?>\s{0,100}\Z")
_END = re.compile(rb"\s*+<\?xpacket end[^>]{0,100}\?>")
_NEAR, _PADDING = 250, 1 << 16


def is_svg(content: bytes) -> bool:
    """Tell whether the file begins as SVG does."""
    return _BEGINNING.match(content) is not None


def read_carriers(content: bytes) -> Survey:
    """Find the XMP packets, and texts in metadata that mean to be a label."""
    try:
        blocks = _Reader(content).blocks
    except DamagedMedia as error:
        problem = f"{error.problem}, and its metadata is not read"
        return Survey(carriers=(), problems=(problem,), complete=False)
    complete = len(blocks) <= MAX_CARRIERS
    return Survey(
        carriers=tuple(block.carrier for block in blocks[:MAX_CARRIERS]),
        problems=() if complete else (f"more than {MAX_CARRIERS} XMP packets",),
        complete=complete,
    )


def replace_xmp(content: bytes, packet: bytes) -> bytes:
    """Put one XMP packet into the drawing, in place of all earlier labels.

    It takes the place of the first packet, or stands in the first metadata element of
    the drawing, or in a new one in front of all others.

    Raises
    ------
    DamagedMedia
        The drawing is malformed.
    """
    reader = _Reader(content)
    # In ASCII it reads the same, whatever encoding the drawing names.
    text = packet.decode().replace("\ufeff", "").encode("ascii", "xmlcharrefreplace")
    changes = [(*block.whole(content), b"") for block in reader.blocks]
    packets = [n for n, one in enumerate(reader.blocks) if one.carrier.kind is Kind.XMP]
    if packets:
        start, stop, _ = changes[packets[0]]
        changes[packets[0]] = (start, stop, text)
    else:
        changes.append(reader.new(text))
    pieces, position = [], 0
    for start, stop, new in sorted(changes):
        pieces += [content[position:start], new]
        position = stop
    return b"".join([*pieces, content[position:]])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """A stretch of a file, and what it carries."""

    start: int
    stop: int
    carrier: Carrier

    def whole(self, content: bytes) -> tuple[int, int]:
        """Return where it stands, with what frames a packet."""
        near = max(0, self.start - _NEAR)
        before = _BEGIN.search(content[near : self.start])
        after = _END.match(content[self.stop : self.stop + _PADDING])
        return (
            near + before.start() if before else self.start,
            self.stop + (after.end() if after else 0),
        )


class _Reader:
    """Goes through a drawing once."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.blocks: list[_Block] = []
        self._count = 0
        self._root = -1
        # The first metadata element of the drawing: where its content ends.
        self._metadata: int | None = None
        self._path: list[tuple[str, int]] = []
        self._spaces: list[tuple[str, str]] = []
        self._own = self._rdf = 0
        self._outer: dict[str, str] = {}
        self._said: list[str] = []
        self._fresh = self._leaf = False
        self._parser = parser = expat.ParserCreate("UTF-8", " ")
        parser.buffer_text = True
        parser.StartElementHandler = self._open
        parser.EndElementHandler = self._close
        parser.CharacterDataHandler = self._text
        parser.StartNamespaceDeclHandler = self._declare
        parser.EndNamespaceDeclHandler = lambda _: self._spaces.pop()
        parser.StartDoctypeDeclHandler = self._doctype
        try:
            parser.Parse(content, True)
        except expat.ExpatError as error:
            raise DamagedMedia(f"is not a whole SVG file: {error}") from error

    def new(self, packet: bytes) -> tuple[int, int, bytes]:
        """Return where a packet goes, and in what, when there is none yet."""
        if self._metadata is not None:
            return self._metadata, self._metadata, packet
        tag = _TAG.match(self.content, self._root)
        if tag is None:
            raise DamagedMedia("is not a whole SVG file")
        space = _METADATA.partition(" ")[0].encode()
        element = b'<metadata xmlns="' + space + b'">' + packet + b"</metadata>"
        if tag[2]:
            return tag.end() - 2, tag.end(), b">" + element + b"</" + tag[1] + b">"
        return tag.end(), tag.end(), element

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        self._spaces.append((prefix or "", uri or ""))
        self._own += 1

    def _doctype(self, _name: str, _system: object, _id: object, declares: int) -> None:
        if declares:
            raise DamagedMedia("is an SVG file that declares entities")

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        place = self._parser.CurrentByteIndex
        self._count += 1
        if self._count > _MAX_ELEMENTS or len(self._path) > _MAX_DEPTH:
            raise DamagedMedia("is an SVG file of too many or too deep elements")
        if not self._path:
            self._root = place
        self._path.append((name, place))
        self._fresh = self._leaf = True
        self._said.clear()
        if name == _RDF:
            self._rdf += 1
            if self._rdf == 1:
                first = len(self._spaces) - self._own
                own = dict(self._spaces[first:])
                outer = dict(self._spaces[:first])
                self._outer = {p: uri for p, uri in outer.items() if p not in own}
        self._own = 0

    def _text(self, characters: str) -> None:
        self._fresh = False
        if self._path[-1][0] == _METADATA:
            self._said.append(characters)

    def _close(self, name: str) -> None:
        place = stop = self._parser.CurrentByteIndex
        whole = self._fresh and self.content[place - 2 : place] == b"/>"
        if not whole:
            stop = self.content.index(b">", place) + 1
        is_leaf, self._leaf, self._fresh = self._leaf, False, False
        _, start = self._path.pop()
        if name == _RDF:
            self._rdf -= 1
            if not self._rdf:
                self._take_rdf(start, stop)
        elif name == _PACKET:
            self.blocks = [
                replace(one, start=start, stop=stop) if one.start >= start else one
                for one in self.blocks
            ]
        elif name == _METADATA and not whole:
            if len(self._path) == 1 and self._metadata is None:
                self._metadata = place
            if is_leaf:
                self._take_text(start, place)
        self._said.clear()

    def _take_rdf(self, start: int, stop: int) -> None:
        """Note a block of RDF, which may be that of a packet."""
        inside = self.content[start:stop]
        in_packet = bool(self._path) and self._path[-1][0] == _PACKET
        if not in_packet and not any(word in inside for word in _OURS):
            return
        # Prefixes may be declared further out.
        declared = "".join(
            f' xmlns:{prefix}="{escape(uri)}"'
            for prefix, uri in {**self._outer, "x": _XMP}.items()
            if prefix == "x"
            or (prefix and re.search(rf"[<\s/]{re.escape(prefix)}:".encode(), inside))
        ).encode()
        packet = b"<x:xmpmeta" + declared + b">" + inside + b"</x:xmpmeta>"
        carrier = Carrier(kind=Kind.XMP, place="XMP", content=packet)
        self.blocks.append(_Block(start=start, stop=stop, carrier=carrier))

    def _take_text(self, start: int, stop: int) -> None:
        said = "".join(self._said)
        tag = _TAG.match(self.content, start)
        if tag and aigc.is_label(said):
            text = said.encode("utf-8", "replace")
            carrier = Carrier(kind=Kind.TEXT, place="metadata", content=text)
            self.blocks.append(_Block(start=tag.end(), stop=stop, carrier=carrier))
