"""A registry that is served, and a reader elsewhere who asks it."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
from PIL import Image

from synthmark import Home, LabelResult

pytest.importorskip("uvicorn", reason="uvicorn is not installed")


@pytest.fixture
def maker(tmp_path: Path, make_scene: Any, save: Any) -> tuple[Home, LabelResult]:
    home = Home(tmp_path / "maker")
    return home, home.labeler().label(save(make_scene()))


@pytest.fixture
def address(maker: tuple[Home, LabelResult]) -> Iterator[str]:
    """Serve the maker's log for the time of a test; return where."""
    served = subprocess.Popen(
        [sys.executable, "-m", "synthmark", "registry", "serve", "--port", "0"],
        env={**os.environ, "SYNTHMARK_HOME": str(maker[0].path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert served.stderr
    with served.stderr:
        told = served.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:[1-9]\d+", told)
        assert found, told
        yield found[0]
        served.terminate()
        served.wait(timeout=20)


def test_a_reader_without_the_log_asks_the_registry(
    address: str,
    maker: tuple[Home, LabelResult],
    run: Callable[..., Any],
    home: Path,
    tmp_path: Path,
) -> None:
    with Image.open(io.BytesIO(maker[1].content)) as picture:
        picture.convert("RGB").save(tmp_path / "found.jpg", quality=80)
    home.mkdir()
    copy(maker[0].key_path, home)
    alone = run("detect", "found.jpg")
    assert "recovered" not in alone.out
    asked = run("detect", "found.jpg", "--registry", address)
    assert asked.code == alone.code
    assert "recovered by the mark" in asked.out
    (file,) = run("detect", "found.jpg", "--registry", address, "--json").json["files"]
    c2pa = next(one for one in file["evidence"] if one["layer"] == "c2pa")
    assert c2pa["state"] == "absent"
    assert (c2pa["detail"]["recovered"]["registry"], file["findings"][0]["kind"]) == (
        address,
        "removed",
    )


def test_a_registry_that_is_gone_is_told(
    maker: tuple[Home, LabelResult],
    run: Callable[..., Any],
    home: Path,
    tmp_path: Path,
) -> None:
    with Image.open(io.BytesIO(maker[1].content)) as picture:
        picture.convert("RGB").save(tmp_path / "found.jpg", quality=80)
    home.mkdir()
    copy(maker[0].key_path, home)
    asked = run("detect", "found.jpg", "--registry", "http://127.0.0.1:9")
    assert "does not answer" in asked.out
    assert "payload" in asked.out
    refused = run("detect", "found.jpg", "--registry", "http://example.com")
    assert (refused.code, "is not the address" in refused.err) == (2, True)


def test_without_a_log_there_is_nothing_to_serve(run: Callable[..., Any]) -> None:
    refused = run("registry", "serve", "--port", "0")
    assert (refused.code, "there is no record log" in refused.err) == (2, True)
