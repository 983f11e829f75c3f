from __future__ import annotations

import io
import time
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark.labeling.errors import ManifestError
from synthmark.labeling.model import State
from synthmark.labeling.provenance import store
from synthmark.labeling.provenance.manifest import has_manifest, read
from synthmark.labeling.provenance.manifest import sign as sign_whole
from synthmark.labeling.provenance.store import is_container, opened, refusal


def sign(*given, **named):
    """Return the signed file alone, without the store."""
    return sign_whole(*given, **named)[0]


TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
}
LONGER = "a string in the manifest claims to be longer than it"
HEADS = [b"\xff\xd8\xff", b"\x89PNG", b"GIF89a", b"II*\0", b"RIFF", b"\0\0\0\x20ftyp"]


def box(kind, content):
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def superbox(*children):
    return box(b"jumb", box(b"jumd", bytes(17)) + b"".join(children))


def inflated(content, string, width):
    """Let a text in CBOR claim 2 GB or more."""
    position = content.rindex(string) - 1
    head = content[position]
    assert head >> 5 == 3
    length = (1 << 31).to_bytes(width, "big")
    claim = bytes([0x60 | {4: 26, 8: 27}[width]]) + length
    return content[:position] + claim + content[position + len(claim) :]


@pytest.mark.parametrize("width", [4, 8])
@pytest.mark.parametrize("kind", TYPES)
def test_string_that_claims_gigabytes_is_refused_at_once(
    picture, claim, signer, kind, width
):
    content = sign(picture(kind), TYPES[kind], claim, signer)
    content = sign(picture(kind), TYPES[kind], claim, signer, parent=content)
    assert refusal(content) == ""
    hostile = inflated(content, b"painter", width)
    start = time.perf_counter()
    reading = read(hostile)
    assert time.perf_counter() - start < 0.2
    assert (reading.state, reading.detail) == (State.MALFORMED, LONGER)
    assert not has_manifest(hostile)
    with pytest.raises(ManifestError, match="cannot be kept"):
        sign(picture(), "image/jpeg", claim, signer, parent=hostile)


@pytest.mark.parametrize("kind", ["JPEG", "GIF"])
def test_store_in_many_pieces_is_put_together(picture, claim, signer, kind):
    long = replace(claim, title="x" * 200_000)
    content = sign(picture(kind), TYPES[kind], long, signer)
    assert refusal(content) == ""
    assert read(content).state is State.UNTRUSTED
    hostile = inflated(content, b"sha256", 4)
    assert refusal(hostile) == LONGER


@pytest.mark.parametrize("place", range(40, 72))
def test_nothing_hides_where_one_window_ends(place, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "WINDOW", 64)
    bomb = b"\x5b" + (1 << 40).to_bytes(8, "big")
    content = b"RIFF".ljust(place, b"\0") + superbox(box(b"cbor", bomb)) + bytes(200)
    assert refusal(content) == LONGER
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with opened(path) as (whole, _):
        assert refusal(whole) == LONGER


def test_boxes_with_long_lengths_are_seen_through():
    bomb = b"\x5b" + (1 << 40).to_bytes(8, "big")
    inner = box(b"cbor", bomb)
    long_inner = b"\0\0\0\1cbor" + (16 + len(bomb)).to_bytes(8, "big") + bomb
    open_inner = b"\0\0\0\0cbor" + bomb
    long_outer = b"\0\0\0\1jumb" + (99).to_bytes(8, "big") + box(b"jumd", b"") + inner
    for boxes in (
        superbox(inner),
        superbox(superbox(inner)),
        superbox(box(b"free", b"1234"), long_inner),
        superbox(open_inner),
        long_outer,
    ):
        assert refusal(b"\x89PNG" + boxes) == LONGER
    assert refusal(b"\x89PNG" + superbox(box(b"free", bomb))) == ""


@pytest.mark.parametrize(
    "cbor",
    [
        b"",
        b"\x60",
        b"\x43abc",
        b"\x9f\x61a\xff",
        b"\xbf\x61a\xf9\x3c\x00\xff",
        b"\x5f\x41a\x42bc\xff",
        b"\xd8\x20\x63abc",
        b"\x1b" + b"\xff" * 8,
        b"\xfb" + b"\xff" * 8,
    ],
)
def test_well_formed_cbor_is_let_through(cbor):
    assert refusal(b"\x89PNG" + superbox(box(b"cbor", cbor))) == ""


def test_compressed_manifests_are_refused():
    store = superbox(superbox(box(b"brob", b"\0")))
    assert refusal(b"\x89PNG" + store) == "the manifest is compressed"


@pytest.mark.parametrize(
    "store",
    [
        superbox(*[box(b"free", b"")] * 200_000),
        b"".join(superbox() for _ in range(200_000)),
        superbox(box(b"cbor", b"\0" * 3_000_000)),
    ],
)
def test_looking_takes_bounded_time(store):
    start = time.perf_counter()
    assert refusal(b"\x89PNG" + store) == "the manifest store has too many parts"
    assert time.perf_counter() - start < 2


@given(
    st.sampled_from(HEADS),
    st.lists(
        st.binary(max_size=20)
        | st.sampled_from(
            [b"jumb", b"jumd", b"cbor", b"\xff\xeb", b"JP", b"\0\0\0\1", b"\0\0\0\x20"]
        )
    ),
)
def test_any_bytes_are_looked_at_without_an_exception(head, parts):
    content = head + b"".join(parts)
    assert is_container(content)
    assert isinstance(refusal(content), str)


@pytest.mark.parametrize(
    "content", [b"", b"RTF", b"<html>", b"PK\3\4", b"\x1aE\xdf\xa3"]
)
def test_other_containers_are_left_alone(content):
    assert not is_container(content)


def test_a_store_that_is_packed_inside_a_pdf_is_not_let_through():
    import pikepdf

    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        stream = pdf.make_stream(
            zlib.compress(b"jumb"), Filter=pikepdf.Name.FlateDecode
        )
        pdf.Root.AF = [
            pikepdf.Dictionary(
                Type=pikepdf.Name.Filespec,
                AFRelationship=pikepdf.Name.C2PA_Manifest,
                EF=pikepdf.Dictionary(F=stream),
            )
        ]
        file = io.BytesIO()
        pdf.save(file, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    assert refusal(file.getvalue()) == "the manifest is compressed"
    assert refusal(b"%PDF-1.7" + bytes(100)) == "the PDF document cannot be read"
