"""Label AI-generated media in every layer, and find the labels again.

The public names are loaded on first use, so that importing the package is cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .labeling.keys import Key
    from .labeling.marks.image import detect_image, embed_image
    from .labeling.payload import Payload

__version__ = "0.1.0"

_HOMES = {
    "Key": ".labeling.keys",
    "Payload": ".labeling.payload",
    "detect_image": ".labeling.marks.image",
    "embed_image": ".labeling.marks.image",
}

__all__ = ["Key", "Payload", "detect_image", "embed_image"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
