"""What a file's manifest shows, judged without trusting a word of it.

The C2PA library gives a state and a list of failure codes. Neither is a verdict: an
unknown signer is listed as a failure of a valid manifest, an expired certificate
makes it as invalid as a changed picture, and a parent that was tampered with does not
show at the top at all. `read` sorts this out.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, TypeVar

from ..model import AigcLabel, State
from ..payload import Payload
from .assertions import (
    AIGC,
    CONSENT,
    DISCLOSURE,
    SOFT_BINDING,
    TRAINING,
    Disclosure,
    read_aigc,
    read_consent,
    read_disclosure,
    read_soft_binding,
    read_training,
)
from .history import (
    CREDENTIAL_PREFIXES,
    Ingredient,
    actions_of,
    codes_of,
    ingredients,
    lasting_types,
    tells_change,
)
from .origin import Origin, read_origin
from .sdk import check_fork, load, make_context
from .store import is_container, opened, refusal
from .untrusted import mapping, mappings, text, unique

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
    "read_store",
    "reason_of",
    "without_failures",
]

GENERATED = "trainedAlgorithmicMedia"
COMPOSITE = "compositeWithTrainedAlgorithmicMedia"

JSON_LIMIT = 16 << 20
_STORE_TYPE = "application/c2pa"
# Failures that say that a file is not the one that its manifest was made for.
_HARD_BINDINGS = frozenset(
    f"assertion.{kind}Hash.mismatch" for kind in ("data", "bmff", "boxes", "collection")
)
_REMOTE = "must fetch remote manifests from url "

_Read = TypeVar("_Read")


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
    manifest_id : str
        Name of the active manifest, a C2PA URN; empty for none.
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
        example ``"trainedAlgorithmicMedia"``; where there is none, those of the file
        that was opened.
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
    disclosures : tuple of Disclosure
        What it says of models that took part.
    training : mapping of str to str
        What may be learned from the content, by kind of learning; empty where it is
        not told.
    ingredients : tuple of Ingredient
        Everything the file was made from, the nearest generation first.
    remote_url : str or None
        Where the manifest is said to be when it is not in the file. Never fetched.
    """

    state: State
    failures: tuple[str, ...] = ()
    manifest_id: str = ""
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
    disclosures: tuple[Disclosure, ...] = ()
    training: Mapping[str, str] = field(default_factory=dict)
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
        check_fork(whole)
        try:
            reader = c2pa.Reader.try_create(media_type, stream, context=context)
        except c2pa.C2paError:
            return False
        if reader is None:
            return False
        reader.close()
        return True


def read(
    content: bytes | Path,
    media_type: str | None = None,
    *,
    anchors_pem: str = "",
    store: bytes | None = None,
) -> ManifestReading:
    """Read and judge the manifest of a file. Opens no network connection.

    Parameters
    ----------
    content : bytes or Path
        A whole file, or where it is.
    media_type : str, optional
        Its type, used only where the bytes do not tell.
    anchors_pem : str, optional
        Certificates of the authorities to trust; without any, no signer is trusted.
    store : bytes, optional
        The manifest, where it stands beside the file; any kind of file then. By
        default it is the one in the file.

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
        if store is None and not is_container(whole):
            return ManifestReading(state=State.UNSUPPORTED)
        if reason := refusal(whole if store is None else store):
            return ManifestReading(state=State.MALFORMED, detail=reason)
        check_fork(whole)
        return _read(c2pa, context, media_type, stream, store)


def read_store(store: bytes, *, anchors_pem: str = "") -> ManifestReading:
    """Read and judge a manifest without the file that it was made for.

    Whether the file was changed is left open; all else is as for `read`.
    """
    c2pa = load()
    if reason := refusal(store):
        return ManifestReading(state=State.MALFORMED, detail=reason)
    context = make_context(c2pa, anchors_pem=anchors_pem)
    try:
        with c2pa.Reader(
            _STORE_TYPE, io.BytesIO(b"."), manifest_data=store, context=context
        ) as reader:
            told = without_failures(parse(reader.json()), _HARD_BINDINGS)
            return judge(told, issuer_of(c2pa, reader))
    except (c2pa.C2paError, ValueError, RecursionError) as error:
        return ManifestReading(state=State.MALFORMED, detail=text(reason_of(error)))


def without_failures(
    store: Mapping[str, Any], codes: Collection[str], *more: str
) -> dict[str, Any]:
    """Return what the library tells, without some failures of the active manifest.

    Parameters
    ----------
    store : mapping
        As `parse` returns it.
    codes : collection of str
        The failures that do not count.
    *more : str
        Failures that were found otherwise.
    """
    results = {**mapping(store.get("validation_results"))}
    own = {**mapping(results.get("activeManifest"))}
    failures: list[Mapping[str, Any]] = [
        item for item in mappings(own.get("failure")) if item.get("code") not in codes
    ]
    failures += ({"code": code, "url": "", "explanation": ""} for code in more)
    own["failure"] = failures
    results["activeManifest"] = own
    told = {**store, "validation_results": results}
    if not failures:
        trusted = "signingCredential.trusted" in codes_of(own.get("success"))
        told["validation_state"] = "Trusted" if trusted else "Valid"
    return told


def _read(
    c2pa: ModuleType,
    context: Any,
    media_type: str | None,
    stream: BinaryIO,
    beside: bytes | None,
) -> ManifestReading:
    try:
        with c2pa.Reader(
            media_type, stream, manifest_data=beside, context=context
        ) as reader:
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
        for code in codes_of(delta.get("failure"))
        if not code.startswith(CREDENTIAL_PREFIXES)
    ]
    failures = unique([*codes_of(own.get("failure")), *inherited])
    signature = mapping(active.get("signature_info"))
    time = text(signature.get("time")) or None
    assertions = mappings(active.get("assertions"))
    generators = mappings(active.get("claim_generator_info"))
    binding = _first(read_soft_binding, assertions, SOFT_BINDING)
    return ManifestReading(
        state=_state(failures, store.get("validation_state")),
        failures=failures,
        manifest_id=name,
        title=text(active.get("title")),
        generator=text(generators[0].get("name") if generators else None),
        signer_name=text(signature.get("common_name")),
        signer_organization=text(signature.get("issuer")),
        issuer=issuer,
        time=time,
        time_trusted="timeStamp.trusted" in codes_of(own.get("success")),
        source_types=lasting_types(manifests, name),
        actions=tuple(text(action.get("action")) for action in actions_of(active)),
        origin=read_origin(actions_of(active)),
        label=_first(read_aigc, assertions, AIGC),
        payload=binding[0] if binding else None,
        mark_scheme=binding[1] if binding else None,
        consent=_first(read_consent, assertions, CONSENT),
        disclosures=tuple(_each(read_disclosure, assertions, DISCLOSURE)),
        training=_first(read_training, assertions, TRAINING) or {},
        ingredients=tuple(ingredients(manifests, name, deltas)),
    )


def _state(failures: tuple[str, ...], state: object) -> State:
    if any(map(tells_change, failures)):
        return State.TAMPERED
    if not all(code.startswith(CREDENTIAL_PREFIXES) for code in failures):
        return State.MALFORMED
    if failures:
        return State.UNTRUSTED
    return {"Trusted": State.TRUSTED, "Valid": State.UNTRUSTED}.get(
        str(state), State.MALFORMED
    )


def _first(
    reader: Callable[[object], _Read | None],
    assertions: list[Mapping[str, Any]],
    label: str,
) -> _Read | None:
    return next(_each(reader, assertions, label), None)


def _each(
    reader: Callable[[object], _Read | None],
    assertions: list[Mapping[str, Any]],
    label: str,
) -> Iterator[_Read]:
    for item in assertions:
        # A second one of its kind is numbered: "label__1".
        if text(item.get("label")).partition("__")[0] == label:
            value = reader(item.get("data"))
            if value is not None:
                yield value
