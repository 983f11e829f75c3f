"""The write path: every layer, every kind of source, and no half files."""

from __future__ import annotations

import dataclasses
import io
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from synthmark import Home, Labeler, Payload
from synthmark.labeling import picture
from synthmark.labeling.errors import (
    DamagedMedia,
    ManifestError,
    MediaError,
    OutputError,
    OutputExists,
    RecordError,
    RecordStoreBusy,
    RecordStoreDamaged,
    UnsupportedFormat,
    UsageError,
)
from synthmark.labeling.metadata import image as metadata
from synthmark.labeling.model import Detection, Layer
from synthmark.labeling.provenance import manifest
from synthmark.labeling.records.store import RecordStore

TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


@pytest.fixture
def labeler() -> Iterator[Labeler]:
    """A labeler with a home of its own."""
    made = Home().labeler()
    yield made
    assert made.records is not None
    made.records.close()


@pytest.fixture(scope="module")
def small(make_scene: Callable[..., Any]) -> Any:
    """A picture that is labeled quickly."""
    return make_scene(128, 160, seed=2)


def records(labeler: Labeler) -> list[Any]:
    assert labeler.records is not None
    return list(labeler.records.records())


def written(result: Any) -> dict[str, bool]:
    return {layer.layer.value: layer.written for layer in result.layers}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "home")


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_every_layer_is_written_and_says_how(studio: Any, kind: str) -> None:
    result = getattr(studio, kind)
    assert written(result) == {layer.value: True for layer in Layer}
    assert result.complete
    assert result.media_type == f"image/{kind}"
    assert Image.open(io.BytesIO(result.content)).format == kind.upper()
    mark = result.layer(Layer.MARK).detail
    assert mark["psnr_db"] > 38
    assert mark["key_id"] == studio.labeler.key.id
    notice = result.layer(Layer.NOTICE).detail
    assert notice["ink_height_px"] >= 0.05 * 256
    assert notice["contrast"] >= 4.5
    assert result.layer(Layer.IPTC).detail == {"source_type": TRAINED}
    assert result.layer(Layer.C2PA).detail["action"] == "c2pa.created"
    assert result.layer(Layer.C2PA).detail["development"] is True


def test_the_layers_refer_to_each_other(studio: Any) -> None:
    result = studio.png
    label = metadata.read(result.content).labels[0].label
    assert label
    assert label.label == "1"
    assert label.content_producer == label.content_propagator
    assert label.produce_id == label.propagate_id == result.produce_id
    sealed = manifest.read(result.content)
    assert sealed.label == label
    assert sealed.payload == result.payload
    assert sealed.mark_scheme == "image-lattice/1"
    assert sealed.source_types == ("trainedAlgorithmicMedia",)
    (record,) = studio.labeler.records.find(produce_id=result.produce_id)
    assert record.payload == result.payload
    assert record.sha256_before == result.sha256_before
    assert record.sha256_after == result.sha256_after
    assert record.layers == ("notice", "mark", "aigc", "iptc", "c2pa")
    assert record.sequence == result.layer(Layer.RECORD).detail["sequence"]


def test_what_the_caller_chose_is_in_the_layers(small: Any) -> None:
    labeler = Home().labeler(
        producer="001191110102MACQD9K64010000",
        issuer=77,
        service="face",
        consent="C-1",
        wording="AI合成",
        corner="top-left",
        software_agent="painter 3",
    )
    result = labeler.label(small)
    assert result.payload
    assert result.payload.issuer == 77
    label = metadata.read(result.content).labels[0].label
    assert label
    assert label.content_producer == "001191110102MACQD9K64010000"
    notice = result.layer(Layer.NOTICE).detail
    assert notice["text"] == "AI合成"
    assert notice["box"]["left"] < 20 > notice["box"]["top"]
    assert records(labeler)[0].service == "face"
    # The agent is not among what a reading shows, but in the manifest's JSON.
    assert b"painter 3" in result.content


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        ("service", "faces", "unknown service"),
        ("jurisdictions", ("xx",), "unknown jurisdiction"),
        ("jurisdictions", (), "none given"),
        ("issuer", -1, "issuer -1 is outside"),
        ("issuer", 1 << 20, "is outside"),
        ("producer", "", "ContentProducer of the AIGC label is empty"),
        ("producer", "某某公司", "characters outside"),
        ("wording", "made by a machine", "lacks"),
        ("wording", "AI", "lacks the generation element"),
        ("wording", "", "no wording"),
        ("wording", "AI生成" * 20, "characters"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_the_first_file(
    option: str, value: Any, problem: str
) -> None:
    with pytest.raises(UsageError, match=problem) as caught:
        Home().labeler(**{option: value})
    assert option == "issuer" or caught.value.hint


def test_an_unknown_corner_is_refused(labeler: Labeler, small: Any) -> None:
    with pytest.raises(UsageError, match="no corner 'middle'"):
        dataclasses.replace(labeler, corner="middle").label(small)
    assert records(labeler) == []


def test_every_kind_of_source_is_taken(
    labeler: Labeler, small: Any, save: Callable[..., bytes], tmp_path: Path
) -> None:
    content = save(small, "JPEG", quality=95)
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    image = Image.open(path)
    for source, media_type, origin in (
        (str(path), "image/jpeg", str(path)),
        (path, "image/jpeg", str(path)),
        (content, "image/jpeg", None),
        (image, "image/png", None),
        (small, "image/png", None),
    ):
        result = labeler.label(source)
        assert result.complete
        assert result.media_type == media_type
        assert result.source == origin
        assert result.target is None
    assert path.read_bytes() == content
    assert labeler.records
    assert labeler.records.verify().count == 5


def test_the_name_of_the_target_decides_the_format(
    labeler: Labeler, small: Any, tmp_path: Path
) -> None:
    for name, kind in (("a.png", "PNG"), ("b.JPG", "JPEG"), ("c.webp", "WEBP")):
        result = labeler.label(small, tmp_path / name)
        assert result.complete
        assert result.target == str(tmp_path / name)
        assert (tmp_path / name).read_bytes() == result.content
        assert Image.open(io.BytesIO(result.content)).format == kind
    assert [record.target for record in records(labeler)] == [
        "a.png",
        "b.JPG",
        "c.webp",
    ]
    for name in ("d.gif", "e"):
        with pytest.raises(UnsupportedFormat) as caught:
            labeler.label(small, tmp_path / name)
        assert caught.value.path == tmp_path / name
    assert names(tmp_path) == ["a.png", "b.JPG", "c.webp"]


KINDS: dict[str, tuple[Callable[[Any], Image.Image], str, str]] = {
    "black and white": (
        lambda rgb: Image.fromarray(rgb).convert("1"),
        "PNG",
        "black and white was converted to grey",
    ),
    "a palette": (
        lambda rgb: Image.fromarray(rgb).quantize(64),
        "PNG",
        "palette was converted",
    ),
    "CMYK": (
        lambda rgb: Image.fromarray(rgb).convert("CMYK"),
        "JPEG",
        "CMYK was converted to RGB",
    ),
    "16 bits": (
        lambda rgb: Image.fromarray(rgb[..., 0].astype(np.uint16) * 257),
        "PNG",
        "16 bits per channel were reduced to 8",
    ),
    "grey": (lambda rgb: Image.fromarray(rgb).convert("L"), "PNG", ""),
    "grey JPEG": (lambda rgb: Image.fromarray(rgb).convert("L"), "JPEG", ""),
    "transparency": (
        lambda rgb: Image.fromarray(
            np.dstack([rgb, np.tile(np.linspace(0, 255, 160).astype("u1"), (128, 1))])
        ),
        "PNG",
        "",
    ),
    "grey with transparency": (
        lambda rgb: Image.fromarray(rgb).convert("LA"),
        "PNG",
        "was converted to RGBA",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_picture_is_labeled(
    labeler: Labeler, small: Any, save: Callable[..., bytes], kind: str
) -> None:
    make, container, note = KINDS[kind]
    result = labeler.label(save(make(small), container))
    assert result.complete
    assert note in " ".join(result.notes)
    report = Home().detector().detect(result.content)
    assert report.verdict == "confirmed"
    assert report.payload == result.payload
    assert report.findings == ()
    after = Image.open(io.BytesIO(result.content))
    expected = {"transparency": "RGBA", "grey": "L", "grey JPEG": "L"}
    assert after.mode == expected.get(kind, after.mode)


def test_a_turned_photograph_gets_its_notice_where_people_look(
    labeler: Labeler, save: Callable[..., bytes], make_scene: Callable[..., Any]
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = save(make_scene(160, 240), "JPEG", quality=95, exif=exif.tobytes())
    result = labeler.label(content)
    box = result.layer(Layer.NOTICE).detail["box"]
    shown = Image.open(io.BytesIO(result.content))
    assert shown.getexif()[0x0112] == 6
    assert shown.size == (240, 160)
    # As displayed the picture stands upright, 160 wide and 240 high.
    assert box["left"] + box["width"] > 140
    assert box["top"] + box["height"] > 220
    found = Home().detector().detect(result.content).layer(Layer.NOTICE)
    assert found.detail["notices"][0]["box"]["top"] > 180


@pytest.mark.parametrize("side", [1, 16])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_tiny_picture_gets_the_layers_that_it_has_room_for(
    labeler: Labeler, save: Callable[..., bytes], side: int, kind: str
) -> None:
    tiny = np.full((side, side, 3), 90, np.uint8)
    result = labeler.label(save(tiny, kind))
    assert not result.complete
    assert result.payload is None
    assert written(result) == {
        "notice": False,
        "mark": False,
        "aigc": True,
        "iptc": True,
        "c2pa": True,
        "record": True,
    }
    assert result.layer(Layer.NOTICE).reason == "too_small_for_notice"
    assert result.layer(Layer.MARK).reason == "too_small_for_mark"
    report = Home().detector().detect(result.content)
    assert report.verdict == "confirmed"
    assert report.findings == ()
    assert manifest.read(result.content).payload is None
    assert records(labeler)[0].layers == ("aigc", "iptc", "c2pa")


def test_a_notice_cut_short_for_want_of_room_is_told(
    labeler: Labeler, make_scene: Callable[..., Any]
) -> None:
    result = labeler.label(make_scene(600, 60))
    assert result.layer(Layer.NOTICE).detail["text"] == "AI生成"
    assert "the picture had no room for the whole notice" in result.notes


def test_an_existing_target_is_refused_before_the_work(
    labeler: Labeler, small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def embed(*_: Any, **__: Any) -> None:
        raise AssertionError("the work has begun")

    monkeypatch.setattr(picture, "embed_image", embed)
    target = tmp_path / "a.png"
    target.write_bytes(b"old")
    with pytest.raises(OutputExists) as caught:
        labeler.label(small, target)
    assert caught.value.path == target
    with pytest.raises(OutputError, match="no such file"):
        labeler.label(small, tmp_path / "missing" / "a.png")
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["a.png"]
    assert records(labeler) == []


def test_a_target_is_replaced_when_asked(
    labeler: Labeler, small: Any, tmp_path: Path
) -> None:
    target = tmp_path / "a.png"
    target.write_bytes(b"old")
    result = labeler.label(small, target, overwrite=True)
    assert target.read_bytes() == result.content
    assert names(tmp_path) == ["a.png"]


def test_without_a_record_there_is_no_file(
    labeler: Labeler, small: Any, tmp_path: Path
) -> None:
    assert labeler.records
    path = labeler.records.path
    impatient = RecordStore(path, timeout_s=0.05)
    quick = dataclasses.replace(labeler, records=impatient)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(RecordStoreBusy, match="held by another") as caught:
            quick.label(small, tmp_path / "a.png")
    finally:
        other.close()
    assert caught.value.path == path
    assert caught.value.hint
    assert names(tmp_path) == []
    path.write_bytes(b"damaged" * 2000)
    with pytest.raises(RecordStoreDamaged) as damaged:
        quick.label(small, tmp_path / "a.png")
    assert damaged.value.path == path
    assert names(tmp_path) == []


def test_the_record_is_written_before_the_file_appears(
    labeler: Labeler, small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: Any) -> None:
        raise FileExistsError

    monkeypatch.setattr("os.link", link)
    with pytest.raises(OutputExists):
        labeler.label(small, tmp_path / "a.png")
    assert names(tmp_path) == []
    (record,) = records(labeler)
    assert record.target == "a.png"


def test_without_a_log_a_labeler_still_labels(labeler: Labeler, small: Any) -> None:
    result = dataclasses.replace(labeler, records=None).label(small)
    assert result.complete
    assert "record" not in written(result)


def test_a_payload_that_is_taken_is_drawn_anew(
    labeler: Labeler, small: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, free = Payload(issuer=0, serial=1), Payload(issuer=0, serial=2)
    draws = iter([taken, taken, taken, free])
    monkeypatch.setattr(Payload, "random", lambda _issuer: next(draws))
    assert labeler.label(small).payload == taken
    assert labeler.label(small).payload == free


def test_a_payload_that_was_taken_meanwhile_leaves_no_file(
    labeler: Labeler, small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Payload, "random", lambda _issuer: Payload(issuer=0, serial=1))
    labeler.label(small)
    monkeypatch.setattr(RecordStore, "payload_taken", lambda *_: False)
    with pytest.raises(RecordError, match="stands for another item"):
        labeler.label(small, tmp_path / "a.png")
    assert names(tmp_path) == []


def test_a_mark_that_does_not_read_back_is_made_stronger(
    labeler: Labeler, small: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    detect, calls = picture.detect_image, 0

    def fail_once(*arguments: Any) -> Detection:
        nonlocal calls
        calls += 1
        if calls == 1:
            return Detection(
                found=False, payload=None, p_value=1.0, score=0.0, scheme=""
            )
        return detect(*arguments)

    monkeypatch.setattr(picture, "detect_image", fail_once)
    result = labeler.label(small)
    assert result.complete
    assert result.layer(Layer.MARK).detail["strength"] == 1.4


def test_a_mark_that_never_reads_back_is_left_out_and_told(
    labeler: Labeler, small: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = Detection(found=False, payload=None, p_value=1.0, score=0.0, scheme="")
    with monkeypatch.context() as patch:
        patch.setattr(picture, "detect_image", lambda *_: nothing)
        result = labeler.label(small)
    assert not result.complete
    assert result.layer(Layer.MARK).reason == "mark_not_readable"
    assert result.payload is None
    report = Home().detector().detect(result.content)
    assert report.layer(Layer.MARK).state == "absent"
    assert report.findings == ()
    assert manifest.read(result.content).payload is None
    assert records(labeler)[0].payload is None


@pytest.mark.parametrize("what", ["label", "picture", "seal"])
def test_a_file_that_does_not_read_back_never_appears(
    labeler: Labeler,
    small: Any,
    tmp_path: Path,
    what: str,
    monkeypatch: pytest.MonkeyPatch,
    edit_png: Callable[..., bytes],
) -> None:
    def sign_badly(content: bytes, *arguments: Any, **options: Any) -> Any:
        signed, store = manifest_sign(content, *arguments, **options)
        if what == "seal":
            return signed[:-20] + bytes([signed[-20] ^ 1]) + signed[-19:], store
        if what == "label":
            label = metadata.read(content).labels[0].label
            assert label
            other = dataclasses.replace(label, produce_id="other")
            content = metadata.write(content, other).content
        else:
            black = Image.fromarray(np.zeros_like(small))
            file = io.BytesIO()
            black.save(file, "PNG")
            label = metadata.read(content).labels[0].label
            assert label
            content = metadata.write(file.getvalue(), label).content
        return manifest_sign(content, *arguments, **options)

    manifest_sign = manifest.sign
    monkeypatch.setattr(manifest, "sign", sign_badly)
    with pytest.raises((ManifestError, MediaError)):
        labeler.label(small, tmp_path / "a.png")
    assert names(tmp_path) == []
    assert records(labeler) == []


def test_a_labeled_file_that_is_labeled_again_keeps_its_history(
    labeler: Labeler, small: Any
) -> None:
    first = labeler.label(small)
    again = labeler.label(first.content)
    assert again.complete
    assert again.payload != first.payload
    assert again.layer(Layer.C2PA).detail["action"] == "c2pa.opened"
    reading = metadata.read(again.content)
    assert [found.label.produce_id for found in reading.labels if found.label] == [
        again.produce_id
    ]
    sealed = manifest.read(again.content)
    assert [one.relationship for one in sealed.ingredients] == ["parentOf"]
    report = Home().detector().detect(again.content)
    assert report.payload == again.payload
    assert report.layer(Layer.C2PA).state == "trusted"
    assert report.findings == ()


def test_a_file_with_a_broken_manifest_can_be_labeled_anew(
    labeler: Labeler, small: Any, edit_png: Callable[..., bytes]
) -> None:
    first = labeler.label(small)
    for name, edit in (
        (b"iTXt", lambda data: data.replace(b'"Label":"1"', b'"Label":"2"')),
        (b"caBX", lambda data: data[: len(data) // 2]),
    ):
        result = labeler.label(edit_png(first.content, name, edit))
        assert result.complete
        report = Home().detector().detect(result.content)
        assert report.layer(Layer.C2PA).state == "trusted"
        assert report.findings == ()


def test_labels_that_contradict_each_other_become_one(
    labeler: Labeler, small: Any, save: Callable[..., bytes]
) -> None:
    def packet(number: str) -> str:
        label = json.dumps(
            {"Label": "1", "ContentProducer": "acme", "ProduceID": number}
        )
        return (
            '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf='
            '"http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
            'xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/">'
            f"<TC260:AIGC>{label}</TC260:AIGC>"
            f"</rdf:Description></rdf:RDF></x:xmpmeta>{' ' * 8}"
        )

    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_itxt("XML:com.adobe.xmp", packet("one"))
    text.add_itxt("AIGC", json.dumps({"Label": "2", "ProduceID": "two"}))
    content = save(small, "PNG", pnginfo=text)
    assert metadata.read(content).state == "conflicting"
    result = labeler.label(content)
    assert result.complete
    assert len([note for note in result.notes if "label has been replaced" in note])
    (found,) = metadata.read(result.content).labels
    assert found.label
    assert found.label.produce_id == result.produce_id


def test_broken_xmp_is_replaced_and_told(
    labeler: Labeler, small: Any, save: Callable[..., bytes]
) -> None:
    content = save(small, "JPEG", quality=95, xmp=b"<x:xmpmeta broken")
    result = labeler.label(content)
    assert result.complete
    assert "the XMP packet was unreadable and has been replaced" in result.notes
    assert Home().detector().detect(result.content).findings == ()


def test_what_cannot_be_labeled_leaves_everything_as_it_was(
    labeler: Labeler, small: Any, save: Callable[..., bytes], tmp_path: Path
) -> None:
    see_through = np.dstack([small, np.full(small.shape[:2], 128, np.uint8)])
    cases = (
        (save(small)[:500], "a.png", DamagedMedia),
        (b"", "a.png", DamagedMedia),
        (b"BM" + bytes(50), "a.png", UnsupportedFormat),
        (b"GIF89a" + bytes(50), "a.gif", DamagedMedia),
        (save(see_through), "a.jpg", UsageError),
    )
    source = tmp_path / "source"
    for content, target, error in cases:
        source.write_bytes(content)
        with pytest.raises(error) as caught:
            labeler.label(source, tmp_path / target)
        assert caught.value.path == source
        assert source.read_bytes() == content
        assert names(tmp_path) == ["source"]
    assert records(labeler) == []


@pytest.mark.parametrize("kind", ["tiff", "avif"])
@pytest.mark.parametrize("mode", ["L", "P", "RGB", "CMYK"])
def test_other_formats_of_pictures_are_labeled_too(
    small: Any, save: Callable[..., bytes], tmp_path: Path, kind: str, mode: str
) -> None:
    source = "png" if mode == "P" else "tiff"
    content = save(Image.fromarray(small).convert(mode), source)
    home = Home()
    result = home.labeler(records=None).label(content, tmp_path / f"a.{kind}")
    assert all(written(result).values())
    assert result.media_type == f"image/{kind}"
    report = home.detector().detect(tmp_path / f"a.{kind}")
    assert report.payload == result.payload
    assert [item.state.value for item in report.evidence[:4]] == ["present"] * 4


def test_results_become_json_without_the_content(studio: Any) -> None:
    document = json.loads(json.dumps(studio.png.to_dict()))
    assert document["complete"] is True
    assert "content" not in document
    assert document["payload"]["hex"] == str(studio.png.payload)
    assert [item["layer"] for item in document["layers"]] == [*map(str, Layer)]
