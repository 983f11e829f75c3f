"""Measure what somebody without the key can do to the image mark, and print tables.

Run it from a checkout: ``python bench/security.py FOLDER``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import clock  # noqa: F401 - decides the number of threads of all that follow

# isort: split
import averaging
import command
import copying
import many_keys
import remarking
import removal
import tiles
from image_reads import Settings
from peer_reads import reduced

from synthmark import SynthmarkError, embed_image

__all__ = ["PARTS", "main", "render", "run"]

PARTS: dict[str, ModuleType] = {
    "averaging": averaging,
    "copying": copying,
    "remarking": remarking,
    "removal": removal,
    "keys": many_keys,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = command.parser(__doc__.partition("\n")[0])
    add = parser.add_argument
    parts = f"parts, of {', '.join(PARTS)} (default: all)"
    add("--only", type=_parts, metavar="A,B", default=tuple(PARTS), help=parts)
    add("--json", type=command.target, metavar="FILE", help="write the figures too")
    options = parser.parse_args(arguments)
    figures = run(options.files[: options.limit], options.seed, options.only)
    print(render(figures))
    if options.json:
        command.write(figures, options.json)
    return 0


def run(files: Sequence[Path], seed: int, parts: Sequence[str]) -> dict[str, Any]:
    """Measure the parts; return figures of JSON types.

    Raises
    ------
    SystemExit
        No picture could be marked.
    """
    settings = Settings(attacks=(), seed=seed, strength=1.0)
    pictures, refused = {}, {}
    for name, pixels in command.load(files):
        try:
            if isinstance(pixels, OSError):
                raise pixels
            pictures[name] = reduced(pixels)
            embed_image(pictures[name], tiles.payload_of(0), settings.key(0))
        except (SynthmarkError, OSError) as error:
            pictures.pop(name, None)
            refused[name] = str(error)
    if not pictures:
        reasons = "".join(f"\n{name}: {why}" for name, why in refused.items())
        raise SystemExit(f"no picture could be marked{reasons}")
    figures = {part: PARTS[part].run(pictures, settings) for part in parts}
    command.progress()
    return {
        "schema_version": 1,
        "bench": "security",
        "seed": seed,
        **command.about(),
        "pictures": list(pictures),
        "refused": refused,
        **figures,
    }


def render(figures: Mapping[str, Any]) -> str:
    """Return the figures as a page in Markdown."""
    versions = ", ".join(f"{name} {v}" for name, v in figures["versions"].items())
    refused = [f"Refused: {name}: {why}" for name, why in figures["refused"].items()]
    return "\n\n".join(
        (
            "# Attacks on the image mark",
            f"{len(figures['pictures'])} pictures of at most a megapixel, seed "
            f"{figures['seed']}; {figures['machine']}, {versions}.",
            *refused,
            *(PARTS[part].render(figures[part]) for part in PARTS if part in figures),
        )
    )


def _parts(text: str) -> tuple[str, ...]:
    chosen = set(text.split(","))
    unknown = ", ".join(sorted(chosen - set(PARTS)))
    if unknown:
        raise argparse.ArgumentTypeError(
            f"no part {unknown}; there are: {', '.join(PARTS)}"
        )
    return tuple(part for part in PARTS if part in chosen)


if __name__ == "__main__":
    sys.exit(main())
