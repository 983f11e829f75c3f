"""How a sound goes through the layers, written and read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from . import policy
from .errors import MarkNotReadable, UnsupportedFormat, UsageError
from .fingerprints.audio import fingerprint_audio
from .fingerprints.fingerprint import Fingerprint
from .keys import Key
from .marks.audio import SCHEME, AudioReader
from .marks.audio_writer import embed_blocks
from .marks.tape import RATES
from .media import audio as media
from .media.sound import Samples
from .model import Detection, Layer, Media
from .notices.find_audio import FoundAudioNotice, find
from .notices.insertion import AudioInsertion, Place, PlacedNotice
from .payload import Payload
from .settings import CHAPTERS, Settings
from .stream import StreamSubject, StreamWork
from .work import STRENGTHS

__all__ = ["SoundSubject", "SoundWork", "find_in_sound", "read_sound"]

# A chapter that begins so early begins with the sound.
_AT_START_S = 1.0


class SoundSubject(StreamSubject):
    """One sound to be read, layer by layer."""

    media = Media.AUDIO

    def __init__(self, content: Path, path: Path | None) -> None:
        self.sound = media.describe(content)
        self._frames = self.sound.frames or 0
        self._fingerprint: Fingerprint | None = None
        super().__init__(content, path)

    @property
    def extent(self) -> Mapping[str, Any]:
        """Medium and length."""
        seconds = self._frames / self.sound.rate_hz
        return {"medium": "audio", "duration_s": round(seconds, 3)}

    def find_notices(self) -> Sequence[FoundAudioNotice]:
        """Return the notices that are heard."""
        return find(self._counted(), self.sound.rate_hz)

    def find_mark(self, keys: Sequence[Key]) -> Detection:
        """Look for an invisible mark of any of the keys."""
        blocks = media.blocks(self.content, self.sound)
        hit, self._fingerprint = read_sound(blocks, self.sound, keys)
        return hit

    def fingerprint(self) -> Fingerprint | None:
        """Return what the sound is known by."""
        if self._fingerprint is None:
            blocks = media.blocks(self.content, self.sound)
            with suppress(UsageError):  # a rate that nobody uses
                self._fingerprint = fingerprint_audio(blocks, self.sound.rate_hz)
        return self._fingerprint

    def _counted(self) -> Iterator[Samples]:
        """Yield the sound, and see how long it is: not every file says so."""
        frames = 0
        for block in media.blocks(self.content, self.sound):
            frames += len(block)
            yield block
        self._frames = frames


class SoundWork(StreamWork):
    """One sound on its way through the layers.

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
        It is not a sound that can be read, or not one that can be labeled.
    UsageError
        The notice is not one that the rules allow.
    """

    kind = Media.AUDIO
    scheme = SCHEME
    sealable = ("wav", "flac", "mp3", "m4a")

    written: media.Sound

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
        kind = settings.audio_notice.kind
        due.refuse("sound_kinds", "audio", kind, "Choose a spoken notice.")
        self.sound = self.before = media.describe(source)
        self.places = _places(settings.notice_at, source, self.sound)
        first = self.places[0]
        time = first if isinstance(first, str) else "middle"
        due.refuse("times", "audio", time, "Choose the start.")
        low, high = RATES
        if not low <= self.sound.rate_hz <= high:
            raise UnsupportedFormat(
                f"the sound has {self.sound.rate_hz:,} frames a second",
                hint=f"Resample it to {low:,} to {high:,}.",
            )
        if target is not None:
            media_format = media.format_of(target)
        self.format = media_format or self.sound.format
        self.notes += self.sound.notes

    def _embed_mark(self, target: Path) -> Payload | None:
        """Insert the notice, mark, encode and read back; stronger until it reads."""
        payload = self._free_payload()
        for strength in STRENGTHS:
            insertion = self._insertion()
            marked = embed_blocks(
                insertion,
                self.sound.rate_hz,
                payload,
                self.settings.key,
                strength=strength,
            )
            self._encode(target, marked)
            blocks = media.blocks(target)
            hit, self.fingerprint = read_sound(
                blocks, self.written, [self.settings.key]
            )
            if hit.payload == payload:
                self._heard(insertion)
                self._written(
                    Layer.MARK,
                    scheme=SCHEME,
                    key_id=self.settings.key.id,
                    p_value=hit.p_value,
                    strength=strength,
                    spans=hit.spans,
                )
                return payload
        insertion = self._insertion()
        self._encode(target, insertion)
        self._heard(insertion)
        self._missing(Layer.MARK, MarkNotReadable.code)
        return None

    def _insertion(self) -> AudioInsertion:
        """Return the sound with the notice that there is to be, not read yet."""
        notice = self.settings.audio_notice
        insertion = AudioInsertion(
            media.blocks(self.source, self.sound),
            notice,
            rate=self.sound.rate_hz,
            places=() if self.is_exempt else self.places,
            again=replace(notice, short=True),
        )
        self.later = insertion.later
        return insertion

    def _encode(self, target: Path, blocks: Iterable[Samples]) -> None:
        self.written = media.write(
            target,
            blocks,
            self.sound,
            format=self.format,
            source=self.source,
            later=self.later,
        )

    def _heard(self, insertion: AudioInsertion) -> None:
        """Report the notice as it stands in the sound, and where it is heard again."""
        if self.is_exempt:
            return
        first, *others = insertion.placed
        self._written(
            Layer.NOTICE,
            kind=first.kind,
            language=first.language,
            **_heard(first),
            added_s=round(sum(one.inserted_s[1] for one in insertion.placed), 3),
            again=[_heard(one) for one in others],
        )

    def _content(self, path: Path) -> str:
        digest = hashlib.sha256()
        for block in media.blocks(path):
            digest.update(block.tobytes())
        return digest.hexdigest()


def _places(
    place: Place | Literal["chapters"], source: Path, sound: media.Sound
) -> tuple[Place, ...]:
    """Return where in a sound the notice stands, in order.

    Raises
    ------
    UsageError
        It shall stand at chapters, and there are none.
    """
    if place != CHAPTERS:
        return (place,)
    starts = media.chapters(source, sound)
    if not starts:
        raise UsageError(
            "the sound has no chapters for the notice to stand at",
            hint="Choose the start or the end, or seconds from the start.",
        )
    return ("start", *(start for start in starts if start >= _AT_START_S))


def _heard(placed: PlacedNotice) -> dict[str, Any]:
    return {
        "text": placed.text,
        "place": placed.place,
        "start_s": round(placed.start_s, 3),
        "end_s": round(placed.end_s, 3),
        "level_lufs": round(placed.level_lufs, 1),
        "content_lufs": placed.content_lufs and round(placed.content_lufs, 1),
    }


def find_in_sound(
    blocks: Iterable[Samples], sound: media.Sound, keys: Sequence[Key]
) -> Detection:
    """Look for an invisible mark in the blocks of a sound."""
    return read_sound(blocks, sound, keys)[0]


def read_sound(
    blocks: Iterable[Samples], sound: media.Sound, keys: Sequence[Key]
) -> tuple[Detection, Fingerprint]:
    """Look for an invisible mark and take the fingerprint, in one go."""
    reader = AudioReader(sound.rate_hz, sound.channels, keys)

    def passing() -> Iterator[Samples]:
        for block in blocks:
            reader.push(block)
            yield block

    passed = passing()
    fingerprint = fingerprint_audio(passed, sound.rate_hz)
    for _ in passed:  # of a long sound only the beginning counts for it
        pass
    return reader.finish(), fingerprint
