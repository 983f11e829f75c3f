"""Signed C2PA manifests: who made a file with what, and that nothing changed since.

`sign` writes one, `read` judges one; both work in memory and never open a network
connection, except to the time-stamp authority that a `Signer` names. Signing is the
last step of all: any later change of the file, even to its metadata, breaks the seal.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from ..errors import CertificateError, ManifestError, UsageError
from ..model import AigcLabel
from ..payload import Payload
from .assertions import (
    Disclosure,
    aigc_assertion,
    algorithm_of,
    consent_assertion,
    disclosure_assertion,
    soft_binding_assertion,
    training_assertion,
)
from .reading import (
    COMPOSITE,
    GENERATED,
    Ingredient,
    ManifestReading,
    has_manifest,
    read,
    reason_of,
)
from .sdk import check_fork, load, make_context
from .signer import Signer
from .store import opened

__all__ = [
    "COMPOSITE",
    "GENERATED",
    "Claim",
    "Disclosure",
    "Ingredient",
    "ManifestReading",
    "Signer",
    "building",
    "has_manifest",
    "ingredient_of",
    "read",
    "sign",
    "sign_stream",
]

_GENERATOR = "synthmark"
_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_PARENT = "parent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a manifest says.

    Parameters
    ----------
    title : str
        Name of the file or work.
    label : AigcLabel
        The AIGC label that the file carries as metadata.
    payload : Payload or None
        The payload of the invisible mark, if there is one.
    mark_scheme : str or None
        The scheme of that mark, for example ``"image-lattice/1"``.
    software_agent, software_agent_version : str
        The system that generated the content.
    consent : str or None
        Reference of the consent of whoever's face or voice was edited.
    when : datetime
        When it was generated or labeled, with time zone.
    generator_version : str
        Version of synthmark.
    disclosure : Disclosure or None
        What is said of the model (C2PA 2.4, ``c2pa.ai-disclosure``).
    training : tuple of (str, str) or None
        What may be learned from the content, one of `TRAINING_USES`, and its terms.
    relabels : bool
        Whether the content is that of the parent, and only the label is new.

    Raises
    ------
    UsageError
        A value cannot be meant.
    """

    title: str
    label: AigcLabel
    payload: Payload | None
    mark_scheme: str | None
    software_agent: str
    software_agent_version: str
    when: datetime
    generator_version: str
    consent: str | None = None
    disclosure: Disclosure | None = None
    training: tuple[str, str] | None = None
    relabels: bool = False

    def __post_init__(self) -> None:
        if self.when.utcoffset() is None:
            raise UsageError("the time of a claim has no time zone")
        if (self.payload is None) != (self.mark_scheme is None):
            raise UsageError("payload and mark scheme of a claim go together")
        if self.mark_scheme is not None:
            algorithm_of(self.mark_scheme)
        if self.training is not None:
            training_assertion(*self.training)
        if not self.software_agent:
            raise UsageError(
                "a claim names no software agent",
                hint="Name the system that generated the content.",
            )


def sign(
    content: bytes,
    media_type: str,
    claim: Claim,
    signer: Signer,
    *,
    parent: bytes | None = None,
    parent_media_type: str | None = None,
) -> tuple[bytes, bytes]:
    """Return `content` with a signed manifest in it, and the manifest store.

    See `sign_stream`.
    """
    target = io.BytesIO()
    store = sign_stream(
        io.BytesIO(content),
        target,
        media_type,
        claim,
        signer,
        parent=parent,
        parent_media_type=parent_media_type,
    )
    return target.getvalue(), store


def sign_stream(
    source: BinaryIO,
    target: BinaryIO,
    media_type: str,
    claim: Claim,
    signer: Signer,
    *,
    parent: bytes | Path | None = None,
    parent_media_type: str | None = None,
    beside: bool = False,
) -> bytes:
    """Copy a file and put a signed manifest into it; nothing else in it changes.

    A new work opens with ``c2pa.created`` and the source type
    ``trainedAlgorithmicMedia``. With `parent`, the manifest opens the parent, which
    keeps its own manifest, and says that it was edited: with the same source type
    when the parent is generated already, else with
    ``compositeWithTrainedAlgorithmicMedia`` (C2PA 2.2, section 18.14).

    Parameters
    ----------
    source : file object
        A whole media file, open for reading.
    target : file object
        Empty, open for reading and writing; where the signed file goes.
    media_type : str
        Its type, for example ``"image/png"``.
    claim : Claim
        What the manifest shall say.
    signer : Signer
        Who says it.
    parent : bytes or Path, optional
        The file that the source was made from, when it carries a manifest. Signing
        without it leaves that manifest and its history behind.
    parent_media_type : str, optional
        The parent's type; by default `media_type`.
    beside : bool, optional
        Whether the manifest stays out of the file, to stand in one of its own (C2PA
        2.2, section 11.4); any type of file can have one so.

    Returns
    -------
    bytes
        The manifest store.

    Raises
    ------
    CertificateError
        The certificate has expired, or the signature does not fit it.
    ManifestError
        The file cannot carry a manifest, the parent's manifest cannot be kept, the
        signing function failed (with its exception as the cause), or the time-stamp
        authority did not answer.
    """
    signer.check()
    source.seek(0)
    check_fork(source.read(1024))
    source.seek(0)
    parent_media_type = parent_media_type or media_type
    history = None if parent is None else read(parent, parent_media_type)
    if history is not None and history.detail:
        raise ManifestError(
            f"the original's manifest cannot be kept: {history.detail}",
            hint="Sign without the parent; its broken manifest is then left behind.",
        )
    with building(claim, signer, media_type, history) as (builder, native):
        if parent is not None and history is not None:
            with opened(parent) as (_, stream):
                builder.add_ingredient(
                    ingredient_of(history), parent_media_type, stream
                )
        if beside:
            builder.set_no_embed()
        return bytes(builder.sign(native, media_type, source, target))


def ingredient_of(parent: ManifestReading) -> dict[str, Any]:
    """Return what a new manifest says of the file that it opens."""
    return {
        "title": parent.title or _PARENT,
        "relationship": "parentOf",
        "label": _PARENT,
    }


@contextmanager
def building(
    claim: Claim,
    signer: Signer,
    media_type: str,
    parent: ManifestReading | None,
    **more: list[dict[str, Any]],
) -> Iterator[tuple[Any, Any]]:
    """Lend builder and signer of the C2PA library; turn its errors into ours.

    Parameters
    ----------
    claim, signer, media_type
        As for `sign_stream`.
    parent : ManifestReading or None
        What the manifest of the opened file says.
    **more
        Items for the lists of the manifest, besides what the claim says.
    """
    c2pa = load()
    definition = _definition(claim, parent)
    for name, items in more.items():
        definition[name] = [*definition.get(name, ()), *items]
    raised: list[BaseException] = []
    try:
        with (
            c2pa.Builder(definition, context=make_context(c2pa)) as builder,
            signer.native(c2pa, raised) as native,
        ):
            yield builder, native
    except c2pa.C2paError as error:
        if raised:
            _fail_signing(raised[0])
        if signer.tsa_url and isinstance(error, c2pa.C2paError.Signature):
            # Certificate and key were checked before: this is what remains.
            raise ManifestError(
                f"no time stamp from {signer.tsa_url}: {reason_of(error)}",
                hint="Try again later, or sign without a time-stamp authority.",
            ) from error
        if isinstance(error, c2pa.C2paError.NotSupported):
            raise ManifestError(
                f"a manifest cannot be embedded in {media_type}",
                hint="Use JPEG, PNG, WebP, TIFF, GIF, AVIF or HEIC for pictures, "
                "WAV, FLAC, MP3 or M4A for sound, and MP4, MOV or AVI for video.",
            ) from error
        raise ManifestError(
            f"the manifest could not be made: {reason_of(error)}",
            hint=f"Check that the content is a whole file of type {media_type}.",
        ) from error


def _fail_signing(error: BaseException) -> NoReturn:
    """Raise what a signing function raised, as an error of ours where it is one."""
    if isinstance(error, CertificateError) or not isinstance(error, Exception):
        raise error
    raise ManifestError(
        f"the signing function failed: {str(error) or type(error).__name__}",
        hint="Check the connection to the key store.",
    ) from error


def _definition(claim: Claim, parent: ManifestReading | None) -> dict[str, Any]:
    """Return the manifest as the library takes it.

    ``"created": true`` puts an assertion among those that the signer vouches for;
    by default they only count as gathered.
    """
    labeler = {"name": _GENERATOR, "version": claim.generator_version}
    agent = {"name": claim.software_agent}
    if claim.software_agent_version:
        agent["version"] = claim.software_agent_version
    made = {"softwareAgent": agent, "digitalSourceType": _SOURCE_TYPES + GENERATED}
    actions: list[dict[str, Any]] = [{"action": "c2pa.created", **made}]
    if parent is not None:
        parameters = {"ingredientIds": [_PARENT]}
        actions = [
            {
                "action": "c2pa.opened",
                "softwareAgent": labeler,
                "parameters": parameters,
            },
            {"action": "c2pa.edited", **made},
        ]
        if claim.relabels:
            actions[1] = {"action": "c2pa.edited.metadata", "softwareAgent": labeler}
        elif GENERATED not in parent.source_types:
            actions[1]["digitalSourceType"] = _SOURCE_TYPES + COMPOSITE
    assertions = [aigc_assertion(claim.label)]
    if claim.payload is not None and claim.mark_scheme is not None:
        actions.append({"action": "c2pa.watermarked.bound", "softwareAgent": labeler})
        assertions.append(soft_binding_assertion(claim.payload, claim.mark_scheme))
    if claim.consent is not None:
        assertions.append(consent_assertion(claim.consent))
    if claim.disclosure is not None:
        assertions.append(disclosure_assertion(claim.disclosure))
    if claim.training is not None:
        assertions.append(training_assertion(*claim.training))
    when = claim.when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    dated = [{**action, "when": when} for action in actions]
    history = {"label": "c2pa.actions.v2", "data": {"actions": dated}, "created": True}
    return {
        "claim_generator_info": [labeler],
        # A file name may hold what is no text; JSON takes none of that.
        "title": claim.title.encode("utf-8", "replace").decode(),
        "assertions": [history, *assertions],
    }
