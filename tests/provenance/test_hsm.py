"""The example with a hardware security module, run as it stands with SoftHSM."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

import synthmark
from synthmark.labeling.model import State
from synthmark.labeling.provenance import manifest

ROOT = Path(synthmark.__file__).parent
FOLDERS = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/opt/homebrew/lib")
PIN = "1234"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the library of a module that has one token."""
    found = [p for f in FOLDERS for p in Path(f).glob("softhsm/libsofthsm2.so")]
    if not (found and shutil.which("softhsm2-util")):
        pytest.skip("SoftHSM is not installed")
    (tmp_path / "tokens").mkdir()
    settings = tmp_path / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {tmp_path / 'tokens'}\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(settings))
    monkeypatch.setenv("PIN", PIN)
    token = ("--init-token", "--free", "--label", "labels", "--so-pin", "5678")
    subprocess.run(
        ["softhsm2-util", *token, "--pin", PIN], check=True, capture_output=True
    )
    return str(found[0])


def public_key(module: str) -> ec.EllipticCurvePublicKey:
    """Make a key in the module, and return its public half."""
    pkcs11 = pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed")
    from pkcs11.util.ec import encode_named_curve_parameters

    with (
        pkcs11.lib(module)
        .get_token(token_label="labels")
        .open(rw=True, user_pin=PIN) as session
    ):
        curve = session.create_domain_parameters(
            pkcs11.KeyType.EC,
            {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")},
            local=True,
        )
        public, _ = curve.generate_keypair(store=True, label="signer")
        point = public[pkcs11.Attribute.EC_POINT][2:]  # without the DER around it
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)


def test_a_file_is_labeled_with_a_key_that_stays_in_its_module(
    module: str, authority: Any, write_pem: Callable[..., str], tmp_path: Path
) -> None:
    made = public_key(module)
    key = SimpleNamespace(public_key=lambda: made)
    leaf = authority.issue(
        "Signer", key, "ICA", authority.key, ca=False, end=timedelta(days=9)
    )
    chain = tmp_path / "chain.pem"
    chain.write_text(write_pem(leaf, authority.intermediate))
    target = tmp_path / "labeled.png"
    done = subprocess.run(
        [
            sys.executable,
            str(ROOT / "examples" / "sign_with_hsm.py"),
            *("--module", module, "--token", "labels", "--key", "signer"),
            *("--chain", str(chain)),
            str(ROOT / "samples" / "portrait.png"),
            str(target),
        ],
        env={**os.environ},
        capture_output=True,
        text=True,
    )
    assert done.stderr == "" or "Made" in done.stderr
    assert done.stdout.strip() == f"{target}: labeled"
    reading = manifest.read(target, anchors_pem=authority.root_pem)
    assert reading.state is State.TRUSTED
    assert reading.signer_name == "Signer"
