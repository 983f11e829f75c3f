"""Checkpoints and their keys, as files that anybody may have had in hand."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from synthmark.labeling.errors import KeyFileError, OutputError, UsageError
from synthmark.labeling.records.checkpoint import Checkpoint, CheckpointKey

KEY = CheckpointKey.generate()
SIGNED = KEY.sign((7, "ab" * 32))


def test_a_checkpoint_comes_back_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.json"
    path.write_text(SIGNED.to_json())
    assert Checkpoint.load(path) == SIGNED
    assert SIGNED.holds()


def test_the_signature_is_as_published(tmp_path: Path) -> None:
    fields = json.loads(SIGNED.to_json())
    signature = bytes.fromhex(fields.pop("signature"))
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    (tmp_path / "text").write_bytes(b"synthmark/records/checkpoint/1\n" + text.encode())
    (tmp_path / "signature").write_bytes(signature)
    KEY.save(tmp_path / "key.pem")
    command = ["openssl", "pkeyutl", "-verify", "-rawin", "-inkey", "key.pem"]
    done = subprocess.run(
        [*command, "-in", "text", "-sigfile", "signature"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert b"Verified Successfully" in done.stdout


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": 8},
        {"sequence": True},
        {"sequence": -1},
        {"sequence": 1 << 70},
        {"sequence": "7"},
        {"hash": "cd" * 32},
        {"hash": None},
        {"time": "2020-01-01T00:00:00.000Z"},
        {"root": True},
        {"root": 0},
        {"public_key": CheckpointKey.generate().public_key},
        {"public_key": "00" * 32},
        {"public_key": "AB" * 32},
        {"signature": "00" * 64},
        {"signature": ["x"]},
        {"more": 1},
    ],
)
def test_a_changed_checkpoint_is_refused(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    path = tmp_path / "checkpoint.json"
    path.write_text(json.dumps({**dataclasses.asdict(SIGNED), **change}))
    with pytest.raises(UsageError, match="is not a checkpoint") as caught:
        Checkpoint.load(path)
    assert caught.value.path == path


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"7", b"\xff\xfe", b"[" * 60_000, b'{"a":' * 9_000, b"null"],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "checkpoint.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="is not a checkpoint"):
        Checkpoint.load(path)
    with pytest.raises(UsageError, match="no such file"):
        Checkpoint.load(tmp_path / "missing")


def test_a_key_comes_back_from_its_file_and_never_shows(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    KEY.save(path)
    assert CheckpointKey.load(path).public_key == KEY.public_key
    assert path.read_text().split("\n")[1] not in repr(KEY)
    if os.name != "nt":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(OutputError, match="exists already"):
        KEY.save(path)


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    path = tmp_path / "key.pem"
    with pytest.raises(KeyFileError, match="no such file"):
        CheckpointKey.load(path)
    path.write_bytes(b"no key")
    with pytest.raises(KeyFileError, match="is not a private key"):
        CheckpointKey.load(path)
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(other)
    with pytest.raises(KeyFileError, match="is not an Ed25519 key"):
        CheckpointKey.load(path)
