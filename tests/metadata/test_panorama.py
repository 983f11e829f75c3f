"""What a file says about being a 360-degree picture."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from synthmark.labeling.errors import MetadataError
from synthmark.labeling.metadata.panorama import Panorama, read, read_packet
from synthmark.labeling.notices.view import View
from synthmark.labeling.panorama import default_view

GPANO = "http://ns.google.com/photos/1.0/panorama/"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
SIZES = {
    "FullPanoWidthPixels": "4096",
    "FullPanoHeightPixels": "2048",
    "CroppedAreaImageWidthPixels": "4096",
    "CroppedAreaImageHeightPixels": "2048",
}


def packet(*, elements: bool = False, **values: str) -> bytes:
    """Make a packet with properties as attributes or as elements."""
    given = {"ProjectionType": "equirectangular", **values}
    form = "<GPano:{0}>{1}</GPano:{0}>" if elements else ' GPano:{0}="{1}"'
    said = "".join(form.format(name, value) for name, value in given.items())
    inside = f">{said}</rdf:Description>" if elements else f"{said}/>"
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">'
        f'<rdf:Description rdf:about="" xmlns:GPano="{GPANO}"{inside}'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


@pytest.mark.parametrize("elements", [False, True])
def test_projection_and_first_view_are_read(elements: bool) -> None:
    values = {
        "InitialViewHeadingDegrees": "100",
        "PoseHeadingDegrees": "350.5",
        "InitialViewPitchDegrees": "-12.5",
        "InitialViewRollDegrees": "3",
        "InitialHorizontalFOVDegrees": "75",
    }
    found = read_packet(packet(elements=elements, **SIZES, **values))
    assert found == Panorama(
        equirectangular=True,
        whole=True,
        yaw_deg=109.5,
        pitch_deg=-12.5,
        roll_deg=3.0,
        fov_deg=75.0,
    )


def test_without_more_the_view_is_that_of_the_middle() -> None:
    # The compass says nothing about where to look.
    found = read_packet(packet(PoseHeadingDegrees="90"))
    assert found == Panorama(equirectangular=True, whole=True)


def test_a_part_of_a_sphere_and_another_projection_are_told() -> None:
    part = read_packet(packet(**SIZES | {"CroppedAreaImageHeightPixels": "900"}))
    assert part is not None
    assert not part.whole
    other = read_packet(packet(ProjectionType="cylindrical"))
    assert other is not None
    assert not other.equirectangular


@pytest.mark.parametrize(
    "value", ["", "nan", "inf", "1e3", "-91", "12deg", "9" * 400, "0x10"]
)
def test_a_number_that_cannot_be_meant_counts_as_absent(value: str) -> None:
    found = read_packet(packet(InitialViewPitchDegrees=value))
    assert found == Panorama(equirectangular=True, whole=True)


def test_other_metadata_is_no_panorama() -> None:
    assert read_packet(packet().replace(b"GPano:ProjectionType", b"GPano:x")) is None
    assert read_packet(packet().replace(GPANO.encode(), b"http://other/")) is None
    with pytest.raises(MetadataError):
        read_packet(b"<x")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_it_is_read_from_files(kind: str) -> None:
    file = io.BytesIO()
    said = packet(**SIZES)
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", said.decode())
    options = {"pnginfo": info} if kind == "PNG" else {"xmp": said}
    Image.new("RGB", (64, 32)).save(file, kind, **options)
    assert read(file.getvalue()) == Panorama(equirectangular=True, whole=True)


def test_files_without_it_say_nothing() -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 32)).save(file, "PNG")
    assert read(file.getvalue()) is None
    assert read(b"GIF89a") is None
    assert read(b"") is None
    file = io.BytesIO()
    Image.new("RGB", (64, 32)).save(file, "JPEG", xmp=b"<broken")
    assert read(file.getvalue()) is None


# What follows for the notice


def jpeg(**values: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 32)).save(file, "JPEG", xmp=packet(**values))
    return file.getvalue()


def test_the_first_view_is_that_of_the_file() -> None:
    values = {"InitialViewHeadingDegrees": "350", "InitialViewPitchDegrees": "5"}
    assert default_view(jpeg(**SIZES, **values)) == View(yaw_deg=-10, pitch_deg=5)
    wide = {"InitialHorizontalFOVDegrees": "170"}
    assert default_view(jpeg(**wide)) == View(fov_deg=120)


def test_flat_pictures_and_parts_of_a_sphere_have_none() -> None:
    assert default_view(jpeg(ProjectionType="cylindrical")) is None
    part = SIZES | {"CroppedAreaImageWidthPixels": "1000"}
    assert default_view(jpeg(**part)) is None
    file = io.BytesIO()
    Image.new("RGB", (64, 32)).save(file, "JPEG")
    assert default_view(file.getvalue()) is None
