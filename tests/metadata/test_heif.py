from __future__ import annotations

import gzip
import io
import struct
import zlib
from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from synthmark.labeling.errors import DamagedMedia, MediaError, MetadataError
from synthmark.labeling.metadata import heif, xmp
from synthmark.labeling.metadata.carrier import Kind
from synthmark.labeling.metadata.image import read, write
from synthmark.labeling.model import AigcLabel

LABEL = b'{"AIGC":{"Label":"1","ContentProducer":"p","ProduceID":"7"}}'
PACKET = xmp.edit(None, LABEL.decode(), None)
RDF = b"application/rdf+xml"
PICTURE, MORE = b"the picture", b"and the rest of it"
HEAD = struct.pack(">I", 20) + b"ftypheic" + bytes(4) + b"mif1"


def box(kind: bytes, *parts: bytes) -> bytes:
    return struct.pack(">I4s", 8 + sum(map(len, parts)), kind) + b"".join(parts)


def info(number: int, kind: bytes, *texts: bytes, version: int = 2) -> bytes:
    form = ">IIH4s" if version == 3 else ">IHH4s"
    names = b"".join(text + b"\0" for text in (b"", *texts))
    return box(b"infe", struct.pack(form, version << 24, number, 0, kind), names)


def places(
    items: Sequence[tuple[int, int, list[tuple[int, int]]]],
    *,
    version: int,
    widths: tuple[int, int, int, int],
    start: int,
) -> bytes:
    """Items as number, method and extents, those of method 0 counted from `start`."""
    offset, length, base, number = widths
    wide = 4 if version == 2 else 2
    data = bytes([version, 0, 0, 0, offset << 4 | length, base << 4 | number])
    data += len(items).to_bytes(wide)
    for item, method, extents in items:
        first = start if method == 0 else 0
        data += item.to_bytes(wide) + (method.to_bytes(2) if version else b"")
        shared = first if base else 0
        if not offset:
            shared += extents[0][0]
        data += bytes(2) + shared.to_bytes(base) + len(extents).to_bytes(2)
        for position, size in extents:
            own = position if base else first + position
            data += bytes(number if version else 0)
            data += (own if offset else 0).to_bytes(offset) + size.to_bytes(length)
    return box(b"iloc", data)


def made(
    *,
    version: int = 1,
    widths: tuple[int, int, int, int] = (4, 4, 0, 0),
    extra: Sequence[tuple[bytes, int, bytes]] = (),
    about: dict[int, int] | None = None,
    late: bool = False,
    behind: bytes = b"",
    idat: bytes = b"",
    primary: int = 1,
) -> bytes:
    """Make a file with a picture in two parts and `extra` items.

    They are given as announcement, method and data, and numbered from 2 on.
    """
    split = widths[0] > 0
    data = PICTURE + b"....." + MORE if split else PICTURE
    extents = [(0, len(PICTURE))]
    if split:
        extents.append((len(PICTURE) + 5, len(MORE)))
    items = [(1, 0, extents)]
    infos = [info(1, b"hvc1", version=3 if version == 2 else 2)]
    for index, (announced, method, content) in enumerate(extra):
        start = len(idat) if method else len(data)
        if method:
            idat += content
        else:
            data += content
        items.append((2 + index, method, [(start, len(content))]))
        infos.append(announced)
    references = b"".join(
        box(b"cdsc", struct.pack(">3H", item, 1, subject))
        for item, subject in (about or {}).items()
    )

    def index(start: int) -> bytes:
        return box(
            b"meta",
            bytes(4),
            box(b"hdlr", bytes(8), b"pict", bytes(13)),
            box(b"pitm", struct.pack(">IH", 0, primary)),
            places(items, version=version, widths=widths, start=start),
            box(b"iinf", struct.pack(">IH", 0, len(infos)), *infos),
            box(b"iref", bytes(4), references) if references else b"",
            box(b"idat", idat) if idat else b"",
        )

    if late:
        return HEAD + box(b"mdat", data) + index(len(HEAD) + 8) + behind
    start = len(HEAD + index(0)) + 8
    return HEAD + index(start) + box(b"mdat", data) + behind


def data_of(content: bytes) -> dict[int, bytes]:
    """Return the data of all items, as an independent reader finds them."""
    start = content.index(b"iloc") + 4
    version, sizes = content[start], content[start + 4 : start + 6]
    offset, length = sizes[0] >> 4, sizes[0] & 15
    base, number = sizes[1] >> 4, sizes[1] & 15
    at = start + 6

    def take(size: int) -> int:
        nonlocal at
        at += size
        return int.from_bytes(content[at - size : at])

    found = {}
    wide = 4 if version == 2 else 2
    for _ in range(take(wide)):
        item = take(wide)
        method = take(2) if version else 0
        assert take(2) == 0
        first = take(base)
        if method == 1:
            first += content.index(b"idat") + 4
        data = b""
        for _ in range(take(2)):
            take(number if version else 0)
            position, size = first + take(offset), take(length)
            data += content[position : position + size]
        found[item] = data
    return found


xmp_item = info(2, b"mime", RDF)


@pytest.mark.parametrize("version", [0, 1, 2])
@pytest.mark.parametrize(
    "widths", [w for w in product((0, 4, 8), (4, 8), (0, 4, 8), (0, 4)) if w[0] or w[2]]
)
@pytest.mark.parametrize("late", [False, True])
def test_every_way_to_tell_places_is_followed(
    version: int, widths: tuple[int, int, int, int], late: bool
) -> None:
    content = made(version=version, widths=widths, late=late)
    assert data_of(content)[1].startswith(PICTURE)
    written = heif.replace_xmp(content, PACKET)
    assert data_of(written) == data_of(content) | {2: PACKET}
    (carrier,) = heif.read_carriers(written).carriers
    assert (carrier.kind, carrier.content) == (Kind.XMP, PACKET)
    again = heif.replace_xmp(written, b"<new/>")
    assert data_of(again) == data_of(content) | {2: b"<new/>"}
    assert heif.replace_xmp(again, PACKET) == written
    assert written.endswith(box(b"mdat", PACKET))


@pytest.mark.parametrize("method", [0, 1])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("about", [{}, {2: 1}])
def test_earlier_packet_gives_way(
    method: int, late: bool, about: dict[int, int]
) -> None:
    content = made(extra=[(xmp_item, method, PACKET)], late=late, about=about)
    (carrier,) = heif.read_carriers(content).carriers
    assert (carrier.kind, carrier.content) == (Kind.XMP, PACKET)
    written = heif.replace_xmp(content, b"<new/>")
    assert b"AIGC" not in written
    assert data_of(written) == data_of(content) | {2: b"<new/>"}


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        (b"gzip", gzip.compress(PACKET)),
        (b"deflate", zlib.compress(PACKET)),
        (b"deflate", zlib.compress(PACKET, wbits=-15)),
    ],
)
def test_compressed_packet_is_read_and_gives_way(
    encoding: bytes, packed: bytes
) -> None:
    item = info(2, b"mime", RDF, encoding)
    content = made(extra=[(item, 0, packed)], about={2: 1})
    assert heif.read_carriers(content).carriers[0].content == PACKET
    written = heif.replace_xmp(content, b"<new/>")
    assert heif.read_carriers(written).carriers[0].content == b"<new/>"
    bomb = made(extra=[(item, 0, gzip.compress(bytes(1 << 26)))])
    assert heif.read_carriers(bomb).carriers[0].content == b""


def test_packet_about_another_picture_keeps_all_but_its_label() -> None:
    other = xmp.edit(None, LABEL.decode(), xmp.TRAINED_ALGORITHMIC_MEDIA)
    items = [(info(2, b"hvc1"), 0, b"a map"), (info(3, b"mime", RDF), 0, other)]
    content = made(extra=items, about={3: 2})
    (carrier,) = heif.read_carriers(content).carriers
    assert carrier.kind is Kind.EXTENDED_XMP
    written = heif.replace_xmp(content, PACKET)
    found = data_of(written)
    assert (found[2], found[4]) == (b"a map", PACKET)
    assert len(found[3]) == len(other)
    assert xmp.read(found[3]).labels == ()
    assert xmp.read(found[3]).source_types == (xmp.TRAINED_ALGORITHMIC_MEDIA,)
    plain = other.replace(b"AIGC", b"else")
    content = made(extra=[items[0], (items[1][0], 0, plain)], about={3: 2})
    assert heif.read_carriers(content).carriers == ()
    assert data_of(heif.replace_xmp(content, PACKET))[3] == plain


@pytest.mark.parametrize("offset", [0, 6])
@pytest.mark.parametrize("method", [0, 1])
def test_label_in_exif_is_blanked(
    offset: int, method: int, make_exif: Callable[..., bytes], label: AigcLabel
) -> None:
    block = make_exif(sub={0x9286: bytes(8) + LABEL})
    data = struct.pack(">I", offset) + b"Exif\0\0"[:offset] + block
    content = made(extra=[(info(2, b"Exif"), method, data)], about={2: 1})
    assert heif.read_carriers(content).carriers[0].content.endswith(block)
    written = write(content, label)
    assert written.notes == (
        "an earlier AIGC label has been replaced: EXIF UserComment in Exif IFD",
    )
    assert data_of(written.content)[2] == data.replace(LABEL, bytes(len(LABEL)))


def test_bytes_that_a_picture_shares_are_not_blanked() -> None:
    content = bytearray(made(extra=[(xmp_item, 0, PACKET)], about={2: 1}))
    start = bytes(content).index(PACKET)
    at = bytes(content).index(b"iloc") + 4 + 6 + 2 + 2 + 2 + 2 + 2
    content[at : at + 4] = start.to_bytes(4)
    written = heif.replace_xmp(bytes(content), b"<new/>")
    assert data_of(written)[1] == data_of(bytes(content))[1]


def test_packet_in_its_own_box_is_read_and_loses_its_label() -> None:
    own = box(b"uuid", heif.XMP_UUID, PACKET)
    content = made(behind=own)
    assert heif.read_carriers(content).carriers[0].kind is Kind.EXTENDED_XMP
    written = heif.replace_xmp(content, b"<new/>")
    assert [c.content for c in heif.read_carriers(written).carriers] == [b"<new/>"]
    assert data_of(written)[1] == data_of(content)[1]


def test_last_box_without_a_length_gets_one() -> None:
    content = bytearray(made())
    at = bytes(content).index(b"mdat") - 4
    content[at : at + 4] = bytes(4)
    written = heif.replace_xmp(bytes(content), PACKET)
    assert data_of(written) == data_of(made()) | {2: PACKET}
    assert heif.read_carriers(written).problems == ()


def test_sequence_without_items_has_its_packet_as_mp4_has(label: AigcLabel) -> None:
    head = HEAD.replace(b"heic", b"msf1")
    content = head + box(b"moov", box(b"mvhd", bytes(100))) + box(b"mdat", PICTURE)
    written = heif.replace_xmp(content, PACKET)
    assert written == content + box(b"uuid", heif.XMP_UUID, PACKET)
    assert heif.replace_xmp(written, b"<new/>").startswith(content)
    early = head + written[len(content) :] + content[len(head) :]
    again = heif.replace_xmp(early, b"<new/>")
    assert [c.content for c in heif.read_carriers(again).carriers] == [b"<new/>"]
    assert again.index(PICTURE) == early.index(PICTURE)
    assert [one.label for one in read(write(content, label).content).labels] == [label]


def test_sequence_with_items_keeps_its_frames(
    pictures: dict[str, bytes], label: AigcLabel
) -> None:
    content = pictures["avif, animated"]
    assert {b"meta", b"moov"} <= {content[i : i + 4] for i in range(len(content))}
    written = write(content, label).content
    start = content.index(b"stco") + 12
    moved = written.index(b"stco") + 12
    old = int.from_bytes(content[start : start + 4])
    new = int.from_bytes(written[moved : moved + 4])
    assert new > old
    assert written[new : new + 50] == content[old : old + 50]
    for before, after in zip(
        ImageSequence.Iterator(Image.open(io.BytesIO(content))),
        ImageSequence.Iterator(Image.open(io.BytesIO(written))),
        strict=True,
    ):
        np.testing.assert_array_equal(np.asarray(before), np.asarray(after))


def cut_short(content: bytes, kind: bytes, size: int) -> bytes:
    """Make a box tell another size."""
    at = content.index(kind) - 4
    return content[:at] + size.to_bytes(4) + content[at + 4 :]


whole = made(extra=[(xmp_item, 0, PACKET)], about={2: 1}, idat=b"data")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (HEAD, "no picture"),
        (whole[:-1], "cut off"),
        (cut_short(whole, b"iloc", 9), "malformed"),
        (cut_short(whole, b"iinf", 1 << 30), "malformed"),
        (cut_short(whole, b"infe", 4), "malformed"),
        (cut_short(whole, b"mdat", 8), "cut off"),
        (whole + whole[len(HEAD) :], "several indexes"),
        (
            made(version=1, extra=[(xmp_item, 1, PACKET)]).replace(b"idat", b"free"),
            "missing",
        ),
        (made(version=1, extra=[(xmp_item, 2, PACKET)], idat=b"-"), "elsewhere"),
        (HEAD + box(b"free") * 100_001, "more than 100000"),
        (HEAD + box(b"meta", bytes(4), box(b"free") * 100_001), "more than 100000"),
    ],
    ids=range(11),
)
def test_damage_is_reported_on_reading_and_refused_on_writing(
    content: bytes, problem: str
) -> None:
    assert problem in heif.read_carriers(content).problems[0]
    with pytest.raises(DamagedMedia, match=problem):
        heif.replace_xmp(content, PACKET)


def test_truncation_anywhere_is_a_problem(make_exif: Callable[..., bytes]) -> None:
    block = bytes(4) + make_exif(sub={0x9286: bytes(8) + LABEL})
    for late in (False, True):
        items = [(xmp_item, 0, PACKET), (info(3, b"Exif"), 0, block)]
        content = made(extra=items, about={2: 1, 3: 1}, late=late)
        for length in range(12, len(content)):
            assert heif.read_carriers(content[:length]).problems
            with pytest.raises(DamagedMedia):
                heif.replace_xmp(content[:length], PACKET)


def test_places_that_overlap_are_not_read_again_and_again() -> None:
    large = PACKET * 1000
    number = 200
    items = [(info(n + 2, b"mime", RDF), 1, b"") for n in range(number)]
    content = made(extra=items, idat=large)
    size = struct.pack(">2I", len(large), 0)
    content = content.replace(size, struct.pack(">2I", 0, len(large)))
    survey = heif.read_carriers(content)
    assert "overlap" in survey.problems[0]


def test_only_so_many_carriers_are_looked_into() -> None:
    items = [(info(n + 2, b"Exif"), 0, bytes(4) + LABEL) for n in range(9)]
    survey = heif.read_carriers(made(extra=items))
    assert (len(survey.carriers), survey.complete) == (8, False)
    assert "more than 8" in survey.problems[0]


@given(st.data())
def test_flipped_bytes_never_crash(data: st.DataObject) -> None:
    late = data.draw(st.booleans())
    content = bytearray(made(extra=[(xmp_item, 0, PACKET)], about={2: 1}, late=late))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(12, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    heif.read_carriers(bytes(content))
    try:
        written = heif.replace_xmp(bytes(content), b"<new/>")
    except (MediaError, MetadataError):
        return
    assert b"<new/>" in {c.content for c in heif.read_carriers(written).carriers}


@pytest.mark.parametrize("brand", [b"avif", b"heic", b"mif1", b"msf1", b"avis"])
def test_brands_tell_pictures_from_videos(brand: bytes) -> None:
    assert heif.is_heif(box(b"ftyp", brand, bytes(4)))
    assert heif.is_heif(box(b"ftyp", b"MiHB", bytes(4), b"abcd", brand))
    assert not heif.is_heif(box(b"ftyp", b"isom", bytes(4), b"mp42"))
    assert not heif.is_heif(box(b"ftyp", b"isom", brand, b"mp42"))
