from __future__ import annotations

import io
import json
import shutil
import subprocess
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from synthmark.labeling.errors import (
    DamagedMedia,
    MediaTooLarge,
    MetadataError,
    UnsupportedFormat,
    UsageError,
)
from synthmark.labeling.metadata import aigc, png, xmp
from synthmark.labeling.metadata.image import (
    TRAINED_ALGORITHMIC_MEDIA,
    read,
    write,
)
from synthmark.labeling.model import AIGC_FIELDS, AigcLabel, State

OTHER = AigcLabel(label="2", content_producer="other", produce_id="9")
XMP = b"http://ns.adobe.com/xap/1.0/\0"

every_picture = pytest.mark.parametrize(
    "kind",
    [
        "jpeg",
        "jpeg, rich",
        "png",
        "png, rich",
        "webp, lossy",
        "webp, lossless",
        "webp, lossless with alpha",
        "webp, lossy with alpha, rich",
        "webp, animated, rich",
        "gif",
        "gif, animated",
        "apng, rich",
        "tiff",
        "tiff, pages, rich",
        "tiff, big",
        "avif",
        "avif, rich",
        "avif, animated",
        "heic",
        "heic, rich",
    ],
)
every_container = pytest.mark.parametrize(
    "kind", ["jpeg", "png", "webp, lossy", "gif", "tiff", "avif", "heic"]
)
# How much of a file tells what it is.
SIGNATURE_BYTES = {"webp": 12, "png": 8, "apng": 8, "jpeg": 3, "gif": 6, "tiff": 4}

legal = st.text(
    st.sampled_from([chr(c) for c in range(0x21, 0x7F) if chr(c) != "\\"]), max_size=60
)


def frames(content: bytes) -> list[np.ndarray]:
    if b"ftypheic" in content[:12]:
        import av

        with av.open(io.BytesIO(content)) as file:
            return [frame.to_ndarray() for frame in file.decode(video=0)]
    with Image.open(io.BytesIO(content)) as picture:
        return [
            np.array(frame.convert("RGBA")) for frame in ImageSequence.Iterator(picture)
        ]


def jpeg_with(content: bytes, *payloads: bytes) -> bytes:
    """Insert APP1 segments right after the start of a JPEG file."""
    segments = [
        b"\xff\xe1" + (len(payload) + 2).to_bytes(2, "big") + payload
        for payload in payloads
    ]
    return content[:2] + b"".join(segments) + content[2:]


def png_with(content: bytes, kind: bytes, data: bytes, *, late: bool = False) -> bytes:
    """Insert a chunk after IHDR, or before IEND."""
    position = len(content) - 12 if late else 33
    chunk = (
        len(data).to_bytes(4, "big")
        + kind
        + data
        + zlib.crc32(kind + data).to_bytes(4, "big")
    )
    return content[:position] + chunk + content[position:]


def wrapped(label: AigcLabel) -> bytes:
    return f'{{"AIGC":{aigc.to_json(label)}}}'.encode()


@every_picture
def test_label_reads_back_and_the_picture_is_the_same(
    pictures: dict[str, bytes], label: AigcLabel, kind: str
) -> None:
    before = pictures[kind]
    written = write(before, label)
    found = read(written.content)
    assert [item.label for item in found.labels] == [label]
    assert found.labels[0].place == written.place == "XMP"
    assert found.labels[0].problems == found.problems == written.notes == ()
    assert found.source_types == (TRAINED_ALGORITHMIC_MEDIA,)
    assert found.state is State.PRESENT
    assert frames(before)
    for old, new in zip(frames(before), frames(written.content), strict=True):
        np.testing.assert_array_equal(old, new)


@every_picture
def test_other_metadata_is_kept(
    pictures: dict[str, bytes], label: AigcLabel, kind: str
) -> None:
    if kind.startswith("heic"):
        pytest.skip("Pillow does not read it; exiftool does")
    written = write(pictures[kind], label).content
    with (
        Image.open(io.BytesIO(pictures[kind])) as before,
        Image.open(io.BytesIO(written)) as after,
    ):
        if "rich" in kind:
            assert after.getexif()[0x0112] == 6
            assert after.info["icc_profile"]
        before.load()
        after.load()
        kept = ("dpi", "prompt", "comment", "loop", "duration", "disposal", "timestamp")
        for key in ("exif", "icc_profile", *kept):
            assert after.info.get(key) == before.info.get(key)
        packet = after.info.get("xmp")
        if "rich" in kind:
            root = ET.fromstring(packet)
            texts = [text for text in root.itertext() if text.strip()]
            assert texts[:4] == ["sea", "a & b", "Sea", "海"]
            assert b'xmp:Rating="4"' in packet


@every_picture
def test_writing_again_leaves_one_label(
    pictures: dict[str, bytes], label: AigcLabel, kind: str
) -> None:
    once = write(pictures[kind], OTHER, source_type=None).content
    twice = write(once, label)
    assert twice.notes == ("an earlier AIGC label has been replaced: XMP",)
    assert twice.content.count(b"TC260:AIGC>") == 2
    assert write(twice.content, label).content == twice.content
    assert write(twice.content, label).notes == ()
    assert twice.content == write(pictures[kind], label).content


@given(
    values=st.tuples(st.sampled_from("123"), *[legal.filter(bool)] * 2, *[legal] * 4),
    source_type=st.sampled_from(["digitalCapture", "compositeSynthetic"]),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@every_container
def test_every_legal_label_reads_back(
    pictures: dict[str, bytes], kind: str, values: tuple[str, ...], source_type: str
) -> None:
    label = AigcLabel(**dict(zip(AIGC_FIELDS.values(), values, strict=True)))
    uri = xmp.SOURCE_TYPES + source_type
    found = read(write(pictures[kind], label, source_type=uri).content)
    assert [item.label for item in found.labels] == [label]
    assert found.source_types == (uri,)


def test_source_type_is_replaced_only_on_demand(
    pictures: dict[str, bytes], label: AigcLabel
) -> None:
    capture = xmp.SOURCE_TYPES + "digitalCapture"
    content = write(pictures["png"], label, source_type=capture).content
    kept = write(content, label, source_type=None)
    assert read(kept.content).source_types == (capture,)
    replaced = write(content, label)
    assert read(replaced.content).source_types == (TRAINED_ALGORITHMIC_MEDIA,)
    assert replaced.notes == (f"an earlier source type has been replaced: {capture}",)


@pytest.mark.parametrize(
    "value", ["trainedAlgorithmicMedia", "", "http://a/b", xmp.SOURCE_TYPES + "<x>"]
)
def test_source_type_must_be_a_term_of_the_vocabulary(
    pictures: dict[str, bytes], label: AigcLabel, value: str
) -> None:
    with pytest.raises(UsageError, match="IPTC"):
        write(pictures["png"], label, source_type=value)


def foreign(
    pictures: dict[str, bytes], make_exif: Callable[..., bytes], label: AigcLabel
) -> dict[str, bytes]:
    """The label as other writers put it into files, in several places."""
    text, bare = wrapped(label), aigc.to_json(label).encode()
    comment = make_exif(sub={0x9286: b"ASCII\0\0\0" + text})
    unicode = make_exif(
        order=">", main={0x9286: b"UNICODE\0" + text.decode().encode("utf-16-be")}
    )
    packet = xmp.edit(None, bare.decode(), None)
    plain = pictures["png"]
    webp = io.BytesIO()
    with Image.open(io.BytesIO(plain)) as picture:
        picture.save(webp, "WEBP", exif=comment, lossless=True, exact=True)
    return {
        "UserComment": jpeg_with(pictures["jpeg"], b"Exif\0\0" + comment),
        "UserComment in IFD0": jpeg_with(pictures["jpeg"], b"Exif\0\0" + unicode),
        "UserComment in PNG": png_with(plain, b"eXIf", comment),
        "UserComment in WebP": webp.getvalue(),
        "tEXt": png_with(plain, b"tEXt", b"AIGC\0" + text),
        "tEXt, bare": png_with(plain, b"tEXt", b"AIGC\0" + bare),
        "tEXt, late": png_with(plain, b"tEXt", b"AIGC\0" + bare, late=True),
        "zTXt": png_with(plain, b"zTXt", b"AIGC\0\0" + zlib.compress(bare)),
        "iTXt": png_with(plain, b"iTXt", b"AIGC\0\0\0\0\0" + text),
        "XMP, late": png_with(
            plain, b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet, late=True
        ),
    }


def test_dialects_are_read_and_replaced(
    pictures: dict[str, bytes], label: AigcLabel, make_exif: Callable[..., bytes]
) -> None:
    for name, content in foreign(pictures, make_exif, OTHER).items():
        found = read(content)
        assert [item.label for item in found.labels] == [OTHER], name
        assert found.state is State.PRESENT, name
        written = write(content, label)
        assert [item.label for item in read(written.content).labels] == [label], name
        place = found.labels[0].place
        assert written.notes == (f"an earlier AIGC label has been replaced: {place}",)
        assert b"other" not in written.content.replace(b"\0", b"")
        for old, new in zip(frames(content), frames(written.content), strict=True):
            np.testing.assert_array_equal(old, new)
        with Image.open(io.BytesIO(written.content)) as picture:
            assert picture.getexif().get(0x0112) == (6 if "Comment" in name else None)


def test_states_tell_copies_from_contradictions(
    pictures: dict[str, bytes], label: AigcLabel
) -> None:
    labeled = write(pictures["png"], label).content
    copy = png_with(labeled, b"tEXt", b"AIGC\0" + wrapped(label))
    other = png_with(labeled, b"tEXt", b"AIGC\0" + wrapped(OTHER))
    broken = png_with(labeled, b"tEXt", b"AIGC\0" + wrapped(label)[:-9])
    assert read(pictures["png"]).state is State.ABSENT
    assert read(copy).state is State.PRESENT
    assert len(read(copy).labels) == 2
    assert read(other).state is State.CONFLICTING
    assert read(broken).state is State.MALFORMED
    name = json.dumps({"AIGC": {"Label": "1", "ContentProducer": "某公司"}})
    found = read(png_with(pictures["png"], b"tEXt", b"AIGC\0" + name.encode()))
    assert found.state is State.MALFORMED
    assert found.labels[0].label is not None
    assert found.labels[0].label.content_producer == "某公司"
    assert found.labels[0].raw == name


def test_broken_packet_is_replaced_with_a_note(
    pictures: dict[str, bytes], label: AigcLabel
) -> None:
    note = "the XMP packet was unreadable and has been replaced"
    for packet in (b"junk", b"<!DOCTYPE x [<!ENTITY a 'AIGC'>]><x>&a;</x>", b""):
        content = jpeg_with(pictures["jpeg"], XMP + packet)
        found = read(content)
        assert found.problems[0].startswith("unreadable XMP")
        assert bool(found.labels) == (b"AIGC" in packet)
        written = write(content, label)
        assert note in written.notes
        assert read(written.content).problems == ()


def test_first_readable_packet_is_the_one_that_is_kept(
    pictures: dict[str, bytes], label: AigcLabel
) -> None:
    packets = [
        f'<r:RDF xmlns:r="{xmp.RDF}"><r:Description xmlns:n="u" n:x="{name}"/>'
        "</r:RDF>".encode()
        for name in ("first", "second")
    ]
    content = jpeg_with(
        pictures["jpeg"], XMP + b"junk", XMP + packets[0], XMP + packets[1]
    )
    written = write(content, label)
    assert b"first" in written.content
    assert b"second" not in written.content
    assert "a further XMP packet has been dropped" in written.notes


def test_label_in_extended_xmp_cannot_be_replaced_silently(
    pictures: dict[str, bytes], label: AigcLabel
) -> None:
    packet = xmp.edit(None, aigc.to_json(OTHER), None)
    size = len(packet).to_bytes(4, "big")
    part = b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + size + bytes(4)
    content = jpeg_with(pictures["jpeg"], part + packet)
    assert read(content).labels[0].place == "extended XMP"
    with pytest.raises(MetadataError, match="extended XMP"):
        write(content, label)


def test_packet_that_no_longer_fits_is_a_clear_error(
    pictures: dict[str, bytes], label: AigcLabel
) -> None:
    text = "x" * 65_200
    packet = (
        f'<r:RDF xmlns:r="{xmp.RDF}"><r:Description xmlns:n="u" n:x="{text}"/></r:RDF>'
    ).encode()
    content = jpeg_with(pictures["jpeg"], XMP + packet)
    with pytest.raises(MetadataError, match="65502"):
        write(content, label)
    data = b"XML:com.adobe.xmp\0\0\0\0\0" + packet
    assert (
        text.encode() in write(png_with(pictures["png"], b"iTXt", data), label).content
    )


def test_file_stuffed_with_metadata_is_refused(
    pictures: dict[str, bytes], label: AigcLabel
) -> None:
    content = pictures["png"]
    for _ in range(9):
        content = png_with(content, b"zTXt", b"AIGC-x\0\0")
    assert "more than 8" in read(content).problems[0]
    with pytest.raises(MediaTooLarge):
        write(content, label)


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xd8", png.SIGNATURE[:-1], b"RIFF\0\0\0\0WAVE", b"BM", b"GIF88a"],
)
def test_other_files_are_refused(content: bytes, label: AigcLabel) -> None:
    with pytest.raises(UnsupportedFormat):
        read(content)
    with pytest.raises(UnsupportedFormat):
        write(content, label)


@every_picture
def test_truncation_anywhere_is_a_problem_and_never_a_crash(
    pictures: dict[str, bytes], label: AigcLabel, kind: str
) -> None:
    content = write(pictures[kind], label).content
    signature = SIGNATURE_BYTES.get(kind.split(",")[0], 12)
    for length in range(signature, len(content), 1 if len(content) < 2500 else 7):
        assert read(content[:length]).problems
        with pytest.raises(DamagedMedia):
            write(content[:length], label)


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@every_container
def test_flipped_bytes_never_crash(
    pictures: dict[str, bytes], label: AigcLabel, kind: str, data: st.DataObject
) -> None:
    content = bytearray(write(pictures[kind], label).content)
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(12, len(content) - 1))] = data.draw(
            st.integers(0, 255)
        )
    assert read(bytes(content)).state in State
    try:
        written = write(bytes(content), OTHER)
    except (DamagedMedia, MetadataError):
        return
    assert read(written.content).labels[0].label == OTHER


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool not installed")
@every_picture
def test_exiftool_agrees(
    pictures: dict[str, bytes], label: AigcLabel, kind: str, tmp_path: Path
) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.write_bytes(pictures[kind])
    after.write_bytes(write(pictures[kind], label).content)
    tags = ["-aigc", "-digitalsourcetype", "-subject", "-validate", "-warning"]
    tags += ["-orientation", "-comment", "-xresolution", "-framecount", "-pagecount"]
    command = ["exiftool", "-json", "-a", *tags, str(before), str(after)]
    output = subprocess.run(command, capture_output=True, check=True).stdout
    old, new = json.loads(output)
    assert aigc.parse(new["Aigc"]).label == label
    assert new["DigitalSourceType"] == TRAINED_ALGORITHMIC_MEDIA
    for tag in {*old, "Warning"} - {"SourceFile"}:
        assert new.get(tag) == old.get(tag)
