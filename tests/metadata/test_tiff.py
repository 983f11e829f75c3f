from __future__ import annotations

import io
import struct
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from synthmark.labeling.errors import DamagedMedia, MetadataError
from synthmark.labeling.metadata import tiff, xmp
from synthmark.labeling.metadata.carrier import Kind
from synthmark.labeling.metadata.image import read, write
from synthmark.labeling.model import AigcLabel

LABEL = b'{"AIGC":{"Label":"1","ContentProducer":"p","ProduceID":"7"}}'
PACKET = xmp.edit(None, LABEL.decode(), None)
NEW = b"<a new packet/>"  # longer than what stands in an entry itself
PIXELS = bytes(range(16))

Fields = dict[int, bytes | int | list[int]]
every_form = pytest.mark.parametrize(
    ("order", "big"), [("<", False), (">", False), ("<", True), (">", True)]
)


class Made:
    """A file under construction: values first, tables last."""

    def __init__(self, order: str, big: bool) -> None:
        self.order, self.big = order, big
        self.word, self.table = ("Q", "HHQ") if big else ("I", "HHI")
        version = b"+\0\x08\0\0\0" if big else b"*\0"
        if order == ">":
            version = b"\0+\0\x08\0\0" if big else b"\0*"
        self.content = bytearray((b"II" if order == "<" else b"MM") + version)
        self.pointer = len(self.content)
        self.content += bytes(8 if big else 4)

    def pack(self, form: str, *values: int) -> bytes:
        return struct.pack(self.order + form, *values)

    def put(self, data: bytes) -> int:
        self.content += bytes(-len(self.content) % 2)
        self.content += data
        return len(self.content) - len(data)

    def entry(self, tag: int, value: bytes | int | list[int]) -> bytes:
        width = struct.calcsize("=" + self.word)
        if isinstance(value, bytes):
            kind, count, data = 7, len(value), value
        else:
            listed = [value] if isinstance(value, int) else value
            kind, count = 16 if self.big else 4, len(listed)
            data = self.pack(f"{count}{self.word}", *listed)
        if len(data) > width:
            data = self.pack(self.word, self.put(data))
        return self.pack(self.table, tag, kind, count) + data.ljust(width, b"\0")

    def directory(self, fields: Fields) -> int:
        """Return where a directory is; it ends with the pointer to the next one."""
        entries = [self.entry(tag, fields[tag]) for tag in sorted(fields)]
        count = self.pack("Q" if self.big else "H", len(entries))
        return self.put(count + b"".join(entries) + bytes(8 if self.big else 4))

    def page(self, **fields: bytes | int) -> Fields:
        sized = {256: 4, 257: 4, 258: 8, 259: 1, 262: 1, 277: 1, 278: 4}
        data: Fields = {273: self.put(PIXELS), 279: len(PIXELS)}
        return sized | data | {int(tag[1:]): value for tag, value in fields.items()}

    def chain(self, *starts: int) -> bytes:
        """Point at the directories, one from the other."""
        at = self.pointer
        for start in starts:
            struct.pack_into(self.order + self.word, self.content, at, start)
            size, head = (20, 8) if self.big else (12, 2)
            (count,) = struct.unpack_from(
                self.order + ("Q" if self.big else "H"), self.content, start
            )
            at = start + head + size * count
        return bytes(self.content)


def pages(content: bytes) -> list[np.ndarray]:
    with Image.open(io.BytesIO(content)) as picture:
        return [np.array(page) for page in ImageSequence.Iterator(picture)]


def with_pages(order: str, big: bool, *fields: dict[str, bytes | int]) -> bytes:
    made = Made(order, big)
    return made.chain(*[made.directory(made.page(**page)) for page in fields])


@every_form
def test_packet_goes_to_the_end_and_nothing_moves(order: str, big: bool) -> None:
    content = with_pages(order, big, {"t270": b"a view"}, {}, {"t270": b"another"})
    written = tiff.replace_xmp(content, PACKET)
    pointer = slice(8, 16) if big else slice(4, 8)
    same = bytearray(written[: len(content)])
    same[pointer] = content[pointer]
    assert bytes(same) == content
    assert written.endswith(PACKET)
    (carrier,) = tiff.read_carriers(written).carriers
    assert (carrier.kind, carrier.content) == (Kind.XMP, PACKET)
    if content.startswith(b"MM\0+"):
        return  # Pillow does not read these
    for old, new in zip(pages(content), pages(written), strict=True):
        np.testing.assert_array_equal(old, new)
    with Image.open(io.BytesIO(written)) as picture:
        tags = list(picture.tag_v2)
        assert picture.n_frames == 3
        assert picture.tag_v2[270] == b"a view"
        assert (tags, len(tags)) == (sorted(tags), 11)


@every_form
def test_earlier_packet_gives_way(order: str, big: bool) -> None:
    content = with_pages(order, big, {"t700": PACKET}, {})
    written = tiff.replace_xmp(content, NEW)
    assert len(written) <= len(content) + 1 + len(NEW)
    assert b"AIGC" not in written
    assert [c.content for c in tiff.read_carriers(written).carriers] == [NEW]
    assert tiff.replace_xmp(written, b"<longer/>").startswith(written[:8])
    assert tiff.replace_xmp(tiff.replace_xmp(written, PACKET), NEW) == written
    if not content.startswith(b"MM\0+"):
        np.testing.assert_array_equal(pages(written), pages(content))


@every_form
def test_labels_are_found_in_every_directory_and_blanked(
    order: str, big: bool, label: AigcLabel
) -> None:
    made = Made(order, big)
    utf16 = "utf-16-le" if order == "<" else "utf-16-be"
    comment = b"UNICODE\0" + LABEL.decode().encode(utf16)
    below = made.directory({0x9286: comment, 0x9003: b"2026:01:01 00:00:00\0"})
    first = made.directory(made.page(t34665=below, t270=LABEL))
    thumbnail = made.directory(made.page(t700=PACKET))
    second = made.directory(made.page(t330=thumbnail, t270=b"kept"))
    content = made.chain(first, second)
    found = tiff.read_carriers(content)
    assert found.problems == ()
    assert {(c.place, c.kind) for c in found.carriers} == {
        ("EXIF ImageDescription in IFD0", Kind.TEXT),
        ("EXIF UserComment in Exif IFD", Kind.TEXT),
        ("XMP in SubIFD", Kind.EXTENDED_XMP),
    }
    assert all(LABEL in c.content or c.content == PACKET for c in found.carriers)
    written = write(content, label).content
    assert [one.label for one in read(written).labels] == [label]
    assert LABEL not in written
    assert b"2026:01:01" in written
    assert b"kept" in written


def test_packet_of_another_page_without_a_label_stays() -> None:
    other = PACKET.replace(b"AIGC", b"else")
    content = with_pages("<", False, {}, {"t700": other})
    assert tiff.read_carriers(content).carriers == ()
    assert other in tiff.replace_xmp(content, PACKET)


def test_pixels_that_share_bytes_with_a_label_are_not_blanked() -> None:
    made = Made("<", False)
    fields = made.page(t700=PACKET)
    first = made.directory(fields)
    start = bytes(made.content).index(PACKET)
    second = made.directory(made.page() | {273: start})
    content = made.chain(first, second)
    written = tiff.replace_xmp(content, NEW)
    np.testing.assert_array_equal(pages(written), pages(content))


def test_second_packet_in_a_page_is_dropped() -> None:
    made = Made("<", False)
    entries = [made.entry(700, PACKET), made.entry(700, b"<second/>")]
    start = made.put(made.pack("H", 2) + b"".join(entries) + bytes(4))
    content = made.chain(start)
    assert len(tiff.read_carriers(content).carriers) == 2
    written = tiff.replace_xmp(content, NEW)
    assert [c.content for c in tiff.read_carriers(written).carriers] == [NEW]


@every_form
def test_circles_are_told(order: str, big: bool) -> None:
    made = Made(order, big)
    first = made.directory(made.page())
    second = made.directory(made.page())
    itself = made.directory({})
    for content in (made.chain(first, first), made.chain(first, second, first)):
        assert "circle" in tiff.read_carriers(content).problems[0]
        with pytest.raises(DamagedMedia, match="circle"):
            tiff.replace_xmp(content, PACKET)
    made.chain(itself, itself)
    third = made.directory(made.page(t330=itself))
    assert "circle" in tiff.read_carriers(made.chain(third)).problems[0]


@every_form
def test_truncation_anywhere_is_a_problem(order: str, big: bool) -> None:
    content = with_pages(order, big, {"t270": b"a view", "t700": PACKET}, {})
    for length in range(4, len(content)):
        assert tiff.read_carriers(content[:length]).problems
        with pytest.raises(DamagedMedia):
            tiff.replace_xmp(content[:length], PACKET)


def test_directories_without_end_are_told() -> None:
    many = struct.pack("<H", 0xFFFF) + bytes(12 * 0xFFFF + 4)
    links = b"".join(
        many[:-4] + struct.pack("<I", 8 + (n + 1) * len(many)) for n in range(20)
    )
    survey = tiff.read_carriers(b"II*\0" + struct.pack("<I", 8) + links)
    assert "more than 1000000 fields" in survey.problems[0]


def test_values_that_overlap_are_not_read_again_and_again() -> None:
    made = Made("<", False)
    start = made.put(PACKET * 100)
    entry = made.pack("HHII", 700, 7, len(PACKET) * 100, start)
    tables = [made.put(made.pack("H", 1) + entry + bytes(4)) for _ in range(1000)]
    survey = tiff.read_carriers(made.chain(*tables))
    assert "overlap" in survey.problems[0] or not survey.complete


def test_full_directory_has_no_room() -> None:
    made = Made("<", False)
    start = made.put(made.pack("H", 0xFFFF) + bytes(12 * 0xFFFF + 4))
    with pytest.raises(MetadataError, match="no room"):
        tiff.replace_xmp(made.chain(start), PACKET)


@given(st.data())
def test_flipped_bytes_never_crash(data: st.DataObject) -> None:
    big = data.draw(st.booleans())
    content = bytearray(with_pages(">", big, {"t700": PACKET, "t270": LABEL}, {}))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(4, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    tiff.read_carriers(bytes(content))
    try:
        written = tiff.replace_xmp(bytes(content), NEW)
    except (DamagedMedia, MetadataError):
        return
    assert NEW in {c.content for c in tiff.read_carriers(written).carriers}


@pytest.mark.parametrize("mode", ["1", "L", "I;16", "P", "RGB", "RGBA", "CMYK"])
@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_deflate", "jpeg"])
def test_every_kind_of_picture_stays(
    mode: str, compression: str, label: AigcLabel, make_exif: Callable[..., bytes]
) -> None:
    if compression == "jpeg" and mode not in ("L", "RGB", "CMYK"):
        pytest.skip("libtiff has no such pictures")
    noise = np.random.default_rng(1).integers(0, 256, (30, 20), dtype=np.uint8)
    grey = Image.fromarray(noise)
    picture = Image.fromarray(noise.astype(np.uint16) * 257)
    if mode != "I;16":
        picture = grey.convert("RGB").convert(mode)
    file = io.BytesIO()
    picture.save(file, "TIFF", compression=compression)
    written = write(file.getvalue(), label).content
    np.testing.assert_array_equal(pages(written), pages(file.getvalue()))
