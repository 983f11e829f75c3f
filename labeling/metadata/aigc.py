"""The AIGC label as text: seven string values in JSON (GB 45438-2025, annex E).

Writing is strict, reading is not: whatever a reader can make of a label is returned
together with the list of what is wrong with it.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import MetadataError
from ..model import AIGC_FIELDS, AigcLabel

__all__ = [
    "BLANKS",
    "MAX_BYTES",
    "MAX_CHARACTERS",
    "ParsedLabel",
    "decode",
    "is_label",
    "parse",
    "to_json",
]

LABELS = ("1", "2", "3")

MAX_CHARACTERS = 1 << 16
MAX_BYTES = 4 * MAX_CHARACTERS
# Bounds the depth too; a label with signed integrity data has about twenty.
MAX_BRACKETS = 256
# A label inside a string inside a wrapper, each once more: nobody wraps deeper.
MAX_LAYERS = 6
MAX_PROBLEMS = 20

# Annex E j): 0x21, 0x23-0x5B, 0x5D-0x7E, and the quote, which JSON writes as \".
CHARACTERS = re.compile(r"[\x21-\x5B\x5D-\x7E]*")
BLANKS = "\0\t\n\r \ufeff"
PREFIX = re.compile(r"AIGC\s*[=:]\s*")
KEY = re.compile(r'"(?:AIGC\w*|ContentProducer|ProduceID)\\*"\s*:')


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedLabel:
    """What could be read of a label.

    Parameters
    ----------
    label : AigcLabel or None
        The values, empty where one is missing. None where the text is no label, or
        an ambiguous one.
    problems : tuple of str
        What annex E does not allow; empty for a well-formed label.
    """

    label: AigcLabel | None
    problems: tuple[str, ...] = ()


def to_json(label: AigcLabel) -> str:
    r"""Write a label as the object with seven keys, without blanks.

    Returns
    -------
    str
        ASCII. The wrapper ``{"AIGC": ...}`` of annex E b) is left to containers
        whose field is not called AIGC already.

    Raises
    ------
    MetadataError
        A value has characters that annex E j) does not allow, `label.label` is not
        1, 2 or 3, or the producer or its number is empty without a propagator, to
        whom they may be unknown.

    Examples
    --------
    >>> to_json(AigcLabel(label="1", content_producer="acme", produce_id="7"))[:44]
    '{"Label":"1","ContentProducer":"acme","Produ'
    """
    values = {key: getattr(label, name) for key, name in AIGC_FIELDS.items()}
    for key, value in values.items():
        if not isinstance(value, str):
            raise MetadataError(f"{key} of the AIGC label is not a string")
        if not CHARACTERS.fullmatch(value):
            raise MetadataError(
                f"{key} of the AIGC label has characters outside annex E j)",
                hint="Use printable ASCII without blanks and backslashes; instead of "
                "a name in other characters give the 27-character provider code.",
            )
    if label.label not in LABELS:
        raise MetadataError(
            f"Label is {label.label!r}",
            hint="Use 1 for generated, 2 for possibly, 3 for suspected.",
        )
    for key in _required(label):
        if not values[key]:
            raise MetadataError(
                f"{key} of the AIGC label is empty",
                hint="Give the provider's code and its number for the item.",
            )
    text = json.dumps(values, separators=(",", ":"))
    if len(text) > MAX_CHARACTERS:
        raise MetadataError(
            f"the AIGC label has {len(text)} characters, above {MAX_CHARACTERS}"
        )
    return text


def parse(content: str | bytes) -> ParsedLabel:
    r"""Read a label, bare or as ``{"AIGC": {...}}``, escaped or not.

    Parameters
    ----------
    content : str or bytes
        The value of a field. Bytes are UTF-8 or else GB 18030. Whole values that
        were escaped once more, as XML (``&quot;``) or JSON (``\"``), are understood.

    Returns
    -------
    ParsedLabel
        Never an exception, whatever the content.
    """
    text = decode(content) if isinstance(content, bytes) else content.strip(BLANKS)
    if len(text) > MAX_CHARACTERS:
        problem = f"longer than {MAX_CHARACTERS} characters"
        return ParsedLabel(label=None, problems=(problem,))
    try:
        value, problems = _unwrap(PREFIX.sub("", text, count=1))
    except MetadataError as error:
        return ParsedLabel(label=None, problems=(error.problem,))
    if not AIGC_FIELDS.keys() & value.keys():
        return ParsedLabel(label=None, problems=("none of the seven keys",))
    problems.extend(_unknown(key) for key in value if key not in AIGC_FIELDS)
    values: dict[str, str] = {}
    for key, name in AIGC_FIELDS.items():
        if key not in value:
            problems.append(f"missing key {key}")
            continue
        if not isinstance(value[key], str):
            problems.append(f"value of {key} is not a string")
        values[name] = _as_text(value[key])
        if not CHARACTERS.fullmatch(values[name]):
            problems.append(f"value of {key} has characters outside annex E j)")
    label = AigcLabel(**{name: values.get(name, "") for name in AIGC_FIELDS.values()})
    if "label" in values and label.label not in LABELS:
        problems.append("Label is not 1, 2 or 3")
    if label.label == "1":
        # A platform that only suspects (2, 3) does not know them.
        for key in _required(label):
            if values.get(AIGC_FIELDS[key]) == "":
                problems.append(f"{key} is empty")
    return ParsedLabel(label=label, problems=tuple(problems[:MAX_PROBLEMS]))


def _required(label: AigcLabel) -> tuple[str, ...]:
    """Return the keys that must have values: a platform may not know the producer."""
    platform = label.content_propagator and label.propagate_id
    return () if platform else ("ContentProducer", "ProduceID")


def is_label(text: str) -> bool:
    """Tell whether text in a free field means to be a label, well formed or not."""
    text = html.unescape(text[: 2 * MAX_CHARACTERS]).strip(BLANKS)
    text = PREFIX.sub("", text, count=1)
    return text.lstrip('"\\').startswith("{") and bool(KEY.search(text))


def decode(content: bytes) -> str:
    """Decode UTF-8, else GB 18030, else byte by byte; strip blanks and zeros."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return content.decode(encoding).strip(BLANKS)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1").strip(BLANKS)


def _unwrap(text: str) -> tuple[dict[str, Any], list[str]]:
    """Return the innermost object and the problems of what is around it."""
    value: Any = text
    problems: list[str] = []
    for _ in range(MAX_LAYERS):
        if isinstance(value, str):
            value = _load(value)
            continue
        wrapper = _wrapper(value)
        if wrapper is None:
            break
        problems.extend(_unknown(key) for key in value if key != wrapper)
        value = value[wrapper]
    if not isinstance(value, dict):
        raise MetadataError("not a JSON object")
    return value, problems


def _wrapper(value: object) -> str | None:
    """Return the key that contains AIGC (annex E a) of an object around a label."""
    if not isinstance(value, dict) or AIGC_FIELDS.keys() & value.keys():
        return None
    return next((key for key in value if "AIGC" in key.upper()), None)


def _load(text: str) -> Any:
    for form in _forms(text):
        if form.count("{") + form.count("[") > MAX_BRACKETS:
            raise MetadataError(f"more than {MAX_BRACKETS} brackets")
        try:
            return json.loads(
                form, object_pairs_hook=_unique, parse_constant=_no_constant
            )
        except MetadataError:
            raise
        except ValueError:
            continue
    raise MetadataError("not JSON")


def _forms(text: str) -> Iterator[str]:
    """Yield the text as it is, and as it was before somebody escaped it."""
    yield text
    yield html.unescape(text)
    if "\\" in text:
        yield f'"{text}"'


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise MetadataError(f"duplicate key {_shown(key)}")
        found[key] = value
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _as_text(value: object) -> str:
    """Return a value as text that can be encoded, whatever JSON type it has."""
    if value is None:
        return ""
    if not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return value.encode("utf-8", "replace").decode()


def _unknown(key: str) -> str:
    return f"unknown key {_shown(key)}"


def _shown(key: str) -> str:
    """Return a key that a stranger chose in a form that is safe to print."""
    return key if key in AIGC_FIELDS else ascii(key[:40])
