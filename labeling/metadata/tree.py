"""A small XML tree for XMP packets that is safe to build from hostile text.

Prefixes and namespace declarations stay as they were written, so that a packet that
goes through the tree keeps its meaning even where values refer to prefixes. Comments
and processing instructions are dropped: in XMP they mean nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.parsers import expat

from ..errors import MetadataError

__all__ = ["Element", "Name", "parse", "serialize"]

MAX_CHARACTERS = 1 << 22
MAX_DEPTH = 64
MAX_NODES = 50_000

XML = "http://www.w3.org/XML/1998/namespace"
XMLNS = "http://www.w3.org/2000/xmlns/"

# Blanks in attributes would be normalized, and line ends everywhere.
TEXT_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
ATTRIBUTE_ESCAPES = TEXT_ESCAPES | str.maketrans(
    {'"': "&quot;", "\t": "&#9;", "\n": "&#10;"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """The name of an element or attribute.

    Parameters
    ----------
    space : str
        Namespace URI, empty for none.
    local : str
        The name without its prefix.
    written : str
        The name as it stands in the text.
    """

    space: str
    local: str
    written: str

    @property
    def undeclared(self) -> bool:
        """Whether the name has a prefix that stands for no namespace."""
        return ":" in self.written and not self.space


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """An element; its namespace declarations are among the attributes."""

    name: Name
    attributes: tuple[tuple[Name, str], ...] = ()
    children: tuple[Element | str, ...] = ()

    @property
    def elements(self) -> tuple[Element, ...]:
        """The children that are elements."""
        return tuple(item for item in self.children if isinstance(item, Element))

    @property
    def undeclared(self) -> bool:
        """Whether a name here or below has a prefix that stands for no namespace."""
        return (
            self.name.undeclared
            or any(name.undeclared for name, _ in self.attributes)
            or any(element.undeclared for element in self.elements)
        )


def parse(text: str) -> Element:
    """Build the tree of a text.

    Raises
    ------
    MetadataError
        The text is not well-formed XML, has a document type (and with it perhaps
        entities), or goes beyond the limits of 4,194,304 characters, 50,000 nodes
        and 64 levels.
    """
    if len(text) > MAX_CHARACTERS:
        raise MetadataError(f"XML longer than {MAX_CHARACTERS} characters")
    builder = _Builder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.ordered_attributes = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = builder.doctype
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise MetadataError(f"not XML: {error}") from error
    return builder.root


def serialize(element: Element) -> str:
    """Write the element as XML text, names as they were written."""
    parts: list[str] = []
    _write(element, parts)
    return "".join(parts)


def _write(element: Element, parts: list[str]) -> None:
    parts.append(f"<{element.name.written}")
    for name, value in element.attributes:
        parts.append(f' {name.written}="{value.translate(ATTRIBUTE_ESCAPES)}"')
    if not element.children:
        parts.append("/>")
        return
    parts.append(">")
    for child in element.children:
        if isinstance(child, str):
            parts.append(child.translate(TEXT_ESCAPES))
        else:
            _write(child, parts)
    parts.append(f"</{element.name.written}>")


class _Builder:
    """Receives the parser's events; elements are made when they end."""

    def __init__(self) -> None:
        self.nodes = 0
        self.spaces: dict[str, list[str]] = {"xml": [XML], "xmlns": [XMLNS]}
        self.open: list[tuple[Name, tuple[tuple[Name, str], ...]]] = []
        self.children: list[list[Element | str]] = [[]]

    @property
    def root(self) -> Element:
        (root,) = self.children[0]
        assert isinstance(root, Element)
        return root

    def start(self, written: str, flat: list[str]) -> None:
        self._count(1 + len(flat) // 2)
        if len(self.open) >= MAX_DEPTH:
            raise MetadataError(f"XML deeper than {MAX_DEPTH} levels")
        pairs = list(zip(flat[::2], flat[1::2], strict=True))
        for name, value in pairs:
            if (prefix := _declared_prefix(name)) is not None:
                self.spaces.setdefault(prefix, []).append(value)
        attributes = tuple((self._attribute(name), value) for name, value in pairs)
        self.open.append((self._element(written), attributes))
        self.children.append([])

    def end(self, written: str) -> None:
        name, attributes = self.open.pop()
        children = tuple(self.children.pop())
        self.children[-1].append(
            Element(name=name, attributes=attributes, children=children)
        )
        for attribute, _ in attributes:
            if (prefix := _declared_prefix(attribute.written)) is not None:
                self.spaces[prefix].pop()

    def text(self, text: str) -> None:
        self._count(1)
        self.children[-1].append(text)

    def doctype(self, *_: object) -> None:
        raise MetadataError("XML with a document type")

    def _count(self, nodes: int) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            raise MetadataError(f"XML with more than {MAX_NODES} nodes")

    def _element(self, written: str) -> Name:
        prefix, _, local = written.rpartition(":")
        return Name(space=self._space(prefix), local=local, written=written)

    def _attribute(self, written: str) -> Name:
        prefix, _, local = written.rpartition(":")
        space = self._space(prefix) if prefix else ""
        return Name(space=space, local=local, written=written)

    def _space(self, prefix: str) -> str:
        found = self.spaces.get(prefix)
        return found[-1] if found else ""


def _declared_prefix(name: str) -> str | None:
    """Return the prefix that an attribute declares, empty for the default one."""
    if name == "xmlns":
        return ""
    return name[6:] if name.startswith("xmlns:") else None
