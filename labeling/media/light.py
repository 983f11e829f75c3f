"""What a video says about the screen it was made for (SMPTE ST 2086, CTA-861.3)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av import VideoFrame

__all__ = ["Light", "light_of"]

# Three primaries and the white point as pairs, the darkest and the brightest light,
# each as numerator and denominator; then whether they are there.
_MASTERING = struct.Struct("=22i")


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """Light of the mastering display and of the content.

    Parameters
    ----------
    points : tuple of float
        x and y of red, green, blue and white (CIE 1931); empty if not stated.
    nits : tuple of float
        Darkest and brightest light of the display in cd/m2; empty if not stated.
    content_nits : tuple of int
        Light of the brightest pixel and of the brightest frame; empty if not stated.
    """

    points: tuple[float, ...] = ()
    nits: tuple[float, ...] = ()
    content_nits: tuple[int, ...] = ()

    def x264(self) -> list[str]:
        """Return parameters of x264."""
        found = [f"mastering-display={m}" for m in [self._mastering()] if m]
        if self.content_nits:
            found.append("cll={},{}".format(*self.content_nits))
        return found

    def x265(self) -> list[str]:
        """Return parameters of x265."""
        found = [f"master-display={m}" for m in [self._mastering()] if m]
        if self.content_nits:
            found.append("max-cll={},{}".format(*self.content_nits))
        return found

    def svt(self) -> list[str]:
        """Return parameters of SVT-AV1, which takes the numbers as they are."""
        found = []
        if self._mastering():
            found.append(f"mastering-display={self._mastering(1, 1)}")
        if self.content_nits:
            found.append("content-light={},{}".format(*self.content_nits))
        return found

    def _mastering(self, points: int = 50_000, nits: int = 10_000) -> str:
        """Write the display in units of 1/50,000 and 1/10,000 cd/m2, by default."""
        if not self.points or not self.nits:
            return ""

        def pair(name: str, x: float, y: float, unit: int) -> str:
            if unit == 1:
                return f"{name}({x:g},{y:g})"
            return f"{name}({round(x * unit)},{round(y * unit)})"

        rx, ry, gx, gy, bx, by, wx, wy = self.points
        return "".join(
            (
                *(pair("G", gx, gy, points), pair("B", bx, by, points)),
                *(pair("R", rx, ry, points), pair("WP", wx, wy, points)),
                pair("L", self.nits[1], self.nits[0], nits),
            )
        )


def light_of(picture: VideoFrame) -> Light:
    """Read what comes with a decoded picture."""
    points: tuple[float, ...] = ()
    nits: tuple[float, ...] = ()
    content: tuple[int, ...] = ()
    parts: Any = picture.side_data
    for data in parts:
        name, stored = data.type.name, bytes(data)
        if name == "MASTERING_DISPLAY_METADATA" and len(stored) >= _MASTERING.size:
            numbers = _MASTERING.unpack_from(stored)
            values = tuple(
                a / b if b else 0.0
                for a, b in zip(numbers[:20:2], numbers[1:20:2], strict=True)
            )
            if numbers[20]:
                points = values[:8]
            if numbers[21]:
                nits = values[8:]
        elif name == "CONTENT_LIGHT_LEVEL" and len(stored) >= 8:
            content = struct.unpack_from("=2I", stored)
    return Light(points=points, nits=nits, content_nits=content)
