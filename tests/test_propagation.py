"""Platforms in labels: what stays, what is added, and what a file without one gets."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

import synthmark
from synthmark import Home
from synthmark.labeling.errors import (
    DamagedMedia,
    OutputExists,
    UnsupportedFormat,
    UsageError,
)
from synthmark.labeling.metadata import image as metadata
from synthmark.labeling.metadata.label_key import LabelKey
from synthmark.labeling.metadata.provider import ProviderCode
from synthmark.labeling.model import AigcLabel, Layer, State, Verdict
from synthmark.labeling.notices.image import draw
from synthmark.labeling.propagation import Propagator

SAMPLES = Path(synthmark.__file__).parent / "samples"
CREDIT = "91110102MACQD9K640"
TEXT = "# Weather\n\nIt will be fine tomorrow.\n"
PAGE = "<!DOCTYPE html>\n<title>Weather</title>\n<p>It will be fine tomorrow.\n"


@pytest.fixture(scope="module")
def studio_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("propagation") / "home")


@pytest.fixture(scope="module")
def labeled(
    studio_home: Home, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Return one labeled file of each kind, by its suffix."""
    folder = tmp_path_factory.mktemp("labeled")
    (folder / "text.md").write_text(TEXT)
    (folder / "page.html").write_text(PAGE)
    with Image.open(SAMPLES / "scene.jpg") as scene:
        scene.resize((400, 300)).save(folder / "scene.webp", quality=95)
    labeler = studio_home.labeler(producer="maker")
    files = {}
    for source in (
        SAMPLES / "portrait.png",
        SAMPLES / "scene.jpg",
        folder / "scene.webp",
        SAMPLES / "speech.flac",
        SAMPLES / "clip.mp4",
        folder / "text.md",
        folder / "page.html",
    ):
        target = folder / f"labeled{source.suffix}"
        assert labeler.label(source, target).complete
        files[source.suffix] = target
    return files


@pytest.fixture
def propagator(studio_home: Home) -> Propagator:
    return Propagator(
        platform="platform",
        signer=studio_home.signer(),
        detector=studio_home.detector(),
        records=studio_home.records(),
    )


def packets(path: Path) -> list[tuple[int, bytes]]:
    """Return the coded frames of a sound or video."""
    with av.open(str(path)) as file:
        return [(one.stream.index, bytes(one)) for one in file.demux() if one.size]


def pixels(path: Path) -> Any:
    with Image.open(path) as picture:
        return np.asarray(picture)


def state_of(report: Any) -> dict[Layer, State]:
    return {one.layer: one.state for one in report.evidence}


@pytest.mark.parametrize(
    "suffix", [".png", ".jpg", ".webp", ".flac", ".mp4", ".md", ".html"]
)
def test_the_producer_stays_and_the_platform_is_added(
    labeled: dict[str, Path], propagator: Propagator, tmp_path: Path, suffix: str
) -> None:
    source, target = labeled[suffix], tmp_path / f"spread{suffix}"
    before = propagator.detector.detect(source)
    earlier = AigcLabel(**before.layer(Layer.AIGC).detail["label"])
    result = propagator.propagate(source, target)
    assert result.verdict is Verdict.CONFIRMED
    after = propagator.detector.detect(target)
    assert result.label == replace(
        earlier,
        content_propagator="platform",
        propagate_id=result.label and result.label.propagate_id,
    )
    assert earlier.propagate_id not in (result.label.propagate_id, "")
    assert after.layer(Layer.AIGC).detail["label"] == vars_of(result.label)
    assert len(after.layer(Layer.AIGC).detail["places"]) == 1
    assert state_of(after) == state_of(before)
    assert after.payload == before.payload
    assert (after.verdict, after.findings) == (Verdict.CONFIRMED, ())
    assert result.sha256_after == sha256(target.read_bytes()).hexdigest()
    if before.layer(Layer.C2PA).state is State.TRUSTED:
        detail = after.layer(Layer.C2PA).detail
        assert detail["actions"] == ["c2pa.opened", "c2pa.edited.metadata"]
        assert detail["label"] == vars_of(result.label)
        assert detail["source_types"] == ["trainedAlgorithmicMedia"]
        assert detail["ingredients"][0]["relationship"] == "parentOf"
    if suffix in (".flac", ".mp4"):
        assert packets(target) == packets(source)
    elif suffix in (".png", ".jpg", ".webp"):
        assert np.array_equal(pixels(target), pixels(source))


def vars_of(label: AigcLabel | None) -> dict[str, str]:
    assert label is not None
    return {name: getattr(label, name) for name in AigcLabel.__slots__}


def test_a_second_platform_takes_the_place_of_the_first(
    labeled: dict[str, Path], propagator: Propagator
) -> None:
    first = propagator.propagate(labeled[".jpg"])
    other = replace(propagator, platform="another")
    second = other.propagate(first.content)
    assert first.label
    assert second.label
    assert second.label.content_producer == "maker"
    assert second.label.produce_id == first.label.produce_id
    assert second.label.content_propagator == "another"
    report = other.detector.detect(second.content)
    assert state_of(report)[Layer.C2PA] is State.TRUSTED
    assert [
        one["changed"] for one in report.layer(Layer.C2PA).detail["ingredients"]
    ] == [
        False,
        False,
    ]


def test_the_log_keeps_what_was_spread(
    labeled: dict[str, Path], propagator: Propagator, tmp_path: Path
) -> None:
    target = tmp_path / "spread.png"
    result = propagator.propagate(labeled[".png"], target)
    assert propagator.records
    assert result.label
    (record,) = propagator.records.find(produce_id=result.label.propagate_id)
    assert (record.action, record.origin_id) == ("propagate", result.label.produce_id)
    assert (record.sha256_before, record.sha256_after) == (
        result.sha256_before,
        result.sha256_after,
    )
    assert (record.payload, record.target) == (None, "spread.png")
    assert record.layers == ("aigc", "c2pa")
    # A platform that has not labeled the item itself finds it as well.
    assert [one.layer for one in result.layers] == [
        Layer.AIGC,
        Layer.C2PA,
        Layer.RECORD,
    ]


def test_a_platform_without_the_makers_log_and_key_meets_no_contradiction(
    labeled: dict[str, Path], tmp_path: Path
) -> None:
    home = Home(tmp_path / "platform")
    own = Propagator(
        platform="platform",
        signer=home.signer(),
        detector=home.detector(),
        records=home.records(),
    )
    result = own.propagate(labeled[".jpg"])
    assert result.label
    assert result.verdict is Verdict.CONFIRMED
    report = home.detector().detect(result.content)
    assert report.findings == ()
    assert report.layer(Layer.RECORD).detail["action"] == "propagate"


def test_what_shows_nothing_is_left_alone_unless_declared(
    propagator: Propagator, tmp_path: Path
) -> None:
    source, target = SAMPLES / "night.jpg", tmp_path / "spread.jpg"
    result = propagator.propagate(source, target)
    assert (result.verdict, result.label, result.target) == (Verdict.NONE, None, None)
    assert not target.exists()
    declared = propagator.propagate(source, target, declared=True)
    assert declared.verdict is Verdict.POSSIBLE
    assert declared.label
    assert declared.label.label == "2"
    assert (declared.label.content_producer, declared.label.produce_id) == ("", "")
    report = propagator.detector.detect(target)
    assert (report.verdict, report.findings) == (Verdict.POSSIBLE, ())
    # Nobody vouches for what a user says.
    assert state_of(report)[Layer.C2PA] is State.ABSENT
    with Image.open(source) as before, Image.open(target) as after:
        assert before.tobytes() == after.tobytes()


def test_traces_alone_make_it_suspected(
    propagator: Propagator, make_scene: Any, save: Callable[..., bytes]
) -> None:
    drawn, _ = draw(make_scene(300, 400), "AI生成", corner="bottom-right")
    result = propagator.propagate(save(drawn))
    assert result.verdict is Verdict.SUSPECTED
    assert result.label
    assert result.label.label == "3"
    declared = propagator.propagate(save(drawn), declared=True)
    assert declared.label
    assert declared.label.label == "2"


def test_a_declaration_does_not_weaken_what_the_file_says(
    labeled: dict[str, Path], propagator: Propagator
) -> None:
    result = propagator.propagate(labeled[".jpg"], declared=True)
    assert result.verdict is Verdict.CONFIRMED


def test_an_altered_label_is_replaced_by_the_signed_one(
    labeled: dict[str, Path], propagator: Propagator
) -> None:
    content = labeled[".jpg"].read_bytes()
    label = metadata.read(content).labels[0].label
    assert label
    broken = content.replace(b"&quot;Label&quot;", b"&quot;Lebal&quot;")
    if broken == content:
        broken = content.replace(b'"Label"', b'"Lebal"')
    assert broken != content
    result = propagator.propagate(broken)
    # The seal is broken, so that nothing in the file is to be relied on.
    assert result.label
    assert result.label.content_producer == ""
    assert any("not to be relied on" in note for note in result.notes)


def test_the_platforms_part_is_signed(
    labeled: dict[str, Path], propagator: Propagator
) -> None:
    key = LabelKey.generate("sm2")
    result = replace(propagator, label_key=key).propagate(labeled[".md"])
    reader = replace(propagator.detector, provider_keys={"platform": (key.public,)})
    seals = reader.detect(result.content).layer(Layer.AIGC).detail["seals"]
    assert [(one["integrity"], one["known"]) for one in seals] == [
        ("absent", False),
        ("verified", True),
    ]
    stranger = replace(propagator).propagate(labeled[".md"])
    report = reader.detect(stranger.content)
    assert [one.reason for one in report.findings] == [
        "label_is_not_signed_by_its_provider"
    ]


def test_codes_must_be_those_of_platforms(propagator: Propagator) -> None:
    for role in ("producer", "propagator"):
        code = str(ProviderCode(credit_code=CREDIT, role=role, application="0000"))
        if role == "propagator":
            assert replace(propagator, platform=code).platform == code
        else:
            with pytest.raises(UsageError, match="is the code of a producer"):
                replace(propagator, platform=code)
    for name in ("", "a b", "平台"):
        with pytest.raises(UsageError):
            replace(propagator, platform=name)


def test_bad_input_leaves_nothing_behind(
    labeled: dict[str, Path], propagator: Propagator, tmp_path: Path
) -> None:
    text = tmp_path / "a.txt"
    text.write_text("AI生成\n\nHello.\n")
    with pytest.raises(UnsupportedFormat, match="has no place for an AIGC label"):
        propagator.propagate(text, tmp_path / "b.txt")
    with pytest.raises(UsageError, match="keeps its format"):
        propagator.propagate(labeled[".jpg"], tmp_path / "b.png")
    cut = tmp_path / "cut.png"
    cut.write_bytes(labeled[".png"].read_bytes()[:5000])
    with pytest.raises(DamagedMedia):
        propagator.propagate(cut, tmp_path / "b.png")
    taken = tmp_path / "taken.jpg"
    taken.write_bytes(b"mine")
    with pytest.raises(OutputExists):
        propagator.propagate(labeled[".jpg"], taken)
    assert taken.read_bytes() == b"mine"
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "a.txt",
        "cut.png",
        "taken.jpg",
    ]


def test_the_command(
    run: Callable[..., Any], labeled: dict[str, Path], home: Path, tmp_path: Path
) -> None:
    source = tmp_path / "in.png"
    source.write_bytes(labeled[".png"].read_bytes())
    done = run("propagate", source, "-o", "out.png", "--platform", "shop", "--json")
    assert done.code == 0
    (file,) = done.json["files"]
    assert (file["verdict"], file["exit_code"]) == ("confirmed", 0)
    assert file["label"]["content_propagator"] == "shop"
    assert [one["layer"] for one in file["layers"]] == ["aigc", "c2pa", "record"]
    shown = run("detect", "out.png").out
    assert "spread by shop" in shown
    assert run("propagate", source, "-o", "out.png", "--platform", "shop").code == 1
    assert run("propagate", source).code == 2
    plain = tmp_path / "plain.jpg"
    plain.write_bytes((SAMPLES / "night.jpg").read_bytes())
    done = run("propagate", plain, "-o", "x.jpg", "--platform", "shop")
    assert (done.code, (tmp_path / "x.jpg").exists()) == (3, False)
    done = run(
        *("propagate", plain, "--in-place", "--platform", "shop", "--declared"),
        *("--lang", "zh"),
    )
    assert done.code == 0
    assert "可能为AI生成" in done.out
    assert json.loads(run("detect", plain, "--json").out)["files"][0]["verdict"] == (
        "possible"
    )


def test_the_command_passes_files_through_pipes(
    labeled: dict[str, Path], home: Path
) -> None:
    command = [sys.executable, "-m", "synthmark", "propagate", "-", "--platform", "p"]
    done = subprocess.run(
        command, input=labeled[".jpg"].read_bytes(), capture_output=True, check=True
    )
    reading = metadata.read(done.stdout)
    assert reading.labels[0].label
    assert reading.labels[0].label.content_propagator == "p"
    assert b"label propagated" in done.stderr
