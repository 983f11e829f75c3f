"""How a sound goes through the layers, written and read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from . import policy
from .errors import MarkNotReadable, UnsupportedFormat
from .keys import Key
from .marks.audio import SCHEME, AudioReader, AudioWriter
from .marks.tape import RATES
from .media import audio as media
from .media.sound import Samples
from .model import Detection, Layer, Media
from .notices.audio import Insertion
from .notices.find_audio import FoundAudioNotice, find
from .payload import Payload
from .stream import StreamSubject, StreamWork
from .work import STRENGTHS, Settings

__all__ = ["SoundSubject", "SoundWork", "find_in_sound", "marked"]


class SoundSubject(StreamSubject):
    """One sound to be read, layer by layer."""

    media = Media.AUDIO

    def __init__(self, content: Path, path: Path | None) -> None:
        self.sound = media.describe(content)
        super().__init__(content, path)

    def find_notices(self) -> Sequence[FoundAudioNotice]:
        """Return the notices that are heard."""
        return find(media.blocks(self.content, self.sound), self.sound.rate_hz)

    def find_mark(self, keys: Sequence[Key]) -> Detection:
        """Look for an invisible mark of any of the keys."""
        return find_in_sound(media.blocks(self.content, self.sound), self.sound, keys)


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
        notice, place = settings.audio_notice, settings.notice_at
        due.refuse("sound_kinds", "audio", notice.kind, "Choose a spoken notice.")
        due.refuse(
            "times",
            "audio",
            place if isinstance(place, str) else "middle",
            "Choose the start.",
        )
        self.sound = self.before = media.describe(source)
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
            writer = AudioWriter(
                self.sound.rate_hz,
                self.sound.channels,
                payload,
                self.settings.key,
                strength=strength,
            )
            self._encode(target, marked(insertion, writer))
            blocks = media.blocks(target)
            hit = find_in_sound(blocks, self.written, [self.settings.key])
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

    def _insertion(self) -> Insertion:
        """Return the sound with the notice in it, not read yet."""
        return Insertion(
            media.blocks(self.source, self.sound),
            self.settings.audio_notice,
            rate=self.sound.rate_hz,
            places=(self.settings.notice_at,),
        )

    def _encode(self, target: Path, blocks: Iterable[Samples]) -> None:
        self.written = media.write(
            target, blocks, self.sound, format=self.format, source=self.source
        )

    def _heard(self, insertion: Insertion) -> None:
        """Report the notice as it stands in the sound."""
        (placed,) = insertion.placed
        self._written(
            Layer.NOTICE,
            kind=placed.kind,
            language=placed.language,
            text=placed.text,
            place=placed.place,
            start_s=round(placed.start_s, 3),
            end_s=round(placed.end_s, 3),
            added_s=round(placed.inserted_s[1], 3),
            level_lufs=round(placed.level_lufs, 1),
            content_lufs=placed.content_lufs and round(placed.content_lufs, 1),
        )

    def _content(self, path: Path) -> str:
        digest = hashlib.sha256()
        for block in media.blocks(path):
            digest.update(block.tobytes())
        return digest.hexdigest()


def marked(blocks: Iterable[Samples], writer: AudioWriter) -> Iterator[Samples]:
    """Yield blocks of a sound with the mark in them, some of them later."""
    for block in blocks:
        yield writer.push(block)
    yield writer.finish()


def find_in_sound(
    blocks: Iterable[Samples], sound: media.Sound, keys: Sequence[Key]
) -> Detection:
    """Look for an invisible mark in the blocks of a sound."""
    reader = AudioReader(sound.rate_hz, sound.channels, keys)
    for block in blocks:
        reader.push(block)
    return reader.finish()
