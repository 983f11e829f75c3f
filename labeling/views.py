"""The commands that make something to look at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from .console import AsJson, Corner, Lang, errors, print_json, tell
from .errors import UsageError
from .page import printable

__all__ = ["element", "player", "scene"]


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


def element(
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="Script file.", show_default="synthmark-notice.js"
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("-f", "--force", help="Replace an existing output.")
    ] = False,
    address: Annotated[
        str | None,
        typer.Option(
            help="URL of the script as seen from the pages.", show_default="its name"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the script of the notice for web pages, <synthmark-notice>."""
    from .files import write_bytes
    from .notices.element import ELEMENT_FILE, element_html, element_script

    target = output or Path(ELEMENT_FILE)
    with errors():
        lines = element_html(quote(target.name) if address is None else address)
        write_bytes(target, element_script().encode(), overwrite=force)
    if as_json:
        print_json({"script": str(target), "html": lines})
        return
    print(printable(str(target)))
    for line in lines.splitlines():
        tell(line)


def scene(
    lang: Lang,
    size: Annotated[
        str, typer.Option(help="Of the screen in pixels.", metavar="WIDTHxHEIGHT")
    ] = "1920x1080",
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="PNG file.", show_default="synthmark-scene.png"
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("-f", "--force", help="Replace existing outputs.")
    ] = False,
    notice: Annotated[
        str | None, typer.Option(help="Other wording, with both required elements.")
    ] = None,
    place: Annotated[
        str, typer.Option(help="A corner, or the middle of an edge: bottom.")
    ] = "bottom-right",
    fov: Annotated[
        float, typer.Option(help="Degrees the camera sees along the shorter side.")
    ] = 60.0,
    seconds: Annotated[
        float, typer.Option(help="How long the notice is shown each time.")
    ] = 5.0,
    every: Annotated[
        float | None,
        typer.Option(help="Minutes until it is shown again.", show_default="never"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make the notice for the start screen of a scene: PNG, model, description."""
    from .files import write_bytes
    from .notices.scene import Schedule, start_screen
    from .notices.wording import WORDINGS

    target = output or Path("synthmark-scene.png")
    others = [target.with_suffix(suffix) for suffix in (".glb", ".json")]
    with errors():
        if target in others:
            raise UsageError(
                "the picture cannot have the suffix of the model or the description",
                hint="Name it .png.",
                path=target,
            )
        width, height = _size(size)
        made = start_screen(
            width,
            height,
            notice or WORDINGS[lang.value],
            place=place,
            fov_deg=fov,
            schedule=Schedule(seconds=seconds, every_min=every),
        )
        told = json.dumps(made.description, ensure_ascii=False, indent=2) + "\n"
        for path, content in zip(
            (target, *others), (made.png, made.glb, told.encode()), strict=True
        ):
            write_bytes(path, content, overwrite=force)
    files = [str(target), *map(str, others)]
    if as_json:
        names = ("png", "glb", "description")
        print_json({**dict(zip(names, files, strict=True)), **made.description})
        return
    for name in files:
        print(printable(name))


def _size(text: str) -> tuple[int, int]:
    """Return the width and height that a text like 1920x1080 says."""
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and len(text) < 12):
        raise UsageError(f"{text!a} is not a size", hint="Give one like 1920x1080.")
    return int(width), int(height)
