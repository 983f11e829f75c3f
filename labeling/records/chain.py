"""One record and its place in the chain.

``hash`` of a record is the SHA-256, in hex, of its other columns as one JSON object
in canonical form (RFC 8785: keys sorted, no spaces, UTF-8). Columns that are null
are left out, so that a column which a later version adds changes no old hash.
``previous_hash`` is the hash of the record before it, 64 zeros in the first one. A
changed column breaks the record's own hash; a removed, added or exchanged record
breaks the chain behind it.

A row is a record as the database holds it: a mapping of column names to texts and
numbers, lists of names joined by commas, objects as JSON.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..errors import UsageError
from ..payload import Payload

__all__ = [
    "FIRST_HEAD",
    "ID_MAX",
    "Record",
    "as_text",
    "canonical",
    "chained",
    "fault",
    "is_whole",
    "parse",
    "row",
    "utc_now",
]

FIRST_HEAD = (0, "0" * 64)
TEXT_MAX = 4096
JSON_MAX = 1 << 20
# What stands in an index: PostgreSQL takes 2,704 bytes there, so 512 characters.
ID_MAX = 512

ACTIONS = ("label", "propagate")

_OBJECTS = ("notice", "exemption")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_KEY_ID = re.compile(r"[0-9a-f]{16}")
_FINGERPRINT = re.compile(
    r"[a-z0-9][a-z0-9._-]{0,63}/[1-9][0-9]{0,3}:[A-Za-z0-9_-]{1,90000}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One entry of the log.

    Parameters
    ----------
    sequence : int
        Place in the log, from 1 without gaps.
    time : str
        When the record was appended: UTC, ISO 8601, milliseconds.
    action : str
        ``"label"``, or ``"propagate"`` where a platform added itself to a label.
    produce_id : str
        The number of the item in its AIGC label.
    origin_id : str or None
        The producer's number, where a platform propagates under one of its own.
    payload : Payload or None
        The payload of its invisible mark; no two records share one.
    key_id : str or None
        Public name of the key of that mark, 16 hex digits.
    sha256_before, sha256_after : str
        Digests of the content before and after the labeling, 64 hex digits.
    media : str
        Kind of media.
    layers : tuple of str
        Names of the layers that were written.
    service : str
        Service that the content belongs to.
    jurisdictions : tuple of str
        Whose rules were applied.
    software : str
        Name and version of the program that labeled.
    target : str or None
        Name of the labeled file, where the caller chose to keep it.
    notice : mapping or None
        What was written as the notice: wording, place, size.
    consent : str or None
        Reference of the consent of whoever's face or voice was edited.
    exemption : mapping or None
        ``recipient`` and ``agreement`` where there is no notice on request.
    manifest_id : str or None
        URN of the active C2PA manifest.
    manifest_sha256 : str or None
        Digest of the manifest as the log keeps it; None where it keeps none.
    fingerprint : str or None
        Perceptual fingerprint of the labeled content, ``algorithm/1:base64url``.
    previous_hash, hash : str
        The chain, 64 hex digits each.
    """

    sequence: int
    time: str
    action: str
    produce_id: str
    origin_id: str | None
    payload: Payload | None
    key_id: str | None
    sha256_before: str
    sha256_after: str
    media: str
    layers: tuple[str, ...]
    service: str
    jurisdictions: tuple[str, ...]
    software: str
    target: str | None
    notice: Mapping[str, Any] | None
    consent: str | None
    exemption: Mapping[str, Any] | None
    manifest_id: str | None
    manifest_sha256: str | None
    fingerprint: str | None
    previous_hash: str
    hash: str


def row(
    *,
    action: str,
    produce_id: str,
    origin_id: str | None,
    payload: Payload | None,
    key_id: str | None,
    sha256_before: str,
    sha256_after: str,
    media: str,
    layers: Iterable[str],
    service: str,
    jurisdictions: Iterable[str],
    software: str,
    target: str | None,
    notice: Mapping[str, Any] | None,
    consent: str | None,
    exemption: Mapping[str, Any] | None,
    manifest_id: str | None,
    manifest_sha256: str | None,
    fingerprint: str | None,
) -> dict[str, Any]:
    """Check the fields of a record and return them as an unchained row.

    Raises
    ------
    UsageError
        A field is empty, too long or malformed.
    """
    if action not in ACTIONS:
        raise UsageError(f"record field action must be one of {', '.join(ACTIONS)}")
    if origin_id is not None and action != "propagate":
        raise UsageError("record field origin_id belongs to the action propagate")
    return {
        "action": action,
        "produce_id": _text("produce_id", produce_id, ID_MAX),
        "origin_id": None if origin_id is None else _text("origin_id", origin_id),
        "payload": None if payload is None else str(payload),
        "key_id": _matching("key_id", key_id, _KEY_ID, "16 lower-case hex digits"),
        "sha256_before": _digest("sha256_before", sha256_before),
        "sha256_after": _digest("sha256_after", sha256_after),
        "media": _names("media", [media]),
        "layers": _names("layers", layers),
        "service": _text("service", service),
        "jurisdictions": _names("jurisdictions", jurisdictions),
        "software": _text("software", software),
        "target": None if target is None else _file_name(target),
        "notice": None if notice is None else _json("notice", notice),
        "consent": None if consent is None else _text("consent", consent),
        "exemption": None if exemption is None else _json("exemption", exemption),
        "manifest_id": (
            None if manifest_id is None else _text("manifest_id", manifest_id, ID_MAX)
        ),
        "manifest_sha256": (
            None
            if manifest_sha256 is None
            else _digest("manifest_sha256", manifest_sha256)
        ),
        "fingerprint": _matching(
            "fingerprint",
            fingerprint,
            _FINGERPRINT,
            "of the form algorithm/1:base64url",
        ),
    }


def chained(row: Mapping[str, Any], head: tuple[int, str]) -> dict[str, Any]:
    """Put a row behind the given head of the chain, with the time of now."""
    linked = {
        **row,
        "sequence": head[0] + 1,
        "time": utc_now(),
        "previous_hash": head[1],
    }
    return {**linked, "hash": _hash(linked)}


def utc_now() -> str:
    """Return the time as records hold it: UTC, ISO 8601, milliseconds."""
    return as_text(datetime.now(UTC))


def as_text(time: datetime) -> str:
    """Return a time as records hold it; without a time zone it is UTC."""
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    text = aware.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def fault(row: Mapping[str, Any], head: tuple[int, str]) -> str:
    """Return what is wrong with a row behind this head, or an empty text."""
    if row["sequence"] != head[0] + 1:
        return f"record {row['sequence']} stands in its place"
    if not is_whole(row):
        return "the fields do not match the hash"
    if row["previous_hash"] != head[1]:
        return "the record does not follow the one before it"
    return ""


def is_whole(row: Mapping[str, Any]) -> bool:
    """Say whether the columns are those that the row's hash was made of."""
    try:
        return bool(_hash(row) == row["hash"])
    except TypeError:  # a blob where a text should be
        return False


def parse(row: Mapping[str, Any]) -> Record:
    """Turn a row into a record."""
    payload = row["payload"]
    names = {
        name: tuple(row[name].split(",")) if row[name] else ()
        for name in ("layers", "jurisdictions")
    }
    number = None if payload is None else Payload.from_int(int(payload, 16))
    objects = {name: row[name] and json.loads(row[name]) for name in _OBJECTS}
    return Record(**{**row, **names, **objects, "payload": number})


def _hash(row: Mapping[str, Any]) -> str:
    """Return the SHA-256 of all columns that are not null, but ``hash``."""
    fields = {
        name: value
        for name, value in row.items()
        if value is not None and name != "hash"
    }
    text = canonical(fields)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def canonical(value: Mapping[str, Any]) -> str:
    """Return an object as canonical JSON (RFC 8785, for texts and whole numbers)."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _json(field: str, value: Mapping[str, Any]) -> str:
    text = canonical(value)
    return _text(field, text, JSON_MAX)


def _text(field: str, value: str, most: int = TEXT_MAX) -> str:
    if not 0 < len(value) <= most:
        raise UsageError(f"record field {field} must have 1 to {most} characters")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"record field {field} is not valid Unicode") from error
    if "\0" in value:  # PostgreSQL has no place for it
        raise UsageError(f"record field {field} holds a null character")
    return value


def _file_name(value: str) -> str:
    # A name that is no valid Unicode is legal on Linux and must not stop the record.
    return _text("target", value.encode("utf-8", "backslashreplace").decode())


def _names(field: str, values: Iterable[str]) -> str:
    names = [str(value) for value in values]
    for name in names:
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"record field {field} holds {name[:80]!r}, which is not a short "
                "lower-case name"
            )
    return ",".join(names)


def _matching(
    field: str, value: str | None, form: re.Pattern[str], meant: str
) -> str | None:
    if value is not None and not form.fullmatch(value):
        raise UsageError(f"record field {field} must be {meant}")
    return value


def _digest(field: str, value: str) -> str:
    if not _SHA256.fullmatch(value):
        raise UsageError(f"record field {field} must be 64 lower-case hex digits")
    return value
