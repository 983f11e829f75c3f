"""The Soft Binding Resolution API of C2PA 2.2 over HTTP.

Five calls, which only read. What is sent is held in a temporary file until the answer
is made, and nothing of it is kept.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from fastapi import FastAPI, Query, Request, Response
from fastapi import Path as PathPart
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from ..errors import MediaError, SynthmarkError, UnsupportedFormat, UsageError
from ..provenance.store import active_part
from .lookup import FINGERPRINTS, WATERMARKS, Lookup, Match

__all__ = ["Limits", "make_service"]

MAX_VALUE_CHARACTERS = 1 << 17
MAX_URL_CHARACTERS = 8_192
"""Longer values of bindings go into the body of a POST."""

_ADDRESSES = 10_000
_Most = Annotated[int, Query(alias="maxResults", ge=1, le=100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one who asks may ask for.

    Parameters
    ----------
    body_bytes : int
        Largest content that is taken.
    per_minute : int
        Questions of one address in a minute.
    """

    body_bytes: int = 64 << 20
    per_minute: int = 120


class MatchOut(BaseModel):
    """A manifest that matches."""

    manifestId: str
    similarityScore: int | None = Field(default=None, ge=0, le=100)
    endpoint: str | None = None


class Matches(BaseModel):
    """What matches a question."""

    matches: list[MatchOut]


class Binding(BaseModel):
    """A soft binding to look up."""

    model_config = ConfigDict(extra="ignore")

    alg: str = Field(max_length=200)
    value: str = Field(max_length=MAX_VALUE_CHARACTERS)


class Algorithm(BaseModel):
    """The name of an algorithm."""

    alg: str


class Algorithms(BaseModel):
    """The algorithms that can be asked for."""

    watermarks: list[Algorithm]
    fingerprints: list[Algorithm]


class _Turns:
    """How many questions each address has left in this minute."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self.left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str, now: float) -> float:
        """Take one; return how many seconds to wait where there is none."""
        rate = self.per_minute / 60
        left, seen = self.left.pop(address, (float(self.per_minute), now))
        left = min(self.per_minute, left + (now - seen) * rate)
        wait = 0.0 if left >= 1 else (1 - left) / rate
        self.left[address] = (left if wait else left - 1, now)
        if len(self.left) > _ADDRESSES:
            self.left.popitem(last=False)
        return wait


class _TooLarge(Exception):
    """More was sent than is taken."""


def make_service(lookup: Lookup, limits: Limits | None = None) -> FastAPI:
    """Return the service as an ASGI application.

    Parameters
    ----------
    lookup : Lookup
        What answers.
    limits : Limits, optional
        What one who asks may ask for.
    """
    limits = limits or Limits()
    turns = _Turns(limits.per_minute)
    service = FastAPI(
        title="Soft Binding Resolution API",
        version="1.0.0",
        description=__doc__,
        docs_url=None,
        redoc_url=None,
    )

    @service.middleware("http")
    async def guard(
        request: Request, call: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        address = request.client.host if request.client else ""
        if wait := turns.take(address, time.monotonic()):
            after = {"Retry-After": str(int(wait) + 1)}
            return _refused(429, "too many questions", after)
        if len(request.url.path) + len(request.url.query) > MAX_URL_CHARACTERS:
            return _refused(414, "the address is too long: use POST")
        answer = await call(request)
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer

    @service.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return _refused(400, f"{where}: {first['msg']}")

    @service.exception_handler(SynthmarkError)
    async def failed(_: Request, error: SynthmarkError) -> Response:
        if isinstance(error, UnsupportedFormat):
            return _refused(415, error.problem)
        if isinstance(error, UsageError | MediaError):
            return _refused(400, error.problem)
        return _refused(500, "the registry cannot read its log")

    @service.exception_handler(_TooLarge)
    async def too_large(_: Request, error: _TooLarge) -> Response:
        return _refused(413, f"more than {limits.body_bytes:,} bytes")

    @service.get("/matches/byBinding", response_model_exclude_none=True)
    def by_binding(
        alg: Annotated[str, Query(max_length=200)],
        value: Annotated[str, Query(max_length=MAX_VALUE_CHARACTERS)],
        results: _Most = 10,
    ) -> Matches:
        """Find manifests by a soft binding."""
        return _matches(lookup.by_binding(alg, _decoded(value), results))

    @service.post("/matches/byBinding", response_model_exclude_none=True)
    def by_sent_binding(binding: Binding, results: _Most = 10) -> Matches:
        """Find manifests by a soft binding that is too long for an address."""
        return _matches(
            lookup.by_binding(binding.alg, _decoded(binding.value), results)
        )

    @service.post("/matches/byContent", response_model_exclude_none=True)
    async def by_content(
        request: Request,
        results: _Most = 10,
        alg: Annotated[str | None, Query(max_length=200)] = None,
        hint_alg: Annotated[str | None, Query(alias="hintAlg", max_length=200)] = None,
        hint_value: Annotated[
            str | None, Query(alias="hintValue", max_length=MAX_VALUE_CHARACTERS)
        ] = None,
    ) -> Matches:
        """Find manifests by the content itself: its mark, or contents like it."""
        if alg is not None and alg not in (*WATERMARKS, *FINGERPRINTS):
            raise UsageError(f"{alg[:80]!r} is no algorithm of this registry")
        hinted: list[Match] = []
        if hint_alg is not None and hint_value is not None:
            value = _decoded(hint_value)
            hinted = await run_in_threadpool(
                lookup.by_binding, hint_alg, value, results
            )
        with TemporaryDirectory(prefix="synthmark-") as folder:
            path = Path(folder) / "content"
            await _receive(request, path, limits.body_bytes)
            found = await run_in_threadpool(lookup.by_content, path, results)
        once = {one.manifest_id: one for one in (*found, *hinted)}
        return _matches(list(once.values())[:results])

    @service.get(
        "/manifests/{manifest_id:path}",
        response_class=Response,
        responses={200: {"content": {"application/c2pa": {}}}, 404: {}},
    )
    def manifest(
        manifest_id: Annotated[str, PathPart(max_length=512)],
        active: Annotated[bool, Query(alias="returnActiveManifest")] = False,
    ) -> Response:
        """Return a manifest store, or its active manifest alone."""
        store = lookup.manifest(manifest_id)
        if store is None:
            return _refused(404, "no such manifest")
        content = active_part(store) if active else store
        return Response(content, media_type="application/c2pa")

    @service.get("/services/supportedAlgorithms")
    def supported_algorithms() -> Algorithms:
        """Return the algorithms that can be asked for."""
        return Algorithms(
            watermarks=[Algorithm(alg=name) for name in WATERMARKS],
            fingerprints=[Algorithm(alg=name) for name in FINGERPRINTS],
        )

    return service


async def _receive(request: Request, path: Path, most: int) -> None:
    """Put what is sent into a file, as far as it may be so large."""
    size = 0
    with open(path, "wb") as file:
        async for part in request.stream():
            size += len(part)
            if size > most:
                raise _TooLarge
            file.write(part)


def _matches(found: list[Match]) -> Matches:
    return Matches(
        matches=[
            MatchOut(manifestId=one.manifest_id, similarityScore=one.similarity)
            for one in found
        ]
    )


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UsageError("the value is not Base64") from error


def _refused(
    status: int, problem: str, headers: dict[str, str] | None = None
) -> Response:
    return JSONResponse({"detail": problem}, status, headers=headers)
