r"""The signature inside a label: ``SecurityData`` (TC260-PG-202511A).

A producer may put a JSON object into ``ReservedCode1`` of its label, a propagator into
``ReservedCode2``, that signs attribute, name and number (annex A.1)::

    "Label":"1","ContentProducer":"...","ProduceID":"..."

The key stands beside the signature, so a signature that verifies shows that nobody has
altered the label since, not who made it: that takes a key known from elsewhere. One
that does not verify shows nothing, since some producers sign otherwise (one, for
example, the SM3 digest of that text), unless the key of this provider is known.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from gmalg import SM3

from ..errors import UsageError
from ..model import AigcLabel
from .label_key import ALGORITHMS, LabelKey, PublicKey, sm2_keys

__all__ = ["Integrity", "Seal", "check", "signed"]

# Attributes of who and which number, and where the signature of both stands.
SLOTS = {
    "producer": ("content_producer", "produce_id", "reserved_code_1"),
    "propagator": ("content_propagator", "propagate_id", "reserved_code_2"),
}
_KEYS = {
    "producer": ("ContentProducer", "ProduceID"),
    "propagator": ("ContentPropagator", "PropagateID"),
}
_OF_LABEL = ("Md", "LabelMataData")  # the guide's name, and one in the wild
_NAMES = {identifier: name for name, identifier in ALGORITHMS.items()}
_MAX_ENTRIES = 6


class Integrity(StrEnum):
    """What the signature inside a label shows."""

    ABSENT = "absent"
    VERIFIED = "verified"
    # another algorithm or another text was signed: nothing follows from it
    UNVERIFIABLE = "unverifiable"
    # the key of this provider is known, and is not that of the signature
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """What one signature inside a label shows.

    Parameters
    ----------
    role : str
        ``"producer"`` or ``"propagator"``.
    integrity : Integrity
    algorithm : str
        ``"sm2"``, ``"ecdsa"``, ``"rsa"``, or its object identifier; empty for none.
    known : bool
        Whether the key is one that is known to be that of the provider.
    """

    role: str
    integrity: Integrity
    algorithm: str = ""
    known: bool = False


def signed(label: AigcLabel, key: LabelKey, role: str = "producer") -> AigcLabel:
    """Return a label with a signature of producer or propagator in it."""
    algorithm = ALGORITHMS[key.public.algorithm]
    signature = key.sign(_message(label, role))
    entries: list[dict[str, Any]] = [
        {
            "Type": "DS",
            "AlgID": algorithm,
            "TBSData": {"Type": "Md"},
            "Signature": signature.hex().upper(),
        },
        {"Type": "PubKey", "AlgID": algorithm, "KeyValue": str(key.public)},
    ]
    data = {"SecurityData": {"Type": "TC260PG", "Version": 1, "PubSD": entries}}
    text = json.dumps(data, separators=(",", ":"))
    return replace(label, **{SLOTS[role][2]: text})


def check(
    label: AigcLabel, known: Mapping[str, tuple[PublicKey, ...]]
) -> tuple[Seal, ...]:
    """Judge the signatures inside a label.

    Parameters
    ----------
    label : AigcLabel
        The label; its values may be anything.
    known : mapping of str to PublicKey
        The keys that are known of providers, by name or code.

    Returns
    -------
    tuple of Seal
        That of the producer and that of the propagator.
    """
    return tuple(_check(label, role, known) for role in SLOTS)


def _check(
    label: AigcLabel, role: str, known: Mapping[str, tuple[PublicKey, ...]]
) -> Seal:
    who = getattr(label, SLOTS[role][0])
    expected = known.get(who, ())
    failed = Integrity.FAILED if expected else Integrity.UNVERIFIABLE
    entries = list(_entries(getattr(label, SLOTS[role][2])))
    signatures = [one for one in entries if _is_of_label(one)]
    if not signatures:
        # A provider whose key is known signs whatever it writes.
        if expected and not _is_mirror(label, role):
            return Seal(role=role, integrity=Integrity.FAILED)
        absent = Integrity.UNVERIFIABLE if entries else Integrity.ABSENT
        return Seal(role=role, integrity=absent)
    message = _message(label, role)
    algorithm = ""
    for one in signatures:
        algorithm = _NAMES.get(str(one.get("AlgID")), str(one.get("AlgID"))[:40])
        for key in expected or _keys(entries, one):
            if one.get("AlgID") != ALGORITHMS[key.algorithm]:
                continue
            # In place of a text, some sign its SM3 digest.
            texts = [message, _sm3(message)] if key.algorithm == "sm2" else [message]
            if any(key.verifies(text, _hex(one.get("Signature"))) for text in texts):
                return Seal(
                    role=role,
                    integrity=Integrity.VERIFIED,
                    algorithm=key.algorithm,
                    known=bool(expected),
                )
    return Seal(role=role, integrity=failed, algorithm=algorithm)


def _is_mirror(label: AigcLabel, role: str) -> bool:
    """Tell whether a propagator only repeats the producer (annex E, note 1)."""
    producer = label.content_producer, label.produce_id
    return role == "propagator" and producer == (
        label.content_propagator,
        label.propagate_id,
    )


def _message(label: AigcLabel, role: str) -> bytes:
    """Return what is signed (annex A.1)."""
    who, number, _ = SLOTS[role]
    values = (label.label, getattr(label, who), getattr(label, number))
    pairs = zip(("Label", *_KEYS[role]), values, strict=True)
    text = ",".join(f'"{key}":{json.dumps(x, ensure_ascii=False)}' for key, x in pairs)
    return text.encode("utf-8", "replace")


def _entries(text: str) -> Iterator[Mapping[str, Any]]:
    """Yield the public entries of security data; nothing if the text is none."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return
    inner = data.get("SecurityData") if isinstance(data, dict) else None
    if not isinstance(inner, dict) or inner.get("Type") != "TC260PG":
        return
    public = inner.get("PubSD", inner.get("PubSd"))
    if isinstance(public, list):
        yield from (one for one in public[:_MAX_ENTRIES] if isinstance(one, dict))


def _is_of_label(entry: Mapping[str, Any]) -> bool:
    """Tell whether an entry is a signature of the label, not of the content."""
    signed_data = entry.get("TBSData")
    kind = signed_data.get("Type") if isinstance(signed_data, dict) else None
    return entry.get("Type") == "DS" and kind in _OF_LABEL


def _keys(
    entries: list[Mapping[str, Any]], signature: Mapping[str, Any]
) -> Iterator[PublicKey]:
    """Yield the keys that stand beside a signature and may have made it."""
    for one in entries:
        if one.get("Type") != "PubKey" or one.get("KeyID") != signature.get("KeyID"):
            continue
        value = _hex(one.get("KeyValue"))
        if one.get("AlgID") == ALGORITHMS["sm2"]:
            yield from sm2_keys(value)
        else:
            try:
                yield PublicKey.parse(value.hex())
            except UsageError:  # a kind of key that nobody here can use
                continue


def _hex(value: object) -> bytes:
    try:
        return bytes.fromhex(str(value))
    except ValueError:
        return b""


def _sm3(message: bytes) -> bytes:
    digest = SM3()
    digest.update(message)
    return bytes(digest.value())
