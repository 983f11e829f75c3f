"""How a video goes through the layers, written and read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from . import files, policy
from .clip_notice import ClipNotice, form_of
from .errors import (
    MarkNotReadable,
    TooSmallForMark,
    TooSmallForNotice,
    UsageError,
)
from .fingerprints.fingerprint import Fingerprint
from .fingerprints.video import INTERVAL_S, fingerprint_video
from .keys import Key
from .marks.audio_writer import embed_blocks
from .marks.tape import RATES
from .marks.video import EVERY_S, SCHEME, VideoReader
from .marks.video_writer import VideoWriter, plan
from .media import video as media
from .media.frame import Frame
from .model import Detection, Layer, Media
from .notices.find_like import NoticeLike, find_like_in_frames
from .notices.find_video import FoundVideoNotice, find
from .notices.sphere_video import find_in_views
from .notices.view import look as look_around
from .panorama import clip_view
from .payload import Payload
from .settings import Settings
from .sound import find_in_sound
from .stream import StreamSubject, StreamWork
from .work import STRENGTHS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = [
    "ClipSubject",
    "ClipWork",
    "detect_video",
    "embed_video",
    "has_sound",
    "look",
]

# Of the clip the mark is tried on, and where its tile is chosen by.
GLIMPSES = 12
NOTICE_EVERY_S = 0.2
# From the first frame on, to be read for notices in other fonts.
READINGS = 4


class ClipSubject(StreamSubject):
    """One video to be read, layer by layer."""

    media = Media.VIDEO

    def __init__(self, content: Path, path: Path | None) -> None:
        self.video = media.describe(content)
        self.view = clip_view(self.video)
        self._fingerprint: Fingerprint | None = None
        super().__init__(content, path)

    @property
    def extent(self) -> Mapping[str, Any]:
        """Medium, size and length."""
        width, height = form_of(self.video).shown_size
        return {
            "medium": "scene" if self.view else "video",
            "width": width,
            "height": height,
            "duration_s": round(self.video.duration_s, 3),
        }

    def find_notices(self) -> Sequence[FoundVideoNotice]:
        """Return the notices that are seen; in a 360-degree video, at first."""
        frames = media.frames(self.content, self.video, every_s=NOTICE_EVERY_S)
        shown = ((frame.time_s, self._shown(frame)) for frame in frames)
        end_s = self.video.duration_s
        if self.view:
            return find_in_views(shown, self.view, clip_end_s=end_s)
        return find(shown, clip_end_s=end_s)

    def read_notices(self) -> Sequence[NoticeLike]:
        """Return the texts that look like a notice on a few frames, in any font."""
        frames = media.glimpses(self.content, self.video, READINGS)
        shown = map(self._shown, frames)
        if self.view:
            shown = map(partial(look_around, view=self.view), shown)
        return find_like_in_frames(shown)

    def find_mark(self, keys: Sequence[Key]) -> Detection:
        """Look for an invisible mark of any of the keys, first in the pictures."""
        seen, self._fingerprint = _read_pictures(self.content, self.video, keys)
        if seen.found or not has_sound(self.video):
            return seen
        heard = _find_in_sound(self.content, self.video, keys)
        return heard if heard.found else seen

    def fingerprint(self) -> Fingerprint | None:
        """Return what the pictures are known by."""
        if self._fingerprint is None:
            frames = media.frames(self.content, self.video, every_s=INTERVAL_S / 2)
            self._fingerprint = _fingerprint(frames, self.video)
        return self._fingerprint

    def _shown(self, frame: Frame) -> NDArray[np.uint8]:
        form = form_of(self.video)
        colors = form.upright(frame.picture.to_ndarray(format="rgb24"))
        shown = cv2.resize(colors, form.shown_size, interpolation=cv2.INTER_AREA)
        return np.asarray(shown, np.uint8)


class ClipWork(StreamWork):
    """One video on its way through the layers.

    Parameters
    ----------
    settings : Settings
    due : Due
    source : Path
        The file to label.
    path : Path or None
        Where it came from, None where `source` is only lent.
    target : Path or None
        Where the labeled file shall stand.
    media_format : str or None
        Its format where there is no target, by default that of the source.

    Raises
    ------
    MediaError
        It is not a video that can be read.
    UsageError
        The notice is not one that the rules allow.
    """

    kind = Media.VIDEO
    scheme = SCHEME
    sealable = ("mp4", "m4v", "mov", "avi")

    written: media.Video

    def __init__(
        self,
        settings: Settings,
        due: policy.Due,
        source: Path,
        path: Path | None,
        target: Path | None,
        media_format: str | None,
    ) -> None:
        super().__init__(settings, due, source, path, target)
        due.refuse(
            "throughout",
            "video",
            settings.notice_seconds is None,
            "Leave the seconds of the notice away: it stands for the whole clip then.",
        )
        self.video = self.before = media.describe(source)
        if target is not None:
            media_format = media.format_of(target)
        self.format = media_format or self.video.format
        notice = None if self.is_exempt else settings.video_notice
        self.notice = ClipNotice(notice, source, self.video)
        self.notes += self.video.notes

    def _embed_mark(self, target: Path) -> Payload | None:
        key = self.settings.key
        payload = self._free_payload()
        coding = media.plan(
            self.source, self.video, format=self.format, **self.settings.encoding
        )
        reason = MarkNotReadable.code
        for strength in STRENGTHS:
            try:
                mark = _marking(self.source, self.video, payload, key, strength)
            except TooSmallForMark as error:
                reason = error.code
                break
            self._write(target, mark, payload, coding)
            hit, self.fingerprint = _read_pictures(
                target, media.describe(target), [key]
            )
            if hit.payload == payload:
                self._drawn()
                self._written(
                    Layer.MARK,
                    scheme=SCHEME,
                    key_id=key.id,
                    p_value=hit.p_value,
                    strength=strength,
                    spans=hit.spans,
                    sound=has_sound(self.video),
                )
                return payload
        self._write(target, None, None, coding)
        self._drawn()
        self._missing(Layer.MARK, reason)
        return None

    def _write(
        self,
        target: Path,
        mark: Callable[[media.Frame], None] | None,
        payload: Payload | None,
        coding: media.Coding,
    ) -> None:
        self.notice.restart()

        def change(frame: media.Frame) -> None:
            self.notice.draw(frame)
            if mark is not None:
                mark(frame)

        self.written = media.write(
            target,
            self.source,
            self.video,
            change,
            sound=_sounding(self.video, payload, self.settings.key),
            lead_in_s=self.notice.lead_in_s,
            format=self.format,
            codec=coding.codec,
            crf=coding.crf,
            preset=coding.preset or None,
            progress=self.settings.progress,
        )
        if self.settings.progress is not None:
            self.settings.progress(self.written.duration_s, self.written.duration_s)

    def _drawn(self) -> None:
        """Report the notice as it stands on the video."""
        if self.is_exempt:
            return
        try:
            detail, notes = self.notice.report(self.written.duration_s)
        except TooSmallForNotice as error:
            self._missing(Layer.NOTICE, error.code)
            return
        self.notes += notes
        medium = "scene" if self.video.sphere else "video"
        self.notes += self.due.against("corners", medium, detail["corner"])
        self._written(Layer.NOTICE, **detail)

    def _content(self, path: Path) -> str:
        return media.packets_digest(path)


def embed_video(
    source: str | Path,
    target: str | Path,
    payload: Payload,
    key: Key,
    *,
    strength: float = 1.0,
    overwrite: bool = False,
    codec: str | None = None,
    crf: int | None = None,
    preset: str | None = None,
) -> None:
    """Hide a payload in the pictures of a video, and in its sound if it has any.

    Parameters
    ----------
    source : str or Path
        The video: MP4, MOV, MKV, WebM, AVI or FLV.
    target : str or Path
        Where the marked one shall stand; its suffix decides the format.
    payload : Payload
        What to hide.
    key : Key
        Who can find it again.
    strength : float, optional
        Relative to what the video needs, 0.25 to 4.
    overwrite : bool, optional
        Whether an existing target may be replaced.
    codec, crf, preset : optional
        Of the encoder; by default the codec of the source, and a quality that keeps
        the frames as they look.

    Raises
    ------
    MediaError
        It is not a video that can be read, or that can be written without loss of
        something else.
    TooSmallForMark
        The short side is below 128 pixels.
    OutputError
        The target exists, or cannot be written.
    """
    source, target = Path(source), Path(target)
    video = media.describe(source)
    format = media.format_of(target)
    coding = media.plan(
        source, video, format=format, codec=codec, crf=crf, preset=preset
    )
    change = _marking(source, video, payload, key, strength)
    with files.replacing(target, overwrite=overwrite) as temporary:
        media.write(
            temporary,
            source,
            video,
            change,
            sound=_sounding(video, payload, key),
            format=format,
            codec=coding.codec,
            crf=coding.crf,
            preset=coding.preset or None,
        )


def detect_video(source: str | Path, key: Key | Sequence[Key]) -> Detection:
    """Look for a mark of one of the keys in the pictures of a video.

    Parameters
    ----------
    source : str or Path
        A video of any size, which may have been encoded anew, scaled, cropped, turned,
        mirrored, cut, played at another speed or placed inside a larger one; or a
        single picture of it.
    key : Key or sequence of Key
        Whose marks to look for.

    Returns
    -------
    Detection
        With `spans`, the seconds that carry the mark; ``found`` is false when there is
        none: that is a result, not an error.

    Raises
    ------
    MediaError
        It is not a video that can be read.
    UsageError
        There is no key.
    """
    keys = [key] if isinstance(key, Key) else list(key)
    return _read_pictures(Path(source), media.describe(source), keys)[0]


def look(path: Path, video: media.Video, reader: VideoReader) -> Iterator[media.Frame]:
    """Yield the frames that tell of a mark, each after the reader has seen it."""
    for frame in media.frames(path, video, every_s=EVERY_S):
        reader.push(
            frame.luma,
            frame.time_s,
            bits=video.bits,
            is_key=bool(frame.picture.key_frame),
        )
        yield frame


def has_sound(video: media.Video) -> bool:
    """Tell whether there is a sound that can carry a mark."""
    low, high = RATES
    return video.sound is not None and low <= video.sound.rate_hz <= high


def _read_pictures(
    path: Path, video: media.Video, keys: Sequence[Key]
) -> tuple[Detection, Fingerprint | None]:
    """Look for an invisible mark and take the fingerprint, in one go."""
    reader = VideoReader(keys)
    frames = look(path, video, reader)
    fingerprint = _fingerprint(frames, video)
    for _ in frames:  # the fingerprint may have ended early
        pass
    return reader.finish(video.duration_s or None), fingerprint


def _fingerprint(frames: Iterator[Frame], video: media.Video) -> Fingerprint | None:
    """Return the fingerprint of frames as they pass; None where their times jump."""
    wide = video.bits - 8

    def passing() -> Iterator[tuple[float, NDArray[np.uint8]]]:
        for frame in frames:
            yield frame.time_s, (frame.luma >> wide).astype(np.uint8)

    try:
        return fingerprint_video(passing())
    except UsageError:
        return None


def _find_in_sound(path: Path, video: media.Video, keys: Sequence[Key]) -> Detection:
    assert video.sound is not None
    return find_in_sound(media.sound_blocks(path, video), video.sound, keys)


def _marking(
    source: Path,
    video: media.Video,
    payload: Payload,
    key: Key,
    strength: float,
) -> Callable[[media.Frame], None]:
    """Return what adds the mark to each frame."""
    bits, transfer = video.bits, video.transfer
    writer = VideoWriter(
        video.height,
        video.width,
        payload,
        key,
        bits=bits,
        transfer=transfer,
        plan=plan(
            (frame.luma.copy() for frame in media.glimpses(source, video, GLIMPSES)),
            payload,
            key,
            bits=bits,
            transfer=transfer,
            strength=strength,
        ),
    )
    return lambda frame: writer.mark(frame.luma, frame.time_s)


def _sounding(
    video: media.Video, payload: Payload | None, key: Key
) -> media.SoundChange | None:
    """Return what marks the sound; None where it stays as it is."""
    sound = video.sound
    if payload is None or sound is None or not has_sound(video):
        return None
    return partial(embed_blocks, rate=sound.rate_hz, payload=payload, key=key)
