"""The segment of a Matroska file, and where the elements in it stand.

References
----------
RFC 9559 (Matroska), section 25, and RFC 8794 (EBML), section 6.2: elements whose
length is not known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import BinaryIO

from . import ebml
from .carrier import MAX_PARTS
from .ebml import HEADER, VOID, Element
from .parts import most_frames, size_of

__all__ = ["CLUSTER", "CUES", "SEEK_HEAD", "SEGMENT", "TAGS", "Segment", "segments"]

SEGMENT, CLUSTER, CUES = 0x18538067, 0x1F43B675, 0x1C53BB6B
SEEK_HEAD, TAGS = 0x114D9B74, 0x1254C367
# What a cluster cannot hold.
TOP = (
    *(SEGMENT, HEADER, SEEK_HEAD, CLUSTER, CUES, TAGS),
    *(0x1549A966, 0x1654AE6B, 0x1043A770, 0x1941A469),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The one large element of a file, and the elements in it.

    Parameters
    ----------
    place : Element
        Where it stands; open for a live stream.
    elements : tuple of Element
        In file order, all with an end.
    """

    place: Element
    elements: tuple[Element, ...]

    def each(self, kind: int) -> list[Element]:
        """Return the elements of a kind."""
        return [element for element in self.elements if element.kind == kind]

    @property
    def frames(self) -> int:
        """Where the first cluster begins."""
        clusters = self.each(CLUSTER)
        return clusters[0].start if clusters else self.place.stop


def segments(file: BinaryIO) -> tuple[list[Segment], str]:
    """Return the segments of a file; also say what ended the walk early.

    There is at least one where nothing did.
    """
    found: list[Segment] = []
    position, end = 0, size_of(file)
    budget = [MAX_PARTS, most_frames(file)]
    while position < end:
        place = ebml.element(file, position, end)
        if place is None or place.kind not in (HEADER, VOID, SEGMENT):
            break  # nothing behind a segment matters
        stop = min(place.stop, end)
        if place.kind == SEGMENT:
            elements, problem = _elements(file, place, stop, budget)
            if place.open and elements:
                stop = elements[-1].stop
            found.append(
                Segment(place=replace(place, stop=stop), elements=tuple(elements))
            )
            if problem or place.stop > end:
                return found, problem or "it is cut off"
        position = stop
    return found, "" if found else "it has no segment"


def _elements(
    file: BinaryIO, place: Element, stop: int, budget: list[int]
) -> tuple[list[Element], str]:
    """Return the elements of a segment; also say what ended the walk early."""
    elements: list[Element] = []
    position = place.inside
    while position < stop:
        element = ebml.element(file, position, stop)
        if element and place.open and element.kind in (HEADER, SEGMENT):
            break  # of the next segment
        budget[0] -= 1
        if budget[0] < 0:
            return elements, f"it has more than {MAX_PARTS} elements"
        if element and element.open:
            end = None
            if element.kind == CLUSTER:
                end = _end_of_cluster(file, element.inside, stop, budget)
            element = None if end is None else replace(element, stop=end)
        if element is None or element.stop > stop:
            return elements, f"the element at byte {position} is cut off"
        elements.append(element)
        position = element.stop
    return elements, ""


def _end_of_cluster(
    file: BinaryIO, position: int, stop: int, budget: list[int]
) -> int | None:
    """Return where a cluster of unknown length ends: at what cannot be in it."""
    while position < stop:
        element = ebml.element(file, position, stop)
        budget[1] -= 1
        if element is None or element.stop > stop or budget[1] < 0:
            return None
        if element.kind in TOP:
            break
        position = element.stop
    return position
