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
    from .labeling.chat import TextStream, label_chunks
    from .labeling.checking import CheckReport, check
    from .labeling.detector import Detector
    from .labeling.errors import SynthmarkError
    from .labeling.footage import detect_video, embed_video
    from .labeling.home import Home
    from .labeling.keys import Key
    from .labeling.marks.audio import detect_audio, embed_audio
    from .labeling.marks.audio_writer import embed_blocks
    from .labeling.marks.image import detect_image, embed_image
    from .labeling.marks.presence import MarkMap, locate_image, overlay_image
    from .labeling.marks.video import detect_frames
    from .labeling.marks.video_writer import embed_frames
    from .labeling.model import Detection, LabelResult, Report
    from .labeling.notices.audio import AudioNotice
    from .labeling.notices.element import element_html, element_script
    from .labeling.notices.insertion import AudioInsertion
    from .labeling.notices.logo import read_logo
    from .labeling.notices.player import PlayerNotice
    from .labeling.notices.rounds import RoundNotice
    from .labeling.notices.scene import Schedule, StartScreen, start_screen
    from .labeling.notices.sphere import SpherePainter, draw_sphere
    from .labeling.notices.text import TextNotice
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
    "AudioInsertion",
    "AudioNotice",
    "CheckReport",
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
    "RoundNotice",
    "Schedule",
    "Signer",
    "SpherePainter",
    "StartScreen",
    "SynthmarkError",
    "TextNotice",
    "TextStream",
    "View",
    "check",
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
    "embed_blocks",
    "embed_frames",
    "embed_image",
    "embed_video",
    "find_in_view",
    "label",
    "label_chunks",
    "label_text",
    "locate_image",
    "overlay_image",
    "read_logo",
    "start_screen",
    "surround_video",
]

_HOMES = {
    "AudioInsertion": ".labeling.notices.insertion",
    "AudioNotice": ".labeling.notices.audio",
    "CheckReport": ".labeling.checking",
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
    "RoundNotice": ".labeling.notices.rounds",
    "Schedule": ".labeling.notices.scene",
    "Signer": ".labeling.provenance.signer",
    "SpherePainter": ".labeling.notices.sphere",
    "StartScreen": ".labeling.notices.scene",
    "SynthmarkError": ".labeling.errors",
    "TextNotice": ".labeling.notices.text",
    "TextStream": ".labeling.chat",
    "View": ".labeling.notices.view",
    "check": ".labeling.checking",
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
    "embed_blocks": ".labeling.marks.audio_writer",
    "embed_frames": ".labeling.marks.video_writer",
    "embed_image": ".labeling.marks.image",
    "embed_video": ".labeling.footage",
    "find_in_view": ".labeling.notices.view",
    "label": ".labeling.api",
    "label_chunks": ".labeling.chat",
    "label_text": ".labeling.prose",
    "locate_image": ".labeling.marks.presence",
    "overlay_image": ".labeling.marks.presence",
    "read_logo": ".labeling.notices.logo",
    "start_screen": ".labeling.notices.scene",
    "surround_video": ".labeling.player",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
