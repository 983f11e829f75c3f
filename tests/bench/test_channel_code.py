"""The command that measures the error-correcting code, and what it compares with."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest


@pytest.fixture
def polar(bench: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(bench))
    return import_module("polar")


@pytest.fixture
def channel_code(bench: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    pytest.importorskip("scipy", reason="the bench extra is not installed")
    monkeypatch.syspath_prepend(str(bench))
    return import_module("channel_code")


def test_the_limit_of_one_bit_is_that_of_two_opposite_words(
    channel_code: ModuleType,
) -> None:
    # Their error rate is Q(sqrt(2 Eb/N0)), 0.0786 at 0 dB, whatever the length.
    for slots in (8, 300):
        assert abs(channel_code.limit(1, slots, 0.0786496)) < 1e-3


def test_the_limit_falls_with_the_length_and_the_error_rate(
    channel_code: ModuleType,
) -> None:
    limit = channel_code.limit
    assert limit(64, 782, 0.1) < limit(64, 782, 0.01) < limit(64, 128, 0.01)
    # Asymptotically -1.59 dB; at 64 bits no code comes near it.
    assert -1 < limit(64, 782, 0.1) < 0


def test_a_polar_code_corrects_noise(polar: ModuleType) -> None:
    code = polar.PolarCode(64, 300, 8)
    rng = np.random.default_rng(1)
    good = 0
    for _ in range(40):
        sent = rng.integers(0, 2, 64, dtype=np.uint8)
        word = code.encode(sent)
        assert word.shape == (300,)
        soft = 1 - 2.0 * word + rng.normal(0, 1.05, 300)
        good += np.array_equal(code.decode(soft.astype(np.float32)), sent)
    assert good >= 36


def test_the_table_ranks_the_codes(bench: Path) -> None:
    pytest.importorskip("scipy", reason="the bench extra is not installed")
    done = subprocess.run(
        [sys.executable, str(bench / "channel_code.py"), "--trials", "30"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    rows = {
        line.split("|")[1].strip(): line.split("|")[2:-1]
        for line in done.stdout.splitlines()
        if line.startswith("|") and "dB" not in line
    }
    needed = {
        name: float(cells[0]) for name, cells in rows.items() if name.count(" ") > 1
    }
    assert len(needed) == 6
    ours = next(value for name, value in needed.items() if "(synthmark)" in name)
    lte = next(value for name, value in needed.items() if "(LTE)" in name)
    assert ours < lte - 0.5
