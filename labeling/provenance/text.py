"""Signed manifests of texts, which have no place but their own characters.

The C2PA library (0.38) signs and checks a store for such files, but neither puts it
into a text nor finds it there, and does not know where in the text it may stand. That
is done here: the hash covers all of the text but the wrapper, in Unicode form NFC.

References
----------
C2PA 2.4, annex A.8 and sections 9.2.4, 15.5.2.5, 15.12.1.3.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from ..errors import ManifestError
from ..model import State
from .manifest import Claim, building, ingredient_of
from .reading import (
    ManifestReading,
    issuer_of,
    judge,
    parse,
    reason_of,
    without_failures,
)
from .sdk import load, make_context
from .signer import Signer
from .store import refusal
from .untrusted import mapping, text
from .wrapper import (
    MAX_STORE_BYTES,
    Wrapper,
    fills_with_zeros,
    find,
    length_of,
    unwrapped,
    wrap,
)

__all__ = ["read_text", "sign_text", "store_of", "unwrapped"]

_HASH = "c2pa.hash.data"
_MISMATCH = "assertion.dataHash.mismatch"
_ALGORITHMS = ("sha256", "sha384", "sha512")
_LONGEST_RUN = 1_000
"""Of combining characters; the time to put them in order grows with its square."""
_ROUNDS = 16
"""Each differs from the others, and one in three is filled up in the plain way."""


def sign_text(
    content: bytes,
    media_type: str,
    claim: Claim,
    signer: Signer,
    *,
    parent: bytes | None = None,
) -> bytes:
    """Return a text with a signed manifest at its end, in characters without width.

    Manifests that are in it already are left out. It is signed twice, since only a
    finished manifest tells how long it is, and it says so itself; and some times more
    with a private key at hand, for a length that every reader knows to fill up.

    Parameters
    ----------
    content : bytes
        The text, in UTF-8.
    media_type : str
        Its type, for example ``"text/plain"``.
    claim, signer
        As for `manifest.sign`.
    parent : bytes, optional
        The text that it was made from, when that carries a manifest.

    Raises
    ------
    CertificateError
        The certificate has expired, or the signature does not fit it.
    ManifestError
        The text is not UTF-8 or cannot be put into form NFC, or as for
        `manifest.sign`.
    """
    signer.check()
    bare = unwrapped(content)
    if (plain := _normal(bare)) is None:
        raise ManifestError(
            "the text cannot carry a manifest",
            hint="It must be UTF-8, without endless runs of combining characters.",
        )
    digest = hashlib.sha256(plain).digest()
    history, ingredients, resources = _history(parent, media_type)
    length, best = length_of(0), None
    for _ in range(_ROUNDS):
        assertion = {
            "label": _HASH,
            "data": {
                "exclusions": [{"start": len(bare), "length": length}],
                "name": "C2PATextManifestWrapper",
                "alg": "sha256",
                "hash": [*digest],
                "pad": [],
            },
            "created": True,
        }
        with building(
            claim,
            signer,
            media_type,
            history,
            assertions=[assertion],
            ingredients=ingredients,
        ) as (builder, native):
            for name, resource in resources.items():
                builder.add_resource(name, io.BytesIO(resource))
            builder.set_no_embed()
            store = builder.sign(native, media_type, io.BytesIO(bare), io.BytesIO())
        if len(store) > MAX_STORE_BYTES:
            raise ManifestError(
                "the history of the text is too long for a manifest in it",
                hint="Start from a copy without a manifest.",
            )
        if length_of(len(store)) == length:
            best = store
            if fills_with_zeros(store) or not signer.is_cheap:
                break
        length = length_of(len(store))
    if best is None:
        raise ManifestError("the manifest of a text does not come to a length")
    return bare + wrap(best)


def read_text(content: bytes, *, anchors_pem: str = "") -> ManifestReading:
    """Read and judge the manifest in a text. Opens no network connection.

    Parameters
    ----------
    content : bytes
        The text; a wrapper is only found in UTF-8.
    anchors_pem : str, optional
        Certificates of the authorities to trust; without any, no signer is trusted.

    Raises
    ------
    CertificateError
        `anchors_pem` is not empty and holds no readable certificates.
    ManifestError
        The C2PA library cannot be loaded.
    """
    wrappers = find(content)
    if not wrappers:
        return ManifestReading(state=State.ABSENT)
    if len(wrappers) > 1:
        return _malformed("there is more than one", "manifest.text.multipleWrappers")
    if wrappers[0].store is None:
        return _malformed("it is cut off or damaged", "manifest.text.corruptedWrapper")
    try:
        return judge(*_examined(content, wrappers[0], "text/plain", anchors_pem))
    except ValueError as error:
        return _malformed(str(error))


def store_of(content: bytes) -> bytes:
    """Return the manifest store in a text that has been signed.

    Raises
    ------
    ManifestError
        There is not exactly one.
    """
    stores = [one.store for one in find(content)]
    if len(stores) != 1 or stores[0] is None:
        raise ManifestError("the text does not hold one manifest")
    return stores[0]


def _malformed(detail: str, *failures: str) -> ManifestReading:
    return ManifestReading(
        state=State.MALFORMED, failures=failures, detail=text(detail)
    )


def _examined(
    content: bytes, wrapper: Wrapper, media_type: str, anchors_pem: str
) -> tuple[dict[str, Any], str]:
    """Return what the library tells of a store, with the hash as found here.

    Raises
    ------
    ValueError
        The store cannot be read.
    """
    assert wrapper.store is not None
    if reason := refusal(wrapper.store):
        raise ValueError(reason)
    c2pa = load()
    context = make_context(c2pa, anchors_pem=anchors_pem)
    try:
        with c2pa.Reader(
            media_type,
            io.BytesIO(content),
            manifest_data=wrapper.store,
            context=context,
        ) as reader:
            store = parse(reader.json())
            details = parse(reader.detailed_json())
            issuer = issuer_of(c2pa, reader)
    except (c2pa.C2paError, RecursionError) as error:
        raise ValueError(reason_of(error)) from error
    active = mapping(
        mapping(details.get("manifests")).get(text(store.get("active_manifest")))
    )
    # The library looks for the wrapper where it cannot be, and takes bytes as they are.
    changed = () if _is_bound(content, wrapper, active) else (_MISMATCH,)
    return without_failures(store, {_MISMATCH}, *changed), issuer


def _is_bound(content: bytes, wrapper: Wrapper, active: Mapping[str, Any]) -> bool:
    """Tell whether a manifest is the one of this text, at this place in it."""
    data = mapping(mapping(active.get("assertion_store")).get(_HASH))
    place = {"start": wrapper.start, "length": wrapper.length}
    algorithm = data.get("alg") or mapping(active.get("claim")).get("alg") or "sha256"
    if data.get("exclusions") != [place] or algorithm not in _ALGORITHMS:
        return False
    plain = _normal(unwrapped(content))
    return plain is not None and data.get("hash") == base64.b64encode(
        hashlib.new(algorithm, plain).digest()
    ).decode("ascii")


def _normal(bare: bytes) -> bytes | None:
    """Return a text in form NFC; None where that cannot be done."""
    try:
        read = bare.decode()
    except UnicodeDecodeError:
        return None
    marks = "".join(one for one in {*read} if unicodedata.combining(one))
    if marks and re.search(f"[{re.escape(marks)}]{{{_LONGEST_RUN}}}", read):
        return None
    return unicodedata.normalize("NFC", read).encode()


def _history(
    parent: bytes | None, media_type: str
) -> tuple[ManifestReading | None, list[dict[str, Any]], dict[str, bytes]]:
    """Return what a parent's manifest says, and how the new one takes it in."""
    if parent is None:
        return None, [], {}
    try:
        (wrapper,) = find(parent)
        assert wrapper.store is not None
        store, issuer = _examined(parent, wrapper, media_type, "")
    except (ValueError, AssertionError) as error:
        raise ManifestError(
            f"the original's manifest cannot be kept: {error}",
            hint="Sign without the parent; its broken manifest is then left behind.",
        ) from error
    history = judge(store, issuer)
    ingredient = ingredient_of(history)
    ingredient |= {
        "format": media_type,
        "instance_id": ingredient["label"],
        "active_manifest": store["active_manifest"],
        "validation_results": store["validation_results"],
        "manifest_data": {"format": "application/c2pa", "identifier": "store"},
    }
    return history, [ingredient], {"store": wrapper.store}
