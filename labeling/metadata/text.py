"""Write and read the AIGC label of a document, in the place that its format has.

Where that is, is told by whoever opens documents; here is what stands in it. The names
are those of TC260-PG-20258A: an entry of Markdown's front matter, a custom property of
DOCX, XLSX and PPTX, a key of the Info dictionary of PDF; HTML pages have a meta element
in practice, and EPUB books one among the metadata of the book.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..model import AigcLabel
from . import aigc
from .carrier import MAX_CARRIERS, Carrier, Kind, Survey
from .image import Reading, collect, confirm

__all__ = ["NAME", "Reading", "confirm", "read", "replaced", "value"]

NAME = "AIGC"
"""Name of the field, in every format."""


def value(label: AigcLabel) -> str:
    """Return the value of the field: JSON with seven keys, not wrapped.

    Raises
    ------
    MetadataError
        The label does not conform.
    """
    return aigc.to_json(label)


def read(fields: Sequence[tuple[str, str]]) -> Reading:
    """Read the labels in the fields of a document.

    Parameters
    ----------
    fields : sequence of (str, str)
        Place and value of each, in file order.
    """
    carriers = tuple(
        Carrier(kind=Kind.TEXT, place=place, content=text.encode("utf-8", "replace"))
        for place, text in fields[:MAX_CARRIERS]
    )
    complete = len(fields) <= MAX_CARRIERS
    problems = () if complete else (f"more than {MAX_CARRIERS} fields",)
    return collect(Survey(carriers=carriers, problems=problems, complete=complete))


def replaced(earlier: Reading, label: AigcLabel) -> list[str]:
    """Say which earlier labels a new one takes the place of."""
    return [
        f"an earlier AIGC label has been replaced: {found.place}"
        for found in earlier.labels
        if found.label != label
    ]
