"""Label AI-generated media in every layer, and find the labels again.

>>> import synthmark as sm
>>> result = sm.label("in.png", "out.png", service="face")     # doctest: +SKIP
>>> report = sm.detect("out.png")                              # doctest: +SKIP

The public names are loaded on first use, so that importing the package is cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .labeling.api import detect, label
    from .labeling.detector import Detector
    from .labeling.errors import SynthmarkError
    from .labeling.footage import detect_video, embed_video
    from .labeling.home import Home
    from .labeling.keys import Key
    from .labeling.marks.audio import detect_audio, embed_audio
    from .labeling.marks.image import detect_image, embed_image
    from .labeling.marks.presence import MarkMap, locate_image, overlay_image
    from .labeling.marks.video import detect_frames
    from .labeling.marks.video_writer import embed_frames
    from .labeling.model import Detection, LabelResult, Report
    from .labeling.notices.element import element_html, element_script
    from .labeling.notices.player import PlayerNotice
    from .labeling.notices.scene import Schedule, StartScreen, start_screen
    from .labeling.notices.sphere import SpherePainter, draw_sphere
    from .labeling.notices.text import TextNotice, TextStream, label_chunks
    from .labeling.notices.view import View, find_in_view
    from .labeling.panorama import default_view
    from .labeling.payload import Payload
    from .labeling.pipeline import Labeler
    from .labeling.player import surround_video
    from .labeling.prose import label_text
    from .labeling.provenance.signer import Signer
    from .labeling.records.store import RecordStore
    from .labeling.timeline import MarkTimeline

__version__ = "0.1.0"

__all__ = [
    "Detection",
    "Detector",
    "Home",
    "Key",
    "LabelResult",
    "Labeler",
    "MarkMap",
    "MarkTimeline",
    "Payload",
    "PlayerNotice",
    "RecordStore",
    "Report",
    "Schedule",
    "Signer",
    "SpherePainter",
    "StartScreen",
    "SynthmarkError",
    "TextNotice",
    "TextStream",
    "View",
    "default_view",
    "detect",
    "detect_audio",
    "detect_frames",
    "detect_image",
    "detect_video",
    "draw_sphere",
    "element_html",
    "element_script",
    "embed_audio",
    "embed_frames",
    "embed_image",
    "embed_video",
    "find_in_view",
    "label",
    "label_chunks",
    "label_text",
    "locate_image",
    "overlay_image",
    "start_screen",
    "surround_video",
]

_HOMES = {
    "Detection": ".labeling.model",
    "Detector": ".labeling.detector",
    "Home": ".labeling.home",
    "Key": ".labeling.keys",
    "LabelResult": ".labeling.model",
    "Labeler": ".labeling.pipeline",
    "MarkMap": ".labeling.marks.presence",
    "MarkTimeline": ".labeling.timeline",
    "Payload": ".labeling.payload",
    "PlayerNotice": ".labeling.notices.player",
    "RecordStore": ".labeling.records.store",
    "Report": ".labeling.model",
    "Schedule": ".labeling.notices.scene",
    "Signer": ".labeling.provenance.signer",
    "SpherePainter": ".labeling.notices.sphere",
    "StartScreen": ".labeling.notices.scene",
    "SynthmarkError": ".labeling.errors",
    "TextNotice": ".labeling.notices.text",
    "TextStream": ".labeling.notices.text",
    "View": ".labeling.notices.view",
    "default_view": ".labeling.panorama",
    "detect": ".labeling.api",
    "detect_audio": ".labeling.marks.audio",
    "detect_frames": ".labeling.marks.video",
    "detect_image": ".labeling.marks.image",
    "detect_video": ".labeling.footage",
    "draw_sphere": ".labeling.notices.sphere",
    "element_html": ".labeling.notices.element",
    "element_script": ".labeling.notices.element",
    "embed_audio": ".labeling.marks.audio",
    "embed_frames": ".labeling.marks.video_writer",
    "embed_image": ".labeling.marks.image",
    "embed_video": ".labeling.footage",
    "find_in_view": ".labeling.notices.view",
    "label": ".labeling.api",
    "label_chunks": ".labeling.notices.text",
    "label_text": ".labeling.prose",
    "locate_image": ".labeling.marks.presence",
    "overlay_image": ".labeling.marks.presence",
    "start_screen": ".labeling.notices.scene",
    "surround_video": ".labeling.player",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
