"""The two verbs: everything comes from the user's home."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import synthmark as sm
from synthmark.labeling.errors import OutputExists, UsageError
from synthmark.labeling.model import Layer


@pytest.fixture
def picture(
    tmp_path: Path, make_scene: Callable[..., Any], save: Callable[..., bytes]
) -> Path:
    path = tmp_path / "in.png"
    path.write_bytes(save(make_scene(128, 160)))
    return path


def test_label_and_detect_need_no_configuration(picture: Path, home: Path) -> None:
    before = picture.read_bytes()
    target = picture.with_name("out.png")
    result = sm.label(picture, target, service="face", consent="C-1")
    assert result.complete
    assert result.service == "face"
    report = sm.detect(target)
    assert report.verdict == "confirmed"
    assert report.payload == result.payload
    assert report.findings == ()
    assert picture.read_bytes() == before
    assert sorted(path.name for path in home.iterdir()) == [
        "mark.key",
        "records.sqlite",
        "signer",
    ]


def test_targets_are_replaced_only_when_asked(picture: Path) -> None:
    target = picture.with_name("out.png")
    target.write_bytes(b"old")
    with pytest.raises(OutputExists):
        sm.label(picture, target)
    assert target.read_bytes() == b"old"
    assert sm.label(picture, target, overwrite=True).content == target.read_bytes()


def test_options_replace_what_the_home_has(picture: Path) -> None:
    key = sm.Key.generate()
    result = sm.label(picture, key=key, records=None, issuer=7)
    assert result.payload
    assert result.payload.issuer == 7
    report = sm.detect(result.content, keys=[sm.Key.generate(), key])
    assert report.payload == result.payload
    assert report.layer(Layer.RECORD).state == "not_checked"


def test_detecting_makes_nothing(picture: Path, home: Path) -> None:
    assert sm.detect(picture).verdict == "none"
    assert not home.exists()


def test_unknown_options_are_refused(picture: Path) -> None:
    with pytest.raises(UsageError, match="unknown service"):
        sm.label(picture, service="none")
    with pytest.raises(TypeError, match="strenght"):
        sm.label(picture, strenght=2)
