"""What a manifest store tells of the past: actions, sources, and what was opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .untrusted import ITEM_LIMIT, mapping, mappings, text, unique

__all__ = [
    "CREDENTIAL_PREFIXES",
    "Ingredient",
    "actions_of",
    "codes_of",
    "ingredients",
    "lasting_types",
    "source_types_of",
    "tells_change",
]

_UNTRUSTED = "signingCredential.untrusted"
# Codes that say something was changed, added or taken away after signing; and those
# that only concern who signed and when (C2PA 2.2, section 15.2).
_TAMPER_SUFFIXES = (".mismatch", "Mismatch", ".incorrectFileCount", ".unknownBox")
_TAMPER_CODES = frozenset(
    {
        "assertion.missing",
        "assertion.undeclared",
        "assertion.outsideManifest",
        "assertion.notRedacted",
        "claim.missing",
        "claimSignature.missing",
        "ingredient.claimSignature.missing",
        "ingredient.manifest.missing",
    }
)
CREDENTIAL_PREFIXES = ("signingCredential.", "timeStamp.", "claimSignature.outside")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredient:
    """A file that another one was made from, as its manifest tells.

    Parameters
    ----------
    title, relationship : str
        Its name, and what it was used for: ``"parentOf"``, ``"componentOf"``,
        ``"inputTo"``.
    failures : tuple of str
        What was wrong with it: found by whoever signed the later file, or now.
    changed : bool
        Whether that says that it had been changed after its own manifest was signed.
    source_types : tuple of str
        What its own manifest says about its source, as in `ManifestReading`.
    """

    title: str
    relationship: str
    failures: tuple[str, ...]
    changed: bool
    source_types: tuple[str, ...]


def tells_change(code: str) -> bool:
    """Tell whether a failure code says that something was changed after signing."""
    return code in _TAMPER_CODES or code.endswith(_TAMPER_SUFFIXES)


def codes_of(statuses: object) -> list[str]:
    """Return the codes of some results of a validation."""
    return [text(status.get("code")) for status in mappings(statuses)]


def actions_of(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the actions of a manifest, in order."""
    return [
        action
        for assertion in mappings(manifest.get("assertions"))
        if text(assertion.get("label")).startswith("c2pa.actions")
        for action in mappings(mapping(assertion.get("data")).get("actions"))
    ][:ITEM_LIMIT]


def source_types_of(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the digital source types of the actions, the last part of each."""
    types = (text(action.get("digitalSourceType")) for action in actions_of(manifest))
    return unique(kind.rpartition("/")[2] for kind in types if kind)


def lasting_types(manifests: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return the source types of a manifest, or else of the nearest parent's."""
    seen: list[str] = []
    while name and name not in seen and len(seen) < ITEM_LIMIT:
        seen.append(name)
        current = mapping(manifests.get(name))
        if types := source_types_of(current):
            return types
        name = next(
            (
                text(item.get("active_manifest"))
                for item in mappings(current.get("ingredients"))
                if item.get("relationship") == "parentOf"
            ),
            "",
        )
    return ()


def ingredients(
    manifests: Mapping[str, Any], name: str, deltas: Mapping[str, Mapping[str, Any]]
) -> Iterator[Ingredient]:
    """Walk through the history, one generation after the other."""
    names = [name]
    count = 0
    for current in names:
        for item in mappings(mapping(manifests.get(current)).get("ingredients")):
            if count == ITEM_LIMIT:
                return
            count += 1
            uri = f"self#jumbf=/c2pa/{current}/c2pa.assertions/{item.get('label')}"
            own_name = text(item.get("active_manifest"))
            failures = _ingredient_failures(item, deltas.get(uri, {}))
            yield Ingredient(
                title=text(item.get("title")),
                relationship=text(item.get("relationship")),
                failures=failures,
                changed=any(map(tells_change, failures)),
                source_types=source_types_of(mapping(manifests.get(own_name))),
            )
            if own_name and own_name not in names:
                names.append(own_name)


def _ingredient_failures(
    item: Mapping[str, Any], delta: Mapping[str, Any]
) -> tuple[str, ...]:
    """Join what was recorded at signing with what this reading finds otherwise."""
    results = mapping(item.get("validation_results"))
    recorded = [
        *codes_of(mapping(results.get("activeManifest")).get("failure")),
        *codes_of(item.get("validation_status")),
    ]
    if "signingCredential.trusted" in codes_of(delta.get("success")):
        recorded = [code for code in recorded if code != _UNTRUSTED]
    return unique([*recorded, *codes_of(delta.get("failure"))])
