"""The label and the mark as assertions of a manifest, written and read.

Labels of own assertions begin with a domain name in reverse order (C2PA 2.2,
section 6.2). synthmark owns no domain, so its names begin with ``alt``: RFC 9476
keeps that top level out of the DNS for ever, and nobody can come to own the name.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError
from ..model import AIGC_FIELDS, AigcLabel
from ..payload import Payload
from .untrusted import ITEM_LIMIT, mapping, text

__all__ = [
    "AIGC",
    "CONSENT",
    "DISCLOSURE",
    "OVERSIGHT",
    "SOFT_BINDING",
    "TRAINING",
    "TRAINING_USES",
    "Disclosure",
    "aigc_assertion",
    "algorithm_of",
    "consent_assertion",
    "disclosure_assertion",
    "read_aigc",
    "read_consent",
    "read_disclosure",
    "read_soft_binding",
    "read_training",
    "scheme_of",
    "soft_binding_assertion",
    "training_assertion",
]

AIGC = "alt.synthmark.aigc"
CONSENT = "alt.synthmark.consent"
SOFT_BINDING = "c2pa.soft-binding"
DISCLOSURE = "c2pa.ai-disclosure"
TRAINING = "cawg.training-mining"

OVERSIGHT = ("fully_autonomous", "prompt_guided", "human_validated")
"""How far people took part in what was generated (C2PA 2.4, ``c2pa.ai-disclosure``)."""

TRAINING_USES = ("allowed", "notAllowed", "constrained")
"""What may be learned from content (CAWG training and data mining 1.1)."""

_MODEL_TYPE = "c2pa.types.model"
_LEARNING = (
    "cawg.ai_generative_training",
    "cawg.ai_inference",
    "cawg.ai_training",
    "cawg.data_mining",
)
VALUE_LIMIT = 2048
_NAMESPACE = "alt.synthmark."
_SCHEME = re.compile(r"([a-z][a-z0-9-]{0,40})/([1-9][0-9]{0,3})")
_ALGORITHM = re.compile(
    rf"{re.escape(_NAMESPACE)}([a-z][a-z0-9-]{{0,40}})\.([1-9][0-9]{{0,3}})"
)


def aigc_assertion(label: AigcLabel) -> dict[str, Any]:
    """Return the assertion that carries the seven values of the AIGC label.

    It repeats the metadata label under the signature, so that a label altered
    afterwards is told from the one that was signed.
    """
    values = {key: getattr(label, name) for key, name in AIGC_FIELDS.items()}
    return {"label": AIGC, "data": values, "created": True}


def read_aigc(data: object) -> AigcLabel | None:
    """Return the label of an assertion, or None when it is not a well-formed one."""
    if not isinstance(data, Mapping) or set(data) != set(AIGC_FIELDS):
        return None
    values = {name: data[key] for key, name in AIGC_FIELDS.items()}
    if not all(
        isinstance(value, str) and len(value) <= VALUE_LIMIT
        for value in values.values()
    ):
        return None
    return AigcLabel(**values) if values["label"] in {"1", "2", "3"} else None


def consent_assertion(reference: str) -> dict[str, Any]:
    """Return the assertion that names the consent of whoever is shown or heard."""
    return {"label": CONSENT, "data": {"reference": reference}, "created": True}


def read_consent(data: object) -> str | None:
    """Return the reference of an assertion, or None when it is not well formed."""
    if not isinstance(data, Mapping):
        return None
    value = data.get("reference")
    return value if isinstance(value, str) and len(value) <= VALUE_LIMIT else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What a manifest says of a model that took part.

    Parameters
    ----------
    name, identifier : str
        Of the model; empty where it is not told. The identifier is an address or
        package URL.
    oversight : str
        One of `OVERSIGHT`; empty where it is not told.
    """

    name: str = ""
    identifier: str = ""
    oversight: str = ""

    def __post_init__(self) -> None:
        if self.oversight and self.oversight not in OVERSIGHT:
            raise UsageError(
                f"{self.oversight!r} is no level of oversight",
                hint=f"Choose one of {', '.join(OVERSIGHT)}.",
            )


def disclosure_assertion(disclosure: Disclosure) -> dict[str, Any]:
    """Return the assertion on the model that took part (C2PA 2.4)."""
    data: dict[str, Any] = {"modelType": _MODEL_TYPE}
    if disclosure.name:
        data["modelName"] = disclosure.name
    if disclosure.identifier:
        data["modelIdentifier"] = disclosure.identifier
    if disclosure.oversight:
        data["contentProfile"] = {"humanOversightLevel": disclosure.oversight}
    return {"label": DISCLOSURE, "data": data, "created": True}


def read_disclosure(data: object) -> Disclosure | None:
    """Return what an assertion says of a model, None when it is not well formed."""
    if not isinstance(data, Mapping) or not text(data.get("modelType")):
        return None
    level = text(mapping(data.get("contentProfile")).get("humanOversightLevel"))
    return Disclosure(
        name=text(data.get("modelName")),
        identifier=text(data.get("modelIdentifier")),
        oversight=level if level in OVERSIGHT else "",
    )


def training_assertion(use: str, terms: str = "") -> dict[str, Any]:
    """Return the assertion on what may be learned from the content.

    Parameters
    ----------
    use : str
        One of `TRAINING_USES`, for every kind of learning.
    terms : str, optional
        What constrains it: a text or address.

    Raises
    ------
    UsageError
        The use is unknown, or constrained by nothing, or terms come with another one.
    """
    if use not in TRAINING_USES:
        raise UsageError(
            f"{use!r} is no use for training",
            hint=f"Choose one of {', '.join(TRAINING_USES)}.",
        )
    if (use == "constrained") != bool(terms):
        raise UsageError(
            "terms of training go with the use constrained",
            hint="Give both, or neither.",
        )
    entry = {"use": use, "constraint_info": terms} if terms else {"use": use}
    entries = {name: entry for name in _LEARNING}
    return {"label": TRAINING, "data": {"entries": entries}, "created": True}


def read_training(data: object) -> dict[str, str] | None:
    """Return the use for each kind of learning, None when it is not well formed."""
    entries = mapping(data.get("entries")) if isinstance(data, Mapping) else {}
    uses = {
        text(name): text(mapping(entry).get("use"))
        for name, entry in list(entries.items())[:ITEM_LIMIT]
    }
    return {name: use for name, use in uses.items() if use in TRAINING_USES} or None


def algorithm_of(scheme: str) -> str:
    """Return the soft-binding algorithm that stands for a mark scheme.

    Raises
    ------
    UsageError
        `scheme` is not of the form ``name/version``.

    Examples
    --------
    >>> algorithm_of("image-lattice/1")
    'alt.synthmark.image-lattice.1'
    """
    match = _SCHEME.fullmatch(scheme)
    if match is None:
        raise UsageError(
            f"{scheme!r} is not the name of a mark scheme",
            hint='A scheme is written like "image-lattice/1".',
        )
    return f"{_NAMESPACE}{match[1]}.{match[2]}"


def scheme_of(algorithm: str) -> str | None:
    """Return the scheme behind a soft-binding algorithm; None for none of ours.

    Examples
    --------
    >>> scheme_of("alt.synthmark.image-lattice.1")
    'image-lattice/1'
    """
    match = _ALGORITHM.fullmatch(algorithm)
    return None if match is None else f"{match[1]}/{match[2]}"


def soft_binding_assertion(payload: Payload, scheme: str) -> dict[str, Any]:
    """Return the assertion that ties the manifest to an invisible mark.

    The value is the payload's eight bytes, big-endian, as a list of integers: the
    C2PA library builds assertions from JSON, which has no byte strings, and decodes
    a list to exactly these bytes (C2PA 2.2, section 18.10).
    """
    value = list(int(payload).to_bytes(8, "big"))
    blocks = [{"scope": {}, "value": value}]
    data = {"alg": algorithm_of(scheme), "blocks": blocks}
    return {"label": SOFT_BINDING, "data": data, "created": True}


def read_soft_binding(data: object) -> tuple[Payload, str] | None:
    """Return payload and scheme of a mark of ours, or None for any other binding."""
    if not isinstance(data, Mapping) or not isinstance(data.get("alg"), str):
        return None
    scheme = scheme_of(data["alg"])
    blocks = data.get("blocks")
    if scheme is None or not isinstance(blocks, list) or len(blocks) != 1:
        return None
    value = _bytes_of(
        blocks[0].get("value") if isinstance(blocks[0], Mapping) else None
    )
    if value is None or len(value) != 8:
        return None
    return Payload.from_int(int.from_bytes(value, "big")), scheme


def _bytes_of(value: object) -> bytes | None:
    """Decode a list of integers or Base64, the two forms that readers report."""
    try:
        if isinstance(value, str) and len(value) <= VALUE_LIMIT:
            return base64.b64decode(value, validate=True)
        if isinstance(value, list) and len(value) <= VALUE_LIMIT:
            return bytes(value)
    except (binascii.Error, ValueError, TypeError):
        pass
    return None
