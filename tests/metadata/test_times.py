"""Times in metadata follow a sound that became longer."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark.labeling.metadata import id3, riff, stream, times, vorbis
from synthmark.labeling.metadata.parts import copy
from synthmark.labeling.model import AigcLabel

RATE = 8000
CD = 0x80


def later(time_s: float) -> float:
    """Two seconds were put in at the start, three at the fourth second."""
    return time_s + 2 * (time_s > 0) + 3 * (time_s > 4)


def chapter(start: int, end: int, rest: bytes = b"") -> bytes:
    return b"ch1\0" + struct.pack(">IIII", start, end, 77, 99) + rest


def test_chapters_move_and_keep_what_is_in_them() -> None:
    title = b"TIT2\0\0\0\x04\0\0\0One"
    moved = times.frame(b"CHAP", chapter(0, 4000, title), later)
    open_ended = b"\xff" * 8
    assert moved == b"ch1\0" + struct.pack(">II", 0, 6000) + open_ended + title
    moved = times.frame(b"CHAP", chapter(4001, 9000), later)
    assert moved == b"ch1\0" + struct.pack(">II", 9001, 14000) + open_ended


@pytest.mark.parametrize("encoding", [0, 1, 2, 3])
def test_synchronized_texts_move(encoding: int) -> None:
    codec = {0: "latin-1", 1: "utf-16", 2: "utf-16-be", 3: "utf-8"}[encoding]
    words = [("Ā" if encoding else "a", 0), ("b\n", 3999), ("", 5000)]

    def made(move: times.Later) -> bytes:
        head = bytes([encoding]) + b"eng\2\1" + "about\0".encode(codec)
        return head + b"".join(
            f"{word}\0".encode(codec) + round(1000 * move(at / 1000)).to_bytes(4)
            for word, at in words
        )

    before = made(lambda time_s: time_s)
    assert times.frame(b"SYLT", before, later) == made(later)
    assert times.frame(b"SLT", before, later) == made(later)


def test_events_move() -> None:
    before = b"\2" + struct.pack(">BIBI", 3, 0, 5, 4500)
    after = b"\2" + struct.pack(">BIBI", 3, 0, 5, 9500)
    assert times.frame(b"ETCO", before, later) == after


@pytest.mark.parametrize("name", [b"SYLT", b"ETCO"])
def test_times_in_frames_of_the_earlier_sound_are_left_out(name: bytes) -> None:
    content = b"\1" * 40
    assert times.frame(name, content, later) == b""


@pytest.mark.parametrize(
    ("field", "moved"),
    [
        (b"CHAPTER001=00:00:00.000", b"CHAPTER001=00:00:00.000"),
        (b"CHAPTER002=00:00:04.500", b"CHAPTER002=00:00:09.500"),
        (b"chapter003=1:59:58", b"chapter003=02:00:03.000"),
        (b"CHAPTER002NAME=00:00:04.500", b"CHAPTER002NAME=00:00:04.500"),
        (b"CHAPTER004=later", b"CHAPTER004=later"),
        (b"TITLE=CHAPTER001=00:00:05", b"TITLE=CHAPTER001=00:00:05"),
    ],
)
def test_chapters_in_comments_move(field: bytes, moved: bytes) -> None:
    assert times.comment(field, later) == moved


def cue_sheet(flags: int, *tracks: tuple[int, tuple[int, ...]]) -> bytes:
    """A FLAC cue sheet of tracks and their indices, in frames."""
    content = bytes(128) + (88_200 if flags else 0).to_bytes(8)
    content += bytes([flags]) + bytes(258) + bytes([len(tracks)])
    for number, (start, indices) in enumerate(tracks, 1):
        content += start.to_bytes(8) + bytes([number]) + bytes(26)
        content += bytes([len(indices)])
        for count, index in enumerate(indices):
            content += index.to_bytes(8) + bytes([count, 0, 0, 0])
    return content


def test_a_cue_sheet_moves_and_is_of_no_disc_any_more() -> None:
    second = RATE
    before = cue_sheet(
        CD, (0, (0, second)), (3 * second, (0, 2 * second)), (9 * second, ())
    )
    after = cue_sheet(
        0, (0, (0, 3 * second)), (5 * second, (0, 5 * second)), (14 * second, ())
    )
    assert times.cue_sheet(before, RATE, later) == after


def test_cue_points_loops_and_markers_move() -> None:
    def cues(*frames: int) -> bytes:
        return struct.pack("<I", len(frames)) + b"".join(
            struct.pack("<II4sIII", i, at, b"data", 0, 0, at)
            for i, at in enumerate(frames)
        )

    assert times.cues(b"cue ", cues(0, 40_000), RATE, later) == cues(0, 80_000)

    def sampler(*loops: tuple[int, int]) -> bytes:
        head = bytes(28) + struct.pack("<II", len(loops), 0)
        return head + b"".join(struct.pack("<6I", 1, 0, *loop, 0, 0) for loop in loops)

    assert times.cues(b"smpl", sampler((8000, 40_000)), RATE, later) == sampler(
        (24_000, 80_000)
    )

    def markers(*frames: int) -> bytes:
        return struct.pack(">H", len(frames)) + b"".join(
            struct.pack(">HI", i, at) + name
            for i, (at, name) in enumerate(
                zip(frames, (b"\3one\0"[:4], b"\2to\0", b"\0\0"), strict=True)
            )
        )

    assert times.markers(markers(0, 8000, 40_000), RATE, later) == markers(
        0, 24_000, 80_000
    )


@given(st.binary(max_size=120), st.sampled_from([0, 5, 300]))
def test_what_is_malformed_raises_nothing(content: bytes, padding: int) -> None:
    content += b"\xff" * padding
    for name in (b"CHAP", b"SYLT", b"ETCO", b"TIT2"):
        times.frame(name, content, later)
    times.comment(content, later)
    for name in (b"cue ", b"smpl"):
        assert len(times.cues(name, content, RATE, later)) == len(content)
    assert len(times.cue_sheet(bytes(390) + content, RATE, later)) == 390 + len(content)
    assert len(times.markers(content, RATE, later)) == len(content)


@given(st.sampled_from([(3, False), (4, False), (4, True)]), st.integers(0, 2**32 - 1))
def test_a_tag_stays_whole(form: tuple[int, bool], start: int) -> None:
    version, unsynchronised = form
    body = chapter(start, 0xFFFF00FF)
    if unsynchronised:
        body = body.replace(b"\xff", b"\xff\0")
    size = len(body).to_bytes(4)  # below 128, where both ways to write it are one
    frames = b"CHAP" + size + b"\0\0" + body + b"TLEN\0\0\0\x03\0\0\x0099"
    flags = 0x80 if unsynchronised else 0
    tag = b"ID3" + bytes([version, 0, flags, 0, 0, 0, len(frames)]) + frames
    moved = id3.taken_over(tag, later)
    assert b"TLEN" not in moved
    assert id3.tag_length(moved) == len(moved)
    content = moved[20:]
    if moved[5] & 0x80:
        content = content.replace(b"\xff\0", b"\xff")
    expected = min(round(1000 * later(start / 1000)), 0xFFFFFFFF)
    assert content[4:8] == expected.to_bytes(4)
    assert content[12:20] == b"\xff" * 8
    assert id3.taken_over(moved, lambda time_s: time_s) == moved


def test_synchronized_lyrics_that_cannot_be_sealed_are_told(
    tmp_path: Path, label: AigcLabel
) -> None:
    words = b"SYLT\0\0\0\x0c\0\0" + b"\0eng\2\1\0a\0\0\0\x09"
    tag = b"ID3\4\0\0\0\0\0" + bytes([len(words)]) + words
    sound = b"\xff\xfb\x90\x64" + bytes(200)
    source, target = tmp_path / "a.mp3", tmp_path / "b.mp3"
    source.write_bytes(tag + sound)
    for original, notes in (
        (source, ("the synchronized lyrics were left out",)),
        (None, ()),
    ):
        written = stream.write(source, target, label, original=original)
        assert written.notes == notes
        assert (words in target.read_bytes()) == (not notes)
    # In a chunk of a WAV file the library does not touch them.
    assert id3.taken_over(tag, left=()) == tag


def test_the_chunks_of_a_file_move() -> None:
    def wave(at: int) -> io.BytesIO:
        cue = struct.pack("<III4sIII", 1, 1, at, b"data", 0, 0, at)
        body = b"WAVE" + riff.made(
            b"fmt ", struct.pack("<HHIIHH", 1, 1, RATE, 0, 2, 16), "<"
        )
        body += riff.made(b"data", bytes(8), "<") + riff.made(b"cue ", cue, "<")
        return io.BytesIO(b"RIFF" + struct.pack("<I", len(body)) + body)

    def aiff(at: int) -> io.BytesIO:
        # 8,000 as an extended-precision number: 2 to the 12th times 1.953125.
        common = bytes(8) + struct.pack(">HQ", 16383 + 12, RATE << 51)
        marks = struct.pack(">HHI", 1, 1, at) + b"\3one"
        body = b"AIFF" + riff.made(b"COMM", common, ">")
        body += riff.made(b"SSND", bytes(16), ">") + riff.made(b"MARK", marks, ">")
        return io.BytesIO(b"FORM" + struct.pack(">I", len(body)) + body)

    for made in (wave, aiff):
        for move, at in ((later, 80_000), (None, 40_000)):
            target, expected = io.BytesIO(), io.BytesIO()
            copy(made(0), riff.edit(made(0), "{}", made(40_000), move), target)
            copy(made(at), riff.edit(made(at), "{}"), expected)
            assert target.getvalue() == expected.getvalue()


def test_the_comments_of_a_file_move() -> None:
    def flac(*fields: bytes) -> bytes:
        listed = b"".join(len(f).to_bytes(4, "little") + f for f in fields)
        comment = bytes(4) + len(fields).to_bytes(4, "little") + listed
        info = bytes(10) + (RATE << 4).to_bytes(3) + bytes(21)
        sheet = cue_sheet(0, (40_000 if fields[-1][-5:-4] == b"5" else 80_000, ()))
        return (
            b"fLaC"
            + b"".join(
                bytes([kind]) + len(content).to_bytes(3) + content
                for kind, content in ((0, info), (4, comment), (0x85, sheet))
            )
            + b"frames"
        )

    old, new = (
        flac(b"A=b", b"CHAPTER001=00:00:" + at) for at in (b"05.000", b"10.000")
    )
    target, expected = io.BytesIO(), io.BytesIO()
    parts = vorbis.edit(io.BytesIO(new), "{}", io.BytesIO(old), later)
    copy(io.BytesIO(new), parts, target)
    copy(io.BytesIO(new), vorbis.edit(io.BytesIO(new), "{}"), expected)
    assert target.getvalue() == expected.getvalue()
