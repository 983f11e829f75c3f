"""The commands that make something to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .console import AsJson, Corner, Lang, errors, print_json, tell
from .page import printable

__all__ = ["player"]


def player(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="A video.")],
    lang: Lang,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="HTML file.", show_default="NAME.player.html"
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("-f", "--force", help="Replace an existing output.")
    ] = False,
    address: Annotated[
        str | None,
        typer.Option(
            help="URL of the video as seen from the page.",
            show_default="where it lies",
        ),
    ] = None,
    notice: Annotated[
        str | None, typer.Option(help="Other wording, with both required elements.")
    ] = None,
    over: Annotated[
        bool,
        typer.Option("--over", help="Lay the notice over the picture as well."),
    ] = False,
    corner: Annotated[
        Corner | None, typer.Option(help="Where it stands over the picture.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a page with the notice around the player of a video."""
    from .player import surround_video

    target = output or source.with_name(f"{source.stem}.player.html")
    with errors():
        made = surround_video(
            source,
            target,
            overwrite=force,
            address=address,
            wording=notice or lang.value,
            corner=corner and corner.value,
            over=over,
        )
    if as_json:
        print_json(
            {
                "file": str(source),
                "page": str(target),
                **made.description,
                "snippet": made.snippet,
                "notes": list(made.notes),
            }
        )
        return
    print(printable(str(target)))
    for note in made.notes:
        tell(f"{source}: {note}")
