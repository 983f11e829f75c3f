"""What goes from one video file into another as it is: tracks, texts, chapters."""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Any

from ..errors import UnsupportedFormat
from .clip import MP4_FAMILY
from .clip_file import packets, tag_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from av import Packet
    from av.container import InputContainer, OutputContainer

__all__ = ["Tracks", "muxer_options", "read_covers"]

# What describes the file that was.
_LEFT = {"major_brand", "minor_version", "compatible_brands", "encoder"}
_LEFT_OF_STREAM = {"duration", "encoder", "number_of_bytes", "number_of_frames"}
_BRANDS = ("isom", "mp41", "mp42", "avc1")
_MAX_TIMESCALE = 100_000_000
_MAX_COVERS = 16
_PICTURES = {"mjpeg": "jpeg", "png": "png"}


class Tracks:
    """The tracks of a file that are copied, packet by packet.

    Parameters
    ----------
    source : InputContainer
    target : OutputContainer
    format : str
        That of the target.
    same : bool
        Whether that is also the format of the source.
    covers : dict of int to bytes
        The pictures that `read_covers` has found.
    lead_in_s : Fraction
        By how many seconds all else is later than in the source.
    """

    def __init__(
        self,
        source: InputContainer,
        target: OutputContainer,
        format: str,
        *,
        same: bool,
        covers: dict[int, bytes],
        lead_in_s: Fraction,
    ) -> None:
        self.target = target
        self._covers = covers
        self._lead_in_s = lead_in_s
        self.notes: list[str] = []
        self._format = format
        self._same = same
        self._copies: dict[int, Any] = {}
        self._ends: dict[int, int] = {}
        texts = {k: v for k, v in source.metadata.items() if k.lower() not in _LEFT}
        target.metadata.update(texts)
        chapters = source.chapters()
        for chapter in chapters:
            later = round(lead_in_s / (chapter["time_base"] or 1))
            # What is held belongs to the chapter that begins with the file.
            chapter["start"] += later if chapter["start"] > 0 else 0
            chapter["end"] += later
        target.set_chapters(chapters)

    def describe(self, stream: Any, copy: Any) -> None:
        """Give a track of the target the texts and flags of one of the source."""
        texts = {
            key: value
            for key, value in stream.metadata.items()
            if key.lower() not in _LEFT_OF_STREAM
        }
        if self._format in MP4_FAMILY and "name" in texts:
            texts.setdefault("title", texts["name"])
        copy.metadata.update(texts)
        copy.disposition = stream.disposition

    def add(self, stream: Any) -> None:
        """Begin a copy of a track.

        Raises
        ------
        UnsupportedFormat
            The target cannot hold it.
        """
        from av.stream import Discard

        timecode = stream.type == "data" and "timecode" in stream.metadata
        if stream.discard == Discard.all or timecode:
            return  # written anew with the chapters or the pictures
        if stream.type == "data" and self._format in MP4_FAMILY:
            self.notes.append("a track of data was left out")
            return
        if stream.index in self._covers and self._format in ("mkv", "webm"):
            self._attach(stream)
            return
        try:
            copy = self.target.add_stream_from_template(stream, opaque=True)
        except ValueError as error:
            if stream.type in ("data", "attachment") or stream.index in self._covers:
                self.notes.append(f"a track of kind {stream.type} was left out")
                return
            name = stream.codec_context.name if stream.codec_context else "unknown"
            raise UnsupportedFormat(
                f"{self._format} files cannot hold a track of the source "
                f"({stream.type}, {name})",
                hint="Choose the container of the source, or Matroska (.mkv).",
            ) from error
        if self._same and stream.codec_context and tag_of(stream.codec_context):
            copy.codec_context.codec_tag = stream.codec_context.codec_tag
        self.describe(stream, copy)
        self._copies[stream.index] = copy
        if self._lead_in_s and self._format == "avi":
            self.notes.append(
                f"a track of kind {stream.type} starts {float(self._lead_in_s):.2f} s "
                "too early: AVI files cannot delay it"
            )
        if stream.type == "audio" and stream.duration:
            self._ends[stream.index] = (stream.start_time or 0) + stream.duration

    def _attach(self, stream: Any) -> None:
        """Put a cover in as Matroska has it: as an attachment."""
        kind = _PICTURES.get(stream.codec_context.name)
        if kind is None or self._format == "webm":
            self.notes.append("a cover picture was left out")
            return
        name = stream.metadata.get("filename", f"cover.{kind}")
        media_type = stream.metadata.get("mimetype", f"image/{kind}")
        content = self._covers[stream.index]
        self.describe(stream, self.target.add_attachment(name, media_type, content))

    def copy(self, packet: Packet[Any]) -> None:
        """Put a packet into the copy of its track, where there is one."""
        index = packet.stream_index
        copy = self._copies.get(index)
        if copy is None or not packet.size:
            return
        if packet.dts is None:
            packet.dts = packet.pts
        if packet.pts is None:
            packet.pts = packet.dts
        end = self._ends.get(index)
        if end is not None and packet.pts is not None and packet.duration:
            # An edit list ends the sound within its last packet.
            rest = end - packet.pts
            if 0 < rest < packet.duration:
                packet.duration = rest
        if packet.pts is not None and packet.dts is not None:
            later = round(self._lead_in_s / packet.time_base)
            packet.pts += later
            packet.dts += later
        packet.stream = copy
        self.target.mux(packet)


def read_covers(container: InputContainer) -> dict[int, bytes]:
    """Return the cover pictures of a file by the numbers of their streams."""
    from av.stream import Disposition

    streams = [
        stream
        for stream in container.streams.video[:_MAX_COVERS]
        if stream.disposition & Disposition.attached_pic and stream.codec_context
    ]
    covers: dict[int, bytes] = {}
    if streams:
        container.seek(0)
        for packet in packets(container, *streams):
            if packet.size:
                covers.setdefault(packet.stream_index, bytes(packet))
            if len(covers) == len(streams):
                break
    return covers


def muxer_options(
    format: str, source: InputContainer, same: bool, faststart: bool
) -> dict[str, str]:
    """Return the options of FFmpeg's muxer for a file like the source.

    Parameters
    ----------
    format : str
        That of the target.
    source : InputContainer
    same : bool
        Whether that is also the format of the source.
    faststart : bool
        Whether the index of an MP4 file stands in front.
    """
    if format in ("mkv", "webm"):
        return {"default_mode": "passthrough"}
    if format not in MP4_FAMILY:
        return {}
    options = {"movie_timescale": str(_timescale(source.streams))}
    if faststart:
        options["movflags"] = "+faststart"
    brand = source.metadata.get("major_brand", "") if same else ""
    if format == "m4v":
        options["brand"] = "M4V "
    elif format == "mp4" and brand in _BRANDS:
        options["brand"] = brand
    return options


def _timescale(streams: Iterable[Any]) -> int:
    """Return units a second that hold the beginnings of all tracks exactly."""
    scale = 1000
    for stream in streams:
        unit: Fraction = stream.time_base or Fraction(1)
        if stream.type in ("video", "audio"):
            common = lcm(scale, unit.denominator)
            scale = common if common <= _MAX_TIMESCALE else scale
    return scale
