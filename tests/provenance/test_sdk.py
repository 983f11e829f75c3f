from __future__ import annotations

import _ctypes
import shutil
import subprocess
import sys

import pytest

from synthmark.labeling.errors import CertificateError, ManifestError
from synthmark.labeling.provenance import sdk
from synthmark.labeling.provenance.manifest import has_manifest, read
from synthmark.labeling.provenance.manifest import sign as sign_whole


def sign(*given, **named):
    """Return the signed file alone, without the store."""
    return sign_whole(*given, **named)[0]


LOAD = "from synthmark.labeling.provenance import sdk; print(sdk.load().__name__)"


@pytest.mark.skipif(sys.platform == "win32", reason="a library in use cannot be copied")
def test_library_in_the_working_directory_is_not_loaded(tmp_path):
    shutil.copy(_ctypes.__file__, tmp_path / sdk._LIBRARY_NAME)
    run = subprocess.run(
        [sys.executable, "-c", LOAD], cwd=tmp_path, capture_output=True, text=True
    )
    assert (run.stdout, run.stderr) == ("c2pa\n", "")


def test_missing_library_is_explained(monkeypatch, picture, claim, signer):
    monkeypatch.setitem(sys.modules, "c2pa", None)
    for call in (
        lambda: read(picture()),
        lambda: has_manifest(picture()),
        lambda: sign(picture(), "image/jpeg", claim, signer),
    ):
        with pytest.raises(ManifestError, match=r"cannot be loaded.*Alpine"):
            call()


def test_incomplete_installation_never_searches_elsewhere(monkeypatch, tmp_path):
    monkeypatch.delitem(sys.modules, "c2pa", raising=False)
    monkeypatch.delenv("C2PA_LIBRARY_NAME", raising=False)
    monkeypatch.setattr(sdk, "_LIBRARY_NAME", "missing.so")
    with pytest.raises(ManifestError) as caught:
        sdk.load()
    assert isinstance(caught.value.__cause__, ImportError)
    assert "without missing.so" in str(caught.value.__cause__)


@pytest.mark.parametrize("anchors", ["certificates", "-----BEGIN CERTIFICATE-----"])
def test_anchors_that_are_none_are_refused(picture, anchors):
    with pytest.raises(CertificateError, match="cannot be read as PEM"):
        read(picture(), anchors_pem=anchors)
