"""What a file's manifest shows, judged without trusting a word of it.

The C2PA library gives a state and a list of failure codes. Neither is a verdict: an
unknown signer is listed as a failure of a valid manifest, an expired certificate
makes it as invalid as a changed picture, and a parent that was tampered with does not
show at the top at all. `read` sorts this out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, TypeVar

from ..model import AigcLabel, State
from ..payload import Payload
from .assertions import (
    AIGC,
    CONSENT,
    SOFT_BINDING,
    read_aigc,
    read_consent,
    read_soft_binding,
)
from .origin import Origin, read_origin
from .sdk import load, make_context
from .store import is_container, opened, refusal
from .untrusted import ITEM_LIMIT, mapping, mappings, text, unique

__all__ = [
    "COMPOSITE",
    "GENERATED",
    "Ingredient",
    "ManifestReading",
    "has_manifest",
    "issuer_of",
    "judge",
    "parse",
    "read",
    "reason_of",
]

GENERATED = "trainedAlgorithmicMedia"
COMPOSITE = "compositeWithTrainedAlgorithmicMedia"

JSON_LIMIT = 16 << 20
_REMOTE = "must fetch remote manifests from url "
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
_CREDENTIAL_PREFIXES = ("signingCredential.", "timeStamp.", "claimSignature.outside")

_Read = TypeVar("_Read")


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
    source_types : tuple of str
        What its own manifest says about its source, as in `ManifestReading`.
    """

    title: str
    relationship: str
    failures: tuple[str, ...]
    source_types: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestReading:
    """What a file's manifest shows.

    Texts come from the file and are shortened and freed of control characters; they
    are worth what `state` says.

    Parameters
    ----------
    state : State
        TRUSTED: unchanged and signed by a trusted signer. UNTRUSTED: unchanged, but
        the signer is unknown or the certificate has expired. TAMPERED: changed
        after signing. MALFORMED: there is something that cannot be read, or breaks
        the rules. ABSENT: no manifest inside the file. UNSUPPORTED: a kind of file
        that cannot carry one.
    failures : tuple of str
        Failure codes of C2PA, the signer's own and those found in the history.
    detail : str
        Why nothing could be read, mostly in the C2PA library's words; else empty.
    title, generator : str
        What the manifest calls the file, and the program that wrote the manifest.
    signer_name, signer_organization : str
        Common name and organization of the certificate.
    issuer : str
        Who issued the certificate.
    time : str or None
        Time stamp of the signature (ISO 8601), if there is one.
    time_trusted : bool
        Whether the time-stamp authority is trusted as well.
    source_types : tuple of str
        Digital source types of the actions, the last part of their address, for
        example ``"trainedAlgorithmicMedia"``.
    actions : tuple of str
        The actions, in order.
    origin : Origin or None
        What it says of the system that made the content.
    label : AigcLabel or None
        The AIGC label under the signature.
    payload, mark_scheme : Payload and str, or None
        The mark that the manifest is bound to.
    consent : str or None
        Reference of the consent of whoever is shown or heard.
    ingredients : tuple of Ingredient
        Everything the file was made from, the nearest generation first.
    remote_url : str or None
        Where the manifest is said to be when it is not in the file. Never fetched.
    """

    state: State
    failures: tuple[str, ...] = ()
    detail: str = ""
    title: str = ""
    generator: str = ""
    signer_name: str = ""
    signer_organization: str = ""
    issuer: str = ""
    time: str | None = None
    time_trusted: bool = False
    source_types: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    origin: Origin | None = None
    label: AigcLabel | None = None
    payload: Payload | None = None
    mark_scheme: str | None = None
    consent: str | None = None
    ingredients: tuple[Ingredient, ...] = ()
    remote_url: str | None = None


def has_manifest(content: bytes | Path, media_type: str | None = None) -> bool:
    """Tell whether a readable manifest is embedded, valid or not.

    Parameters
    ----------
    content : bytes or Path
        A whole file, or where it is.
    media_type : str, optional
        Its type, used only where the bytes do not tell.

    Raises
    ------
    ManifestError
        The C2PA library cannot be loaded.
    """
    c2pa = load()
    context = make_context(c2pa, verify_content=False)
    with opened(content) as (whole, stream):
        if not is_container(whole) or refusal(whole):
            return False
        try:
            reader = c2pa.Reader.try_create(media_type, stream, context=context)
        except c2pa.C2paError:
            return False
        if reader is None:
            return False
        reader.close()
        return True


def read(
    content: bytes | Path, media_type: str | None = None, *, anchors_pem: str = ""
) -> ManifestReading:
    """Read and judge the manifest in a file. Opens no network connection.

    Parameters
    ----------
    content : bytes or Path
        A whole file, or where it is.
    media_type : str, optional
        Its type, used only where the bytes do not tell.
    anchors_pem : str, optional
        Certificates of the authorities to trust; without any, no signer is trusted.

    Raises
    ------
    CertificateError
        `anchors_pem` is not empty and holds no readable certificates.
    ManifestError
        The C2PA library cannot be loaded.
    """
    c2pa = load()
    context = make_context(c2pa, anchors_pem=anchors_pem)
    with opened(content) as (whole, stream):
        if not is_container(whole):
            return ManifestReading(state=State.UNSUPPORTED)
        if reason := refusal(whole):
            return ManifestReading(state=State.MALFORMED, detail=reason)
        return _read(c2pa, context, media_type, stream)


def _read(
    c2pa: ModuleType, context: Any, media_type: str | None, stream: BinaryIO
) -> ManifestReading:
    try:
        with c2pa.Reader(media_type, stream, context=context) as reader:
            store = parse(reader.json())
            issuer = issuer_of(c2pa, reader)
    except c2pa.C2paError.ManifestNotFound:
        return ManifestReading(state=State.ABSENT)
    except c2pa.C2paError.NotSupported:
        return ManifestReading(state=State.UNSUPPORTED)
    except (c2pa.C2paError, ValueError, RecursionError) as error:
        reason = reason_of(error)
        if reason.startswith(_REMOTE):
            url = text(reason.removeprefix(_REMOTE))
            return ManifestReading(state=State.ABSENT, remote_url=url)
        return ManifestReading(state=State.MALFORMED, detail=text(reason))
    return judge(store, issuer)


def parse(document: str) -> Mapping[str, Any]:
    """Return what the C2PA library tells as JSON.

    Raises
    ------
    ValueError
        It is too large, or no JSON.
    """
    if len(document) > JSON_LIMIT:
        raise ValueError("the manifest is too large")
    return mapping(json.loads(document))


def reason_of(error: Exception) -> str:
    """Return the library's own words, without the class in front."""
    return str(error).partition(": ")[2] or str(error)


def issuer_of(c2pa: ModuleType, reader: Any) -> str:
    """Return who issued the certificate, which only one of the views tells."""
    try:
        view = parse(reader.crjson())
    except (c2pa.C2paError, ValueError, RecursionError):
        return ""
    active = next(iter(mappings(view.get("manifests"))), {})
    certificate = mapping(mapping(active.get("signature")).get("certificateInfo"))
    issuer = mapping(certificate.get("issuer"))
    return text(issuer.get("CN")) or text(issuer.get("O"))


def judge(store: Mapping[str, Any], issuer: str) -> ManifestReading:
    """Return what a manifest store shows, as the C2PA library tells it."""
    manifests = mapping(store.get("manifests"))
    name = text(store.get("active_manifest"))
    active = mapping(manifests.get(name))
    results = mapping(store.get("validation_results"))
    own = mapping(results.get("activeManifest"))
    deltas = {
        text(item.get("ingredientAssertionURI")): mapping(item.get("validationDeltas"))
        for item in mappings(results.get("ingredientDeltas"))
    }
    # That a parent's signer is unknown is no failure of this one's.
    inherited = [
        code
        for delta in deltas.values()
        for code in _codes(delta.get("failure"))
        if not code.startswith(_CREDENTIAL_PREFIXES)
    ]
    failures = unique([*_codes(own.get("failure")), *inherited])
    signature = mapping(active.get("signature_info"))
    time = text(signature.get("time")) or None
    assertions = mappings(active.get("assertions"))
    generators = mappings(active.get("claim_generator_info"))
    binding = _first(read_soft_binding, assertions, SOFT_BINDING)
    return ManifestReading(
        state=_state(failures, store.get("validation_state")),
        failures=failures,
        title=text(active.get("title")),
        generator=text(generators[0].get("name") if generators else None),
        signer_name=text(signature.get("common_name")),
        signer_organization=text(signature.get("issuer")),
        issuer=issuer,
        time=time,
        time_trusted="timeStamp.trusted" in _codes(own.get("success")),
        source_types=_source_types(active),
        actions=tuple(text(action.get("action")) for action in _actions(active)),
        origin=read_origin(_actions(active)),
        label=_first(read_aigc, assertions, AIGC),
        payload=binding[0] if binding else None,
        mark_scheme=binding[1] if binding else None,
        consent=_first(read_consent, assertions, CONSENT),
        ingredients=tuple(_ingredients(manifests, name, deltas)),
    )


def _state(failures: tuple[str, ...], state: object) -> State:
    if any(
        code in _TAMPER_CODES or code.endswith(_TAMPER_SUFFIXES) for code in failures
    ):
        return State.TAMPERED
    if not all(code.startswith(_CREDENTIAL_PREFIXES) for code in failures):
        return State.MALFORMED
    if failures:
        return State.UNTRUSTED
    return {"Trusted": State.TRUSTED, "Valid": State.UNTRUSTED}.get(
        str(state), State.MALFORMED
    )


def _ingredients(
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
            yield Ingredient(
                title=text(item.get("title")),
                relationship=text(item.get("relationship")),
                failures=_ingredient_failures(item, deltas.get(uri, {})),
                source_types=_source_types(mapping(manifests.get(own_name))),
            )
            if own_name and own_name not in names:
                names.append(own_name)


def _ingredient_failures(
    item: Mapping[str, Any], delta: Mapping[str, Any]
) -> tuple[str, ...]:
    """Join what was recorded at signing with what this reading finds otherwise."""
    results = mapping(item.get("validation_results"))
    recorded = [
        *_codes(mapping(results.get("activeManifest")).get("failure")),
        *_codes(item.get("validation_status")),
    ]
    if "signingCredential.trusted" in _codes(delta.get("success")):
        recorded = [code for code in recorded if code != _UNTRUSTED]
    return unique([*recorded, *_codes(delta.get("failure"))])


def _actions(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [
        action
        for assertion in mappings(manifest.get("assertions"))
        if text(assertion.get("label")).startswith("c2pa.actions")
        for action in mappings(mapping(assertion.get("data")).get("actions"))
    ][:ITEM_LIMIT]


def _source_types(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    types = (text(action.get("digitalSourceType")) for action in _actions(manifest))
    return unique(kind.rpartition("/")[2] for kind in types if kind)


def _first(
    reader: Callable[[object], _Read | None],
    assertions: list[Mapping[str, Any]],
    label: str,
) -> _Read | None:
    read_out = (
        reader(item.get("data")) for item in assertions if item.get("label") == label
    )
    return next((value for value in read_out if value is not None), None)


def _codes(statuses: object) -> list[str]:
    return [text(status.get("code")) for status in mappings(statuses)]
