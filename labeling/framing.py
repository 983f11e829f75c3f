"""Whether a picture or video still shows all that it showed when it was labeled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .marks.lattice import IMAGE, VIDEO

__all__ = ["is_whole"]

_SCHEMES = {scheme.name: scheme for scheme in (IMAGE, VIDEO)}
_TURN_DEG = 0.5
# Scales are measured to some thousandths; a smaller crop hides no notice.
_TOLERANCE = 0.02


def is_whole(
    extent: Mapping[str, Any], written: Mapping[str, Any], mark: Mapping[str, Any]
) -> bool:
    """Tell whether a picture has its whole frame, perhaps at another size.

    The mark was laid at a known scale, and shows the present one; together with the
    size at the labeling it shows a crop, but not which part is gone.

    Parameters
    ----------
    extent : mapping
        ``width`` and ``height`` as displayed now.
    written : mapping
        The same when the notice was written.
    mark : mapping
        The detection, with ``scheme`` and ``transform``.
    """
    scheme = _SCHEMES.get(mark.get("scheme", ""))
    transform = mark.get("transform")
    if scheme is None or not transform or "width" not in written:
        return False
    if transform["flipped"] or abs(transform["rotation_deg"]) > _TURN_DEG:
        return False
    short = min(written["width"], written["height"])
    canonical = scheme.canonical_side(short) / short
    return all(
        abs(extent[side] / transform[scale] / (written[side] * canonical) - 1)
        <= _TOLERANCE
        for side, scale in (("width", "scale_x"), ("height", "scale_y"))
    )
