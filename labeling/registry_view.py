"""The commands of the registry."""

from __future__ import annotations

import socket
from typing import Annotated

import typer

from .console import errors, home, tell
from .errors import UsageError
from .options import Anchors, MarkKeys, detector_of

__all__ = ["registry"]

registry = typer.Typer(
    help="Lead marks and contents back to manifests.", no_args_is_help=True
)

_HINT = "Install the part that serves: pip install 'synthmark[registry]'."


@registry.callback()
def _group() -> None:
    """Keep the group a group, with one command in it too."""


@registry.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port.", min=0, max=65_535)] = 8260,
    max_mb: Annotated[
        int, typer.Option(help="Largest content that is taken.", min=1, max=4096)
    ] = 64,
    per_minute: Annotated[
        int, typer.Option(help="Questions of one address in a minute.", min=1)
    ] = 120,
    mark_key: MarkKeys = None,
    anchors: Anchors = None,
) -> None:
    """Answer the calls of the Soft Binding Resolution API (C2PA 2.2); read only."""
    with errors():
        try:
            import uvicorn

            from .registry.service import Limits, make_service
        except ImportError as error:
            raise UsageError(
                f"the registry cannot be served: {error}", hint=_HINT
            ) from error
        from .registry.lookup import Lookup

        own = home()
        detector = detector_of(own, mark_key, anchors)
        if detector.records is None or detector.catalog is None:
            raise UsageError(
                "there is no record log to answer from",
                hint="It appears with the first labeled file.",
            )
        service = make_service(
            Lookup(detector.records, detector),
            Limits(body_bytes=max_mb << 20, per_minute=per_minute),
        )
        listening = socket.create_server((host, port))
        tell(f"Answering at http://{host}:{listening.getsockname()[1]}")
    server = uvicorn.Server(uvicorn.Config(service, log_level="warning"))
    server.run(sockets=[listening])
