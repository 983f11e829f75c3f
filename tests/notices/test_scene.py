"""The notice on the start screen of a scene: picture, model, description."""

from __future__ import annotations

import io
import json
import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from synthmark.labeling.errors import TooSmallForNotice, UsageError
from synthmark.labeling.notices.find import find
from synthmark.labeling.notices.scene import Schedule, StartScreen, start_screen
from synthmark.labeling.notices.sphere import SPHERE_PLACES

DOCS = Path(__file__).resolve().parents[2] / "docs" / "json.md"
ENGLISH = "AI生成 · AI-generated"
SCREENS = [(1920, 1080), (1080, 2400), (1024, 1024), (640, 360)]


def pixels(made: StartScreen) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(made.png)))


def over(layer: NDArray[np.uint8], ground: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay a picture with alpha over another one, as an engine does."""
    alpha = layer[..., 3:].astype(np.float64) / 255
    mixed = layer[..., :3] * alpha + ground * (1 - alpha)
    return np.rint(mixed).astype(np.uint8)


@pytest.mark.parametrize(("width", "height"), SCREENS)
@pytest.mark.parametrize("kind", ["black", "white", "noise"])
def test_it_is_found_on_any_ground(kind: str, width: int, height: int) -> None:
    ground = np.zeros((height, width, 3), np.uint8)
    if kind == "white":
        ground += 255
    if kind == "noise":
        ground = np.random.default_rng(1).integers(0, 256, ground.shape, np.uint8)
    made = start_screen(width, height, ENGLISH)
    (found,) = find(over(pixels(made), ground))
    assert found.text == ENGLISH
    assert found.tall_enough
    box = made.description["box"]
    assert box["left"] <= found.box.left
    assert box["top"] <= found.box.top
    assert found.box.left + found.box.width <= box["left"] + box["width"]


@pytest.mark.parametrize("place", SPHERE_PLACES)
def test_the_picture_is_clear_but_for_the_plate(place: str) -> None:
    made = start_screen(800, 600, ENGLISH, place=place)
    layer = pixels(made)
    assert layer.shape == (600, 800, 4)
    box = made.description["box"]
    rows, columns = (np.flatnonzero(layer[..., 3].any(axis=axis)) for axis in (1, 0))
    assert (rows[0], rows[-1] + 1) == (box["top"], box["top"] + box["height"])
    assert (columns[0], columns[-1] + 1) == (box["left"], box["left"] + box["width"])
    middle = rows.mean() - 300, columns.mean() - 400
    for at, before, after in zip(
        middle, ("top", "left"), ("bottom", "right"), strict=True
    ):
        assert np.sign(round(at / 50)) == (after in place) - (before in place)


def test_the_description_says_what_where_and_when() -> None:
    made = start_screen(
        1920,
        1080,
        ENGLISH,
        place="top",
        height_fraction=0.06,
        fov_deg=75,
        schedule=Schedule(seconds=8, every_min=30, after_breaks=False),
    )
    told = json.loads(json.dumps(made.description))
    assert told.pop("box")["top"] > 0
    assert told.pop("contrast") >= 4.5
    assert told.pop("ink_height_px") >= math.ceil(0.06 * 1080)
    assert told.pop("height_fraction") >= 0.06
    assert told == {
        "text": "AI生成",
        "translation": "AI-generated",
        "screen": {"width": 1920, "height": 1080},
        "place": "top",
        "camera": {"fov_deg": 75, "distance": 1.0},
        "show": {
            "at_start": True,
            "seconds": 8,
            "every_min": 30,
            "after_breaks": False,
        },
        "rules": ["GB 45438-2025, 5.5", "Deep Synthesis Provisions, Art. 17(4)"],
    }


def test_the_model_is_a_sound_glb_file() -> None:
    glb = start_screen(1920, 1080, ENGLISH).glb
    magic, version, length = struct.unpack_from("<4sII", glb)
    assert (magic, version, length) == (b"glTF", 2, len(glb))
    at, kinds = 12, []
    while at < len(glb):
        size, kind = struct.unpack_from("<I4s", glb, at)
        assert size % 4 == 0
        kinds.append(kind)
        at += 8 + size
    assert (at, kinds) == (len(glb), [b"JSON", b"BIN\0"])
    document = json.loads(glb[20 : 20 + struct.unpack_from("<I", glb, 12)[0]])
    for view in document["bufferViews"]:
        assert view["byteOffset"] % 4 == 0
        assert view["byteOffset"] + view["byteLength"] <= len(glb)


@pytest.mark.parametrize(("width", "height"), SCREENS)
@pytest.mark.parametrize("fov", [45.0, 60.0, 110.0])
def test_the_model_shows_before_the_camera_what_the_picture_shows(
    width: int, height: int, fov: float
) -> None:
    pygltflib = pytest.importorskip("pygltflib", reason="pygltflib is not installed")
    made = start_screen(width, height, ENGLISH, place="top-left", fov_deg=fov)
    model = pygltflib.GLTF2.load_from_bytes(made.glb)
    content = model.binary_blob()
    primitive = model.meshes[0].primitives[0]

    def values(index: int, kind: str) -> NDArray[Any]:
        accessor = model.accessors[index]
        view = model.bufferViews[accessor.bufferView]
        part = content[view.byteOffset : view.byteOffset + view.byteLength]
        return np.frombuffer(part, kind).reshape(accessor.count, -1)

    points = values(primitive.attributes.POSITION, "<f4")
    accessor = model.accessors[primitive.attributes.POSITION]
    assert accessor.min == points.min(axis=0).tolist()
    assert accessor.max == points.max(axis=0).tolist()
    # A camera looks along -z; what the shorter side spans follows from its angle.
    scale = min(width, height) / 2 / math.tan(math.radians(fov) / 2)
    x = width / 2 + points[:, 0] / -points[:, 2] * scale
    y = height / 2 - points[:, 1] / -points[:, 2] * scale
    box = made.description["box"]
    edges = (x.min(), y.min(), x.max() - x.min(), y.max() - y.min())
    wanted = [box[name] for name in ("left", "top", "width", "height")]
    assert list(edges) == pytest.approx(wanted, abs=0.01)
    # Both triangles face the camera.
    corners = np.stack([x, -y], axis=1)
    for one, two, three in values(primitive.indices, "<u2").reshape(2, 3):
        a, b = corners[two] - corners[one], corners[three] - corners[one]
        assert a[0] * b[1] - a[1] * b[0] > 0

    material = model.materials[primitive.material]
    assert material.extensions == {"KHR_materials_unlit": {}}
    assert model.extensionsUsed == ["KHR_materials_unlit"]
    assert material.alphaMode == "BLEND"
    texture = model.textures[material.pbrMetallicRoughness.baseColorTexture.index]
    view = model.bufferViews[model.images[texture.source].bufferView]
    part = content[view.byteOffset : view.byteOffset + view.byteLength]
    image = np.asarray(Image.open(io.BytesIO(part)))
    assert all(side & (side - 1) == 0 for side in image.shape[:2])
    spots = values(primitive.attributes.TEXCOORD_0, "<f4")
    ends = np.rint(spots.max(axis=0) * image.shape[1::-1]).astype(int)
    shown = image[: ends[1], : ends[0]]
    layer = pixels(made)
    rows, columns = (
        slice(box[a], box[a] + box[b])
        for a, b in (("top", "height"), ("left", "width"))
    )
    assert (shown == layer[rows, columns]).all()
    # The first corner is the lower left one, in the picture as in the texture.
    assert spots[0].tolist() == [0, spots[:, 1].max()]
    assert (points[0, :2] == points[:, :2].min(axis=0)).all()


@pytest.mark.parametrize(
    ("width", "height", "values"),
    [
        (0, 100, {}),
        (20_000, 1000, {}),
        (800, 600, {"place": "auto"}),
        (800, 600, {"place": "center"}),
        (800, 600, {"fov_deg": 10.0}),
        (800, 600, {"fov_deg": math.nan}),
        (800, 600, {"height_fraction": 0.03}),
    ],
)
def test_what_cannot_be_meant_is_refused(
    width: int, height: int, values: dict[str, Any]
) -> None:
    with pytest.raises(UsageError):
        start_screen(width, height, ENGLISH, **values)


def test_a_wording_without_both_elements_is_refused() -> None:
    with pytest.raises(UsageError, match="generation element"):
        start_screen(800, 600, "AI")


def test_a_screen_without_room_is_refused() -> None:
    with pytest.raises(TooSmallForNotice):
        start_screen(24, 24, "AI生成")


@pytest.mark.parametrize(
    "values",
    [{"seconds": 1.0}, {"seconds": math.nan}, {"every_min": 0.0}, {"every_min": 1e9}],
)
def test_times_that_cannot_be_meant_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        Schedule(**values)


# The command


def test_the_command_writes_picture_model_and_description(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    ran = run("scene", "--size", "640x360", "-o", "s.png", "--every", "20")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.split() == ["s.png", "s.glb", "s.json"]
    told = json.loads((tmp_path / "s.json").read_text("utf-8"))
    assert told["show"]["every_min"] == 20
    with Image.open(tmp_path / "s.png") as picture:
        assert (picture.size, picture.mode) == ((640, 360), "RGBA")
    assert (tmp_path / "s.glb").read_bytes()[:4] == b"glTF"
    assert run("scene", "--size", "640x360", "-o", "s.png").code == 1
    ran = run("scene", "--size", "640x360", "-f", "-o", "s.png", "--json")
    assert ran.json["glb"] == "s.glb"
    assert ran.json["screen"] == {"width": 640, "height": 360}
    text = DOCS.read_text("utf-8").partition("\n### scene\n")[2].partition("\n#")[0]
    rows = [row for row in text.splitlines() if row.startswith("| `")]
    assert list(ran.json) == [row.split("`")[1] for row in rows]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--size", "640"], "size"),
        (["--size", "-1x4"], "size"),
        (["--place", "center"], "center"),
        (["--notice", "AI"], "generation"),
        (["--seconds", "0"], "seconds"),
        (["-o", "s.glb"], "suffix"),
    ],
)
def test_the_command_says_what_cannot_be_meant(
    arguments: list[str], text: str, run: Callable[..., Any], tmp_path: Path
) -> None:
    ran = run("scene", *arguments)
    assert (ran.code, ran.out) == (2, "")
    (line,) = ran.err.splitlines()
    assert text in line
    assert [path for path in tmp_path.iterdir() if path.name != "home"] == []
