"""How a sound goes through the layers, written and read.

Sounds stay on disk and pass through in blocks, so that an hour needs no more memory
than a minute.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from . import policy
from .errors import ManifestError, MarkNotReadable, UnsupportedFormat
from .keys import Key
from .marks.audio import SCHEME, AudioReader, AudioWriter
from .marks.tape import RATES
from .media import audio as media
from .media.sound import Samples
from .metadata import stream as metadata
from .model import (
    UNSUPPORTED,
    AigcLabel,
    Detection,
    LabelResult,
    Layer,
    Media,
)
from .notices.audio import Insertion
from .notices.find_audio import FoundAudioNotice, find
from .payload import Payload
from .provenance import manifest
from .subject import Subject
from .work import STRENGTHS, Settings, Work

__all__ = ["SoundSubject", "SoundWork"]

# What the C2PA library can put a manifest into.
SEALABLE = ("wav", "flac", "mp3", "m4a")


class SoundSubject(Subject):
    """One sound to be read, layer by layer.

    Parameters
    ----------
    content : Path
        The file.
    path : Path or None
        Where it came from, None where `content` is only lent.
    """

    media = Media.AUDIO
    content: Path

    def __init__(self, content: Path, path: Path | None) -> None:
        self.sound = media.describe(content)
        self.content = content
        self.path = path
        self.sha256 = _digest(content)

    def find_notices(self) -> Sequence[FoundAudioNotice]:
        """Return the notices that are heard."""
        return find(media.blocks(self.content, self.sound), self.sound.rate_hz)

    def find_mark(self, keys: Sequence[Key]) -> Detection:
        """Look for an invisible mark of any of the keys."""
        return _find_mark(self.content, keys)

    def read_metadata(self) -> metadata.Reading:
        """Return what the file's metadata says."""
        return metadata.read(self.content)


class SoundWork(Work):
    """One sound on its way through the layers, from file to file.

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
    """

    def __init__(
        self,
        settings: Settings,
        due: policy.Due,
        source: Path,
        path: Path | None,
        target: Path | None,
        media_format: str | None,
    ) -> None:
        super().__init__(settings, due, target)
        self.sound = media.describe(source)
        low, high = RATES
        if not low <= self.sound.rate_hz <= high:
            raise UnsupportedFormat(
                f"the sound has {self.sound.rate_hz:,} frames a second",
                hint=f"Resample it to {low:,} to {high:,}.",
            )
        self.source = source
        self.path = path
        if target is not None:
            media_format = media.format_of(target)
        self.format = media_format or self.sound.format
        self.notes += self.sound.notes

    def _make(self, place: Path | None) -> LabelResult:
        # Beside the target, where there is room for it.
        with TemporaryDirectory(
            prefix=".synthmark-", dir=place and place.parent
        ) as folder:
            marked, tagged, sealed = (
                Path(folder) / f"{step}.{self.format}"
                for step in ("mark", "tag", "seal")
            )
            payload = self._embed_mark(marked)
            label = self._write_metadata(marked, tagged)
            marked.unlink()
            self._sign(tagged, place or sealed, label, payload)
            finished = place or sealed
            return self._result(
                self.path,
                media=Media.AUDIO,
                media_type=self.written.media_type,
                payload=payload,
                sha256_before=_digest(self.source),
                sha256_after=_digest(finished),
                content=b"" if place else finished.read_bytes(),
            )

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
            self._encode(target, _marked(insertion, writer))
            hit = _find_mark(target, [self.settings.key])
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

    def _write_metadata(self, source: Path, target: Path) -> AigcLabel:
        label = self.settings.aigc(self.produce_id)
        written = metadata.write(source, target, label, original=self.source)
        self.notes += (*self.written.notes, *written.notes)
        self._written(Layer.AIGC, place=written.place, producer=label.content_producer)
        return label

    def _sign(
        self, source: Path, target: Path, label: AigcLabel, payload: Payload | None
    ) -> None:
        if self.format not in SEALABLE:
            source.replace(target)
            self._missing(Layer.C2PA, UNSUPPORTED)
            return
        title = (self.target or self.path or Path("untitled")).name
        claim = self._claim(title, label, payload, SCHEME)
        media_type = self.written.media_type
        has_history = self._has_history(self.source, self.sound.media_type)
        with open(source, "rb") as tagged, open(target, "w+b") as signed:
            manifest.sign_stream(
                tagged,
                signed,
                media_type,
                claim,
                self.settings.signer,
                parent=self.source if has_history else None,
                parent_media_type=self.sound.media_type,
            )
        self._check_seal(target, media_type, metadata.read(target), label)
        if _samples(source) != _samples(target):
            raise ManifestError("signing changed the sound")
        self._sealed(has_history)


def _marked(blocks: Iterable[Samples], writer: AudioWriter) -> Iterator[Samples]:
    for block in blocks:
        yield writer.push(block)
    yield writer.finish()


def _find_mark(path: Path, keys: Sequence[Key]) -> Detection:
    sound = media.describe(path)
    reader = AudioReader(sound.rate_hz, sound.channels, keys)
    for block in media.blocks(path, sound):
        reader.push(block)
    return reader.finish()


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _samples(path: Path) -> str:
    """Return a digest of the decoded sound."""
    digest = hashlib.sha256()
    for block in media.blocks(path):
        digest.update(block.tobytes())
    return digest.hexdigest()
