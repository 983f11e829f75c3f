"""The AIGC label and the IPTC source type inside an XMP packet (ISO 16684-1).

Two properties are ours, ``TC260:AIGC`` (TC260-PG-20259A, clause 6) and
``Iptc4xmpExt:DigitalSourceType`` (IPTC Photo Metadata Standard); everything else in
a packet is kept for its meaning.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..errors import MetadataError
from . import aigc, tree
from .tree import Element, Name

__all__ = [
    "SOURCE_TYPES",
    "TRAINED_ALGORITHMIC_MEDIA",
    "Properties",
    "blanked",
    "decoded",
    "edit",
    "read",
    "without_labels",
]

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
TRAINED_ALGORITHMIC_MEDIA = SOURCE_TYPES + "trainedAlgorithmicMedia"

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
TC260 = "http://www.tc260.org.cn/ns/AIGC/1.0/"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"

MAX_VALUES = 16
MAX_VALUE_CHARACTERS = 1000

EMPTY = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"/></x:xmpmeta>'
HEAD = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
TAIL = '\n<?xpacket end="w"?>'


@dataclass(frozen=True, slots=True, kw_only=True)
class Properties:
    """What a packet says.

    Parameters
    ----------
    labels : tuple of str
        The text of every AIGC label.
    source_types : tuple of str
        The values of ``DigitalSourceType``, usually one URI.
    problem : str
        What is wrong with the packet although it can be read; empty for nothing.
    """

    labels: tuple[str, ...] = ()
    source_types: tuple[str, ...] = ()
    problem: str = ""


def read(packet: bytes) -> Properties:
    """Read the labels and source types of a packet.

    Labels are found as elements, attributes and array items, with any prefix, in the
    namespace of TC260 or any other where the name contains AIGC.

    Raises
    ------
    MetadataError
        The packet is not XMP or goes beyond the limits of `tree.parse`.
    """
    root, rdf = _parse(packet)
    labels = _labels(root)
    sources = [
        value
        for subject in rdf.elements
        for prop in subject.elements
        if _is_source_type(prop.name)
        for value in _values(prop)
    ]
    sources += [
        value
        for subject in rdf.elements
        for name, value in subject.attributes
        if _is_source_type(name)
    ]
    return Properties(
        labels=tuple(labels[:MAX_VALUES]),
        source_types=tuple(
            value.strip()[:MAX_VALUE_CHARACTERS] for value in sources[:MAX_VALUES]
        ),
        problem="an XMP prefix is not declared" if root.undeclared else "",
    )


def edit(packet: bytes | None, label: str, source_type: str | None) -> bytes:
    """Set the label, and the source type unless it is None, in a packet.

    Earlier values of the properties that are set are replaced, in whatever form and
    under whatever prefix they stand there.

    Parameters
    ----------
    packet : bytes or None
        The packet to edit; None for a new one.
    label : str
        The label as `aigc.to_json` writes it.
    source_type : str or None
        URI of a term of the IPTC vocabulary.

    Returns
    -------
    bytes
        The packet in UTF-8.

    Raises
    ------
    MetadataError
        As `read`; also where a prefix is not declared.
    """
    root, rdf = _parse(EMPTY.encode() if packet is None else packet)
    edited = _without(rdf, sources=source_type is not None)
    children = list(edited.children)
    at_end = bool(children) and isinstance(children[-1], str)
    children.insert(len(children) - at_end, _description(rdf, label, source_type))
    edited = replace(edited, children=tuple(children))
    root = edited if root is rdf else replace(root, children=(edited,))
    if root.undeclared:
        raise MetadataError("an XMP prefix is not declared")
    return (HEAD + tree.serialize(root) + TAIL).encode()


def without_labels(packet: bytes) -> bytes:
    """Take every label out of a packet; one without labels comes back as it is.

    Raises
    ------
    MetadataError
        As `read`.
    """
    root, rdf = _parse(packet)
    if not _labels(root):
        return packet
    edited = _without(rdf, sources=False)
    root = edited if root is rdf else replace(root, children=(edited,))
    return (HEAD + tree.serialize(root) + TAIL).encode()


def blanked(packet: bytes) -> bytes:
    """Take every label out of a packet that cannot change its length.

    What is left is followed by blanks. A packet that cannot be read comes back as it
    is.
    """
    try:
        left = without_labels(packet)
    except MetadataError:
        return packet
    return left.ljust(len(packet)) if len(left) <= len(packet) else packet


def _parse(packet: bytes) -> tuple[Element, Element]:
    """Return the root of a packet and its ``rdf:RDF``, which may be the root."""
    root = tree.parse(decoded(packet))
    for element in (root, *root.elements):
        if element.name.space == RDF and element.name.local == "RDF":
            return root, element
    raise MetadataError("XML without rdf:RDF is not XMP")


def decoded(packet: bytes) -> str:
    """Return the text of a packet, in UTF-8 or UTF-16.

    Raises
    ------
    MetadataError
        It is in neither.
    """
    if packet[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    else:
        encoding = {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}.get(packet[:2], "utf-8")
    try:
        return packet.decode(encoding).strip(aigc.BLANKS)
    except UnicodeDecodeError as error:
        raise MetadataError(f"not {encoding.upper()}") from error


def _labels(element: Element) -> list[str]:
    """Collect the labels at and below an element, in document order."""
    if found := _label_texts(element.name, element):
        return found
    for name, value in element.attributes:
        found += _label_texts(name, value)
    for child in element.elements:
        found += _labels(child)
    return found


def _label_texts(name: Name, value: Element | str) -> list[str]:
    """Return the values of a property if they are labels, else nothing."""
    if "AIGC" not in name.local.upper():
        return []
    values = [value] if isinstance(value, str) else _values(value)
    if name.space == TC260 and name.local == "AIGC":
        return values or [""]
    return [text for text in values if aigc.is_label(text)]


def _is_source_type(name: Name) -> bool:
    return name.space == IPTC and name.local == "DigitalSourceType"


def _values(element: Element) -> list[str]:
    """Return a property's text, or the texts of its array items and qualifiers."""
    found = [
        value
        for name, value in element.attributes
        if name.space == RDF and name.local in ("resource", "value")
    ]
    if element.elements:
        for child in element.elements:
            if child.name.space == RDF:
                found += _values(child)
        return found
    text = "".join(item for item in element.children if isinstance(item, str)).strip()
    return [*found, text] if text else found


def _without(element: Element, *, sources: bool, level: int = 0) -> Element:
    """Drop the labels and, of the properties themselves, the source types.

    Level 0 is ``rdf:RDF``, 1 its descriptions, 2 their properties. A source type
    further down is that of an ingredient and stays.
    """

    def unwanted(name: Name, value: Element | str) -> bool:
        if sources and level == 1 and _is_source_type(name):
            return True
        return bool(_label_texts(name, value))

    attributes = [item for item in element.attributes if not unwanted(*item)]
    children: list[Element | str] = []
    for child in element.children:
        if isinstance(child, Element):
            if not unwanted(child.name, child):
                child = _without(child, sources=sources, level=level + 1)
                if level > 0 or not _says_nothing(child):
                    children.append(child)
                    continue
            if children and isinstance(children[-1], str) and children[-1].isspace():
                children.pop()  # the indentation of what went
        else:
            children.append(child)
    return replace(element, attributes=tuple(attributes), children=tuple(children))


def _says_nothing(subject: Element) -> bool:
    return not subject.elements and all(
        name.space == tree.XMLNS or name.written == "xmlns" or name.local == "about"
        for name, _ in subject.attributes
    )


def _description(rdf: Element, label: str, source_type: str | None) -> Element:
    """Make a description of the packet's subject that holds our properties."""
    attributes = [
        (Name(space=RDF, local="about", written="rdf:about"), _about(rdf)),
        (_declaration("TC260"), TC260),
    ]
    if rdf.name.written != "rdf:RDF":
        attributes.append((_declaration("rdf"), RDF))
    name = Name(space=TC260, local="AIGC", written="TC260:AIGC")
    children = [Element(name=name, children=(label,))]
    if source_type is not None:
        attributes.append((_declaration("Iptc4xmpExt"), IPTC))
        name = Name(
            space=IPTC,
            local="DigitalSourceType",
            written="Iptc4xmpExt:DigitalSourceType",
        )
        children.append(Element(name=name, children=(source_type,)))
    return Element(
        name=Name(space=RDF, local="Description", written="rdf:Description"),
        attributes=tuple(attributes),
        children=tuple(children),
    )


def _declaration(prefix: str) -> Name:
    return Name(space=tree.XMLNS, local=prefix, written=f"xmlns:{prefix}")


def _about(rdf: Element) -> str:
    """Return the subject of the packet: all descriptions name the same."""
    for subject in rdf.elements:
        for name, value in subject.attributes:
            if name.local == "about" and name.space in (RDF, ""):
                return value
    return ""
