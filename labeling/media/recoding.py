"""Write a video anew: pictures changed and encoded again, all else as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import av

from ..errors import DamagedMedia, MediaError
from .clip import MP4_FAMILY, Video, check_writable
from .clip_file import main_stream, opened, packets, tag_of
from .clip_reader import (
    check_length,
    check_same,
    decoded,
    display_matrix,
    first_picture,
)
from .extent import index_in_front, is_cut_off
from .frame import Clock, Frame, frame_of
from .lead_in import held, lead_in
from .picture_encoder import lost_data, open_encoder
from .probe import open_file
from .sound_output import SoundOutput
from .sound_track import main_sound
from .sphere import check_kept, drop_second_mapping, is_spherical
from .tracks import Tracks, muxer_options, read_covers
from .video_coding import Coding

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer, OutputContainer

    from .lead_in import LeadIn
    from .sound import Samples
    from .sound_output import SoundChange

__all__ = ["recode"]

_MUXERS = {"m4v": "mp4", "mkv": "matroska"}
_DECODING_THREADS = 2
# What Apple's players want, with the headers in the index.
_TAGS = {"h264": "avc1", "hevc": "hvc1"}
_INCOMPLETE = "Get a complete copy of the file."


def recode(
    target: BinaryIO,
    source: Path,
    video: Video,
    format: str,
    coding: Coding,
    change: Callable[[Frame], object],
    *,
    sound: SoundChange | None = None,
    lead_in_s: float | Fraction = 0,
    progress: Callable[[float, float], object] | None = None,
) -> tuple[str, ...]:
    """Write a video with changed pictures into a file, and return notes.

    Parameters
    ----------
    target : binary file
        It is closed where anything goes wrong.
    source : Path
        The video.
    video : Video
        What it holds.
    format : str
        The container of the target.
    coding : Coding
        How to encode the pictures.
    change : callable
        Takes each `Frame`, and changes its planes in place.
    sound : callable, optional
        Takes the samples of the sound block by block, and yields as many.
    lead_in_s : float or Fraction, optional
        For how long the first frame is held in front of all else, in seconds.
    progress : callable, optional
        Takes the seconds that are done, and all of them.
    """
    check_writable(video)
    with ExitStack() as stack:
        file = stack.enter_context(open_file(source))
        with opened(file, video.format) as container:
            first = first_picture(container, main_stream(container))
            check_kept(first, format, coding.codec == video.codec)
            covers = read_covers(container)
            if is_cut_off(file, video.format, container):
                raise DamagedMedia("the file is cut off", hint=_INCOMPLETE)
        in_front = video.format not in MP4_FAMILY or index_in_front(file)
        reader = stack.enter_context(opened(file, video.format))
        lead = lead_in(main_stream(reader), video, lead_in_s)
        if lead.length and "avi" in (format, video.format) and video.sound is not None:
            sound = sound or _unchanged  # AVI can tell of silence, not of a gap
        same = format == video.format
        writer = av.open(
            target,
            "w",
            format=_MUXERS.get(format, format),
            container_options={
                **muxer_options(format, reader, same, in_front),
                # Without it, MP4 files are not told that they span a sphere.
                **({"strict": "unofficial"} if is_spherical(first) else {}),
            },
            # To put the index in front, the muxer reads what it has written.
            io_open=lambda *_: open(target.name, "rb"),  # noqa: SIM115
        )
        try:
            output = None
            if sound is not None:
                output = SoundOutput(
                    writer, source, video, format, sound, lead_in_s=lead.seconds
                )
                stack.callback(output.close)
            tracks = Tracks(
                *(reader, writer, format),
                same=same,
                covers=covers,
                lead_in_s=lead.seconds,
            )
            job = _Job(reader, writer, video, format, coding, tracks, output, lead)
            job.begin(first)
            job.run(change, progress)
            writer.close()
            if format in MP4_FAMILY and is_spherical(first):
                drop_second_mapping(target)
        except BaseException as error:
            with suppress(OSError):  # else the muxer would finish what nobody wants
                target.close()
            writer.close()
            if isinstance(error, av.FFmpegError) and not isinstance(error, OSError):
                raise MediaError(
                    f"the video cannot be written as {coding.codec} in {format}: "
                    f"{(error.strerror or str(error)).lower()}",
                    hint="Choose another codec or container.",
                ) from error
            raise
        return job.notes


class _Job:
    """One file on its way into another."""

    def __init__(
        self,
        reader: InputContainer,
        writer: OutputContainer,
        video: Video,
        format: str,
        coding: Coding,
        tracks: Tracks,
        sound: SoundOutput | None,
        lead: LeadIn,
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.video = video
        self.format = format
        self.coding = coding
        self.sound = sound
        self.lead = lead
        self.stream = main_stream(reader)
        self.tracks = tracks
        self.clock = Clock(
            *(self.stream.time_base or Fraction(1, 1000), video.frame_rate),
            in_order=video.format == "avi",
        )
        self.begun = False
        self.durations: dict[int, int] = {}
        self.lost: tuple[str, ...] = ()
        self.encoder: Any = None
        self.track: Any = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What had to change."""
        found = [*self.coding.notes, *self.lost, *self.tracks.notes]
        if self.sound is not None:
            found += self.sound.notes
        if self.clock.mended:
            found.append(f"{self.clock.mended} frames had no time of their own")
        return tuple(found)

    def begin(self, picture: VideoFrame) -> None:
        """Set up the encoder and all tracks, in the order of the source."""
        heard = main_sound(self.reader)
        for stream in self.reader.streams:
            if stream.index == self.stream.index:
                self._begin_pictures(picture)
            elif self.sound and heard and stream.index == heard.index:
                self.tracks.describe(stream, self.sound.begin())
            else:
                self.tracks.add(stream)
        self.writer.start_encoding()

    def run(
        self,
        change: Callable[[Frame], object],
        progress: Callable[[float, float], object] | None,
    ) -> None:
        """Take all packets through."""
        context: Any = self.stream.codec_context
        context.thread_count = _DECODING_THREADS
        context.thread_type = "FRAME"
        told_s = 0.0
        for packet in packets(self.reader):
            if packet.stream_index != self.stream.index:
                self.tracks.copy(packet)
                continue
            self.clock.feed(packet)
            for picture in decoded(packet, self.stream):
                time_s = self._take(picture, change)
                if progress is not None and time_s >= told_s + 1:
                    told_s = time_s
                    total_s = self.video.duration_s + float(self.lead.seconds)
                    progress(time_s, max(time_s, total_s))
        self._mux(None)
        if self.sound is not None:
            self.sound.finish()

    def _take(
        self, picture: VideoFrame | None, change: Callable[[Frame], object]
    ) -> float:
        """Change a picture, write it, and return its time in seconds."""
        if picture is None:
            raise DamagedMedia(
                "a part of the video cannot be decoded", hint=_INCOMPLETE
            )
        check_same(picture, self.video)
        if picture.interlaced_frame:
            check_writable(replace(self.video, interlaced=True))
        time = self.clock.time(picture)
        check_length(self.clock.seconds(time))
        if not self.begun:
            self.begun = True
            ends = (*self.lead.times[1:], self.lead.length)
            for start, end in zip(self.lead.times, ends, strict=False):
                self._show(held(picture), time + start, end - start, change)
        picture.make_writable()
        later = time + self.lead.length
        return self._show(picture, later, picture.duration or 0, change)

    def _show(
        self,
        picture: VideoFrame,
        time: int,
        duration: int,
        change: Callable[[Frame], object],
    ) -> float:
        time_s = self.clock.seconds(time)
        change(frame_of(picture, time_s))
        self.durations[time] = duration
        picture.pts = time
        picture.time_base = self.clock.time_base
        picture.pict_type = 0
        self._mux(picture)
        if self.sound is not None:
            self.sound.advance(float(time * self.clock.time_base))
        return time_s

    def _mux(self, picture: VideoFrame | None) -> None:
        for packet in self.encoder.encode(picture):
            # Not all encoders tell how long a frame lasts, which matters for the last.
            packet.duration = self.durations.pop(packet.pts, 0) or packet.duration
            packet.stream = self.track
            self.writer.mux(packet)

    def _begin_pictures(self, picture: VideoFrame) -> None:
        """Begin the track of pictures and set the encoder up.

        The track is made by that of the source where the coding stays, so that it
        keeps what FFmpeg knows of it besides.
        """
        coding, kept = self.coding, self.coding.codec == self.video.codec
        encoder = None
        if kept:
            self.track = self.writer.add_stream_from_template(self.stream, opaque=True)
        else:
            rate = self.video.frame_rate
            self.track = self.writer.add_stream(coding.encoder, rate=rate)
            self.track.time_base = self.clock.time_base
            encoder = self.track.codec_context
        self.lost = lost_data(picture, coding)
        self.encoder = open_encoder(
            *(coding, self.video, self.stream, picture),
            encoder=encoder,
            header=self.format != "avi",
        )
        tag = _TAGS.get(coding.codec) if self.format in MP4_FAMILY else None
        context: Any = self.track.codec_context
        if kept:
            context.extradata = self.encoder.extradata
            context.bit_rate = 0
            if self.format == self.video.format:
                tag = tag or tag_of(self.stream.codec_context)
        if tag:
            context.codec_tag = tag
        self.tracks.describe(self.stream, self.track)
        matrix = display_matrix(picture)
        if matrix is not None:
            self.track.set_display_matrix(matrix)


def _unchanged(blocks: Iterator[Samples]) -> Iterator[Samples]:
    return blocks
