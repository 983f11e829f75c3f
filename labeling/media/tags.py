"""Texts, cover pictures and chapters, from one kind of file into another by PyAV.

Within one format metadata are better taken over as bytes, which is the work of the
metadata room; this is for conversions, where meaning is what can be kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO

from ..errors import MediaError
from .decoder import opened

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer

__all__ = ["Tags", "read_tags"]

MAX_TAGS = 1000
MAX_CHARACTERS = 1 << 16
MAX_PICTURES = 16
MAX_CHAPTERS = 10_000

# What describes the file that was, or is written anew.
_LEFT = {
    "aigc",
    "compatible_brands",
    "creation_time",
    "encoder",
    "encoding_settings",
    "handler_name",
    "itunsmpb",
    "language",
    "major_brand",
    "metadata_block_picture",
    "minor_version",
    "tsse",
    "vendor_id",
}
# Chapters as the comments of Xiph's formats have them.
_IN_COMMENTS = ("flac", "ogg", "opus")
_PICTURE_CODECS = {"mjpeg", "png"}
# Which of them PyAV puts where.
_KEPT = {"flac": {"png"}, "mp3": _PICTURE_CODECS, "m4a": _PICTURE_CODECS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """A picture: FFmpeg's name of its coding, its size in pixels, its file."""

    codec: str
    width: int
    height: int
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """What a file says about its sound.

    Parameters
    ----------
    texts : dict
        FFmpeg's names of the tags, and their values.
    pictures : tuple of Cover
        Its cover pictures.
    chapters : tuple of dict
        As PyAV describes them.
    """

    texts: dict[str, str] = field(default_factory=dict)
    pictures: tuple[Cover, ...] = ()
    chapters: tuple[Any, ...] = ()

    def lost(self, format: str) -> tuple[str, ...]:
        """Say what a file of this format cannot take over."""
        notes = []
        if any(cover.codec not in _KEPT.get(format, ()) for cover in self.pictures):
            notes.append("the cover picture was left out")
        if self.chapters and format in ("wav", "aiff"):
            notes.append("the chapters were left out")
        if self.texts and format == "aiff":
            notes.append("the tags were left out")
        return tuple(notes)

    @property
    def starts_s(self) -> tuple[float, ...]:
        """When the chapters begin, in seconds, each time once."""
        return tuple(
            sorted({float(c["start"] * c["time_base"]) for c in self.chapters})
        )

    def moved(self, later: Callable[[float], float]) -> Tags:
        """Return the same with chapters at other times, which are given in seconds."""

        def at(chapter: dict[str, Any], edge: str) -> int:
            unit: Fraction = chapter["time_base"]
            return round(later(float(chapter[edge] * unit)) / unit)

        chapters = tuple(
            chapter | {edge: at(chapter, edge) for edge in ("start", "end")}
            for chapter in self.chapters
        )
        return replace(self, chapters=chapters)

    def prepare(self, container: OutputContainer, stream: Any, format: str) -> Any:
        """Put texts and chapters into a new file; return the packets of pictures."""
        from av import Packet
        from av.stream import Disposition

        holder: Any = stream if format in ("ogg", "opus") else container
        holder.metadata.update(self.texts)
        if format in _IN_COMMENTS:
            holder.metadata.update(self._comments())
        elif self.chapters:
            container.set_chapters(list(self.chapters))
        packets = []
        for cover in self.pictures:
            if cover.codec not in _KEPT.get(format, ()):
                continue
            picture: Any = container.add_mux_stream(
                cover.codec, width=cover.width, height=cover.height
            )
            picture.disposition = Disposition.attached_pic
            packet = Packet(cover.content)
            packet.stream = picture
            packets.append(packet)
        return packets

    def _comments(self) -> Iterator[tuple[str, str]]:
        """Yield the chapters as comments, at most the 999 that can be numbered."""
        for number, chapter in enumerate(self.chapters[:999], 1):
            name = f"CHAPTER{number:03}"
            rest = round(1000 * chapter["start"] * chapter["time_base"])
            minutes, rest = divmod(rest, 60_000)
            time = f"{minutes // 60:02}:{minutes % 60:02}:{rest / 1000:06.3f}"
            yield name, time
            if title := chapter["metadata"].get("title"):
                yield f"{name}NAME", title


def read_tags(file: BinaryIO, format: str) -> Tags:
    """Read the tags of a file; what cannot be read is left out."""
    try:
        with opened(file, format) as container:
            sources = [container.metadata]
            if container.streams.audio:
                sources.append(container.streams.audio[0].metadata)
            texts: dict[str, str] = {}
            for key, value in (item for s in sources for item in s.items()):
                wanted = key.lower() not in _LEFT and len(value) <= MAX_CHARACTERS
                if wanted and len(texts) < MAX_TAGS:
                    texts.setdefault(key, value)
            return Tags(
                texts=texts,
                chapters=tuple(container.chapters()[:MAX_CHAPTERS]),
                pictures=tuple(_covers(container)),
            )
    except MediaError:
        return Tags()


def _covers(container: InputContainer) -> Iterator[Cover]:
    from av.stream import Disposition

    covers = {
        stream.index: stream.codec_context
        for stream in container.streams.video[:MAX_PICTURES]
        if stream.disposition & Disposition.attached_pic and stream.codec_context
    }
    if not covers:
        return
    for packet in container.demux(*(container.streams[i] for i in covers)):
        context: Any = covers.pop(packet.stream.index, None)
        if context and context.name in _PICTURE_CODECS and packet.size:
            yield Cover(
                codec=context.name,
                width=context.width,
                height=context.height,
                content=bytes(packet),
            )
        if not covers:
            return
