"""Ask a registry for the manifest of a mark (C2PA Soft Binding Resolution API 1.0).

Nothing is asked but the registries that are named, and no address in an answer is
followed unless its host is that of one of them. Answers are limited in size and time.
"""

from __future__ import annotations

import base64
import http.client
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from ..errors import RegistryError, UsageError
from ..payload import Payload
from ..provenance.assertions import algorithm_of

__all__ = ["Registry", "Resolved", "resolve"]

TIMEOUT_S = 10.0
DEADLINE_S = 30.0
MAX_ANSWER_BYTES = 1 << 20
MAX_MANIFEST_BYTES = 16 << 20
MAX_MATCHES = 10
_PART = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A manifest that a registry gave.

    Parameters
    ----------
    manifest_id : str
        Its name there.
    store : bytes
        The manifest store.
    registry : str
        Address of who gave it.
    """

    manifest_id: str
    store: bytes
    registry: str


@dataclass(frozen=True, slots=True)
class Registry:
    """A service that may be asked.

    Parameters
    ----------
    url : str
        Its address; ``https``, or ``http`` on this machine.

    Raises
    ------
    UsageError
        That is not such an address.
    """

    url: str

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            parts, host = urlsplit(""), None
        local = host in ("localhost", "127.0.0.1", "::1")
        plain = not (parts.query or parts.fragment or parts.username)
        secure = parts.scheme == "https" or (parts.scheme == "http" and local)
        if not (host and plain and secure):
            raise UsageError(
                f"{self.url[:80]!r} is not the address of a registry",
                hint="Give one that begins with https://, without a query.",
            )

    @property
    def host(self) -> tuple[str, str, int | None]:
        """Scheme, name and port."""
        parts = urlsplit(self.url)
        return parts.scheme, parts.hostname or "", parts.port

    def matches(self, algorithm: str, value: bytes) -> list[Mapping[str, Any]]:
        """Return what a soft binding matches, as the service tells it.

        Raises
        ------
        RegistryError
            There is no answer, or one that cannot be used.
        """
        asked = {
            "alg": algorithm,
            "value": base64.b64encode(value).decode("ascii"),
            "maxResults": MAX_MATCHES,
        }
        answer = self._get(f"/matches/byBinding?{urlencode(asked)}", MAX_ANSWER_BYTES)
        try:
            found = json.loads(answer)["matches"][:MAX_MATCHES]
            return [one for one in found if isinstance(one["manifestId"], str)]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise self._failed("gave an answer that is none of the kind") from error

    def manifest(self, manifest_id: str) -> bytes:
        """Return a manifest store.

        Raises
        ------
        RegistryError
            There is no answer, or one that is too large.
        """
        path = f"/manifests/{quote(manifest_id[:1000], safe=':')}"
        return self._get(path, MAX_MANIFEST_BYTES)

    def _get(self, path: str, most: int) -> bytes:
        scheme, host, port = self.host
        connection = (
            http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S)
            if scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        )
        try:
            base = urlsplit(self.url).path.rstrip("/")
            connection.request("GET", base + path, headers={"Accept": "*/*"})
            with connection.getresponse() as response:
                status, reason = response.status, response.reason[:80]
                content = _read(response, most + 1)
        except (OSError, http.client.HTTPException) as error:
            how = str(error) or type(error).__name__
            raise self._failed(f"does not answer: {how}") from error
        finally:
            connection.close()
        if status != http.client.OK:
            raise self._failed(f"answers {status} {reason}")
        if len(content) > most:
            raise self._failed(f"gives more than {most:,} bytes")
        return content

    def _failed(self, how: str) -> RegistryError:
        return RegistryError(
            f"the registry {self.url} {how}", hint="Try again later, or without it."
        )


def _read(response: http.client.HTTPResponse, most: int) -> bytes:
    """Read an answer to its end, to so many bytes, or until it takes too long."""
    content = bytearray()
    end = time.monotonic() + DEADLINE_S
    while len(content) < most and (part := response.read1(_PART)):
        content += part
        if time.monotonic() > end:
            raise TimeoutError("it sends too slowly")
    return bytes(content[:most])


def resolve(
    registries: Sequence[Registry], payload: Payload, scheme: str
) -> Resolved | None:
    """Return the manifest that a mark leads to, from the first registry that has one.

    Parameters
    ----------
    registries : sequence of Registry
        Whom to ask, in order.
    payload : Payload
        Of the mark.
    scheme : str
        Of the mark, for example ``"image-lattice/1"``.

    Raises
    ------
    RegistryError
        None of them has it, and one gave no answer.
    """
    value = int(payload).to_bytes(8, "big")
    failed: RegistryError | None = None
    for registry in registries:
        try:
            for match in registry.matches(algorithm_of(scheme), value):
                holder = _holder(registries, registry, match.get("endpoint"))
                if holder is not None:
                    name = match["manifestId"]
                    return Resolved(
                        manifest_id=name,
                        store=holder.manifest(name),
                        registry=holder.url,
                    )
        except RegistryError as error:
            failed = failed or error
    if failed:
        raise failed
    return None


def _holder(
    registries: Sequence[Registry], asked: Registry, endpoint: object
) -> Registry | None:
    """Return who holds a manifest; None where that is nobody who may be asked."""
    if endpoint is None:
        return asked
    try:
        named = Registry(str(endpoint))
    except UsageError:
        return None
    return named if named.host in {one.host for one in registries} else None
