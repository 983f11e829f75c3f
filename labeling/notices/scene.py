"""The notice on the start screen of a virtual scene (GB 45438-2025, 5.5).

For an engine that draws the screen itself: a transparent picture of the size of the
screen, or a small model of the plate that hangs before the camera, and in words when
to show it.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from ..errors import UsageError
from ..model import Box
from .block import Block
from .place import (
    GUIDE_HEIGHT_PX,
    MIN_HEIGHT_FRACTION,
    PLACES,
    Room,
    check_place,
    choose,
    least_height,
)
from .plate import glaze
from .sphere import DARK, SPHERE_PLACES, worst_contrast
from .typeset import Pixels
from .view import FOV_RANGE
from .wording import check_wording, segments

__all__ = ["Schedule", "StartScreen", "start_screen"]

_RULES = ("GB 45438-2025, 5.5", "Deep Synthesis Provisions, Art. 17(4)")
_MOST_SIDE = 16_384

# glTF 2.0: component types, buffer targets, filters and wrapping of samplers.
_FLOAT, _USHORT = 5126, 5123
_VERTICES, _INDICES = 34962, 34963
_LINEAR, _MIPMAPS, _CLAMP = 9729, 9987, 33071


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a notice is shown; at the start of a scene always.

    Parameters
    ----------
    seconds : float
        How long each time, 2 to 3,600.
    every_min : float or None
        After how many minutes again, 1 to 1,440; None for never.
    after_breaks : bool
        Whether again when the user comes back to a scene that was left.

    Raises
    ------
    UsageError
        A time is not in its range.
    """

    seconds: float = 5.0
    every_min: float | None = None
    after_breaks: bool = True

    def __post_init__(self) -> None:
        for name, value, least, most in (
            ("seconds", self.seconds, 2, 3600),
            ("minutes", self.every_min, 1, 1440),
        ):
            if value is not None and not least <= value <= most:
                raise UsageError(
                    f"a notice cannot be shown with {value:g} {name}",
                    hint=f"Use {least} to {most}.",
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class StartScreen:
    """A notice for the start screen of a scene.

    Parameters
    ----------
    png : bytes
        A picture of the size of the screen, transparent but for the notice.
    glb : bytes
        The plate as a glTF 2.0 model: a rectangle with an unlit texture, for a child
        of the camera. At one unit before it, the rectangle is where it is in the
        picture.
    description : dict
        Wording, place, size and times, ready for JSON.
    """

    png: bytes
    glb: bytes
    description: dict[str, Any]


def start_screen(
    width: int,
    height: int,
    text: str,
    *,
    place: str = "bottom-right",
    height_fraction: float = MIN_HEIGHT_FRACTION,
    fov_deg: float = 60.0,
    schedule: Schedule | None = None,
) -> StartScreen:
    """Make the notice for the start screen of a scene.

    White text on a dark plate that is legible on any ground: what lies under it is not
    known.

    Parameters
    ----------
    width, height : int
        Of the screen in pixels, at most 16,384.
    text : str
        The wording.
    place : str, optional
        An edge or a corner: one of `PLACES` but "auto".
    height_fraction : float, optional
        Text height by shorter side of the screen, 0.05 to 0.2.
    fov_deg : float, optional
        What the camera sees along the shorter side of the screen, 30 to 120. The
        model is of this size.
    schedule : Schedule, optional
        When it is shown.

    Returns
    -------
    StartScreen
        The picture, the model and what to do with them.

    Raises
    ------
    UsageError
        An argument cannot be meant.
    TooSmallForNotice
        The screen has no room for a legible notice.
    """
    if min(width, height) < 1 or max(width, height) > _MOST_SIDE:
        raise UsageError(
            f"a screen cannot have {width} x {height} pixels",
            hint=f"Use at most {_MOST_SIDE:,} a side.",
        )
    if not FOV_RANGE[0] <= fov_deg <= FOV_RANGE[1]:
        raise UsageError(
            f"the field of view cannot be {fov_deg:g} degrees",
            hint=f"Use {FOV_RANGE[0]:g} to {FOV_RANGE[1]:g}.",
        )
    if place in PLACES and place not in SPHERE_PLACES:
        raise UsageError(
            f"what lies under the place {place!r} is not known",
            hint=f"Use one of {', '.join(SPHERE_PLACES)}.",
        )
    check_place(place, height_fraction)
    check_wording(text)
    schedule = schedule or Schedule()
    least = least_height(width, height, height_fraction)
    block, spots = choose(
        text,
        [Room.of(width, height)],
        least,
        max(least, GUIDE_HEIGHT_PX),
        corners=(place,),
    )
    box = spots[place]
    plate = _plate(block)
    screen = np.zeros((height, width, 4), np.uint8)
    screen[box.top : box.top + box.height, box.left : box.left + box.width] = plate
    # Pixels by distance of the screen's plane from the camera.
    scale = min(width, height) / 2 / math.tan(math.radians(fov_deg) / 2)
    primary, translation = segments(block.text)
    return StartScreen(
        png=_png(screen),
        glb=_glb(plate, _rectangle(box, width, height, scale), block.text),
        description={
            "text": primary,
            "translation": translation,
            "screen": {"width": width, "height": height},
            "box": {
                "left": box.left,
                "top": box.top,
                "width": box.width,
                "height": box.height,
            },
            "place": place,
            "ink_height_px": block.ink_height_px,
            "height_fraction": round(block.ink_height_px / min(width, height), 4),
            "contrast": round(worst_contrast(block, DARK), 2),
            "camera": {"fov_deg": fov_deg, "distance": 1.0},
            "show": {
                "at_start": True,
                "seconds": schedule.seconds,
                "every_min": schedule.every_min,
                "after_breaks": schedule.after_breaks,
            },
            "rules": list(_RULES),
        },
    )


def _plate(block: Block) -> Pixels:
    """Return a plate with its text on nothing: RGBA, straight alpha."""
    glass = glaze(block, DARK, lambda color: np.asarray(color, np.float32))
    cover = 1 - glass.through[..., None]
    plate = np.empty((*cover.shape[:2], 4), np.float32)
    # The color goes on where the plate ends, for whoever scales it.
    plate[..., :3] = glass.color / cover
    plate[..., 3:] = 255 * cover * glass.shape[..., None]
    return np.asarray(np.rint(plate), np.uint8)


def _rectangle(
    box: Box, width: int, height: int, scale: float
) -> tuple[float, float, float, float]:
    """Return left, bottom, right and top of a box, at distance 1 from the camera."""
    left, top = box.left - width / 2, height / 2 - box.top
    edges = (left, top - box.height, left + box.width, top)
    return tuple(edge / scale for edge in edges)  # type: ignore[return-value]


def _png(pixels: Pixels) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return file.getvalue()


def _glb(
    plate: Pixels, rectangle: tuple[float, float, float, float], text: str
) -> bytes:
    """Return a textured rectangle one unit before the camera (glTF 2.0, binary)."""
    rows, columns = plate.shape[:2]
    # Sides of powers of two, for the mipmaps of older devices; the edge is repeated.
    high, wide = (1 << (side - 1).bit_length() for side in (rows, columns))
    texture = np.pad(
        plate, ((0, high - rows), (0, wide - columns), (0, 0)), mode="edge"
    )
    left, bottom, right, top = rectangle
    u, v = columns / wide, rows / high
    corners = (
        (left, bottom, 0.0, v),
        (right, bottom, u, v),
        (right, top, u, 0.0),
        (left, top, 0.0, 0.0),
    )
    parts = (
        np.array([(x, y, -1) for x, y, *_ in corners], "<f4").tobytes(),
        np.array([at for *_, s, t in corners for at in (s, t)], "<f4").tobytes(),
        np.array([0, 1, 2, 0, 2, 3], "<u2").tobytes(),
        _png(texture),
    )
    views, content = [], b""
    for part, target in zip(parts, (_VERTICES, _VERTICES, _INDICES, None), strict=True):
        view = {"buffer": 0, "byteOffset": len(content), "byteLength": len(part)}
        views.append(view | ({"target": target} if target else {}))
        content += part + bytes(-len(part) % 4)
    accessor = {"componentType": _FLOAT, "count": 4}
    nearest, farthest = (
        [float(np.float32(value)) for value in (x, y, -1)]
        for x, y in ((left, bottom), (right, top))
    )
    document = {
        "asset": {"version": "2.0", "generator": "synthmark"},
        "extensionsUsed": ["KHR_materials_unlit"],
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": text}],
        "meshes": [
            {
                "primitives": [
                    {
                        "attributes": {"POSITION": 0, "TEXCOORD_0": 1},
                        "indices": 2,
                        "material": 0,
                    }
                ]
            }
        ],
        "materials": [
            {
                "pbrMetallicRoughness": {
                    "baseColorTexture": {"index": 0},
                    "metallicFactor": 0,
                    "roughnessFactor": 1,
                },
                "alphaMode": "BLEND",
                "doubleSided": True,
                "extensions": {"KHR_materials_unlit": {}},
            }
        ],
        "textures": [{"sampler": 0, "source": 0}],
        "samplers": [
            {
                "magFilter": _LINEAR,
                "minFilter": _MIPMAPS,
                "wrapS": _CLAMP,
                "wrapT": _CLAMP,
            }
        ],
        "images": [{"bufferView": 3, "mimeType": "image/png"}],
        "accessors": [
            accessor
            | {"bufferView": 0, "type": "VEC3", "min": nearest, "max": farthest},
            accessor | {"bufferView": 1, "type": "VEC2"},
            {
                "bufferView": 2,
                "componentType": _USHORT,
                "count": 6,
                "type": "SCALAR",
            },
        ],
        "bufferViews": views,
        "buffers": [{"byteLength": len(content)}],
    }
    text_part = json.dumps(document, ensure_ascii=False).encode()
    text_part += b" " * (-len(text_part) % 4)
    chunks = b"".join(
        struct.pack("<I4s", len(part), kind) + part
        for kind, part in ((b"JSON", text_part), (b"BIN\0", content))
    )
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
