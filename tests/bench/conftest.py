"""The bench of the checkout: scripts in a folder that no installation holds."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture(scope="session")
def bench() -> Path:
    if not (BENCH / "image_mark.py").is_file():
        pytest.skip("the bench is only in a checkout")
    return BENCH


@pytest.fixture
def attacks(bench: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(bench))
    return import_module("attacks")


@pytest.fixture
def report(bench: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(bench))
    return import_module("report")


@pytest.fixture
def image_quality(bench: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    pytest.importorskip("skimage", reason="the bench extra is not installed")
    monkeypatch.syspath_prepend(str(bench))
    return import_module("image_quality")
