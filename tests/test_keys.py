"""Keys: kept safely, read carefully, derived for ever the same."""

from __future__ import annotations

import hashlib
import hmac
import os
import pickle
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmark.labeling.errors import KeyFileError, OutputExists, UsageError
from synthmark.labeling.keys import KEY_BYTES, Key, Purpose

SECRET = bytes(range(32))


def hkdf(secret: bytes, info: bytes, length: int) -> bytes:
    """Derive as RFC 5869, section 2, says, with SHA-256 and no salt."""
    extracted = hmac.new(bytes(32), secret, hashlib.sha256).digest()
    blocks = [b""]
    for number in range(1, length // 32 + 2):
        message = blocks[-1] + info + bytes((number,))
        blocks.append(hmac.new(extracted, message, hashlib.sha256).digest())
    return b"".join(blocks)[:length]


@given(
    secret=st.binary(min_size=32, max_size=32),
    purpose=st.sampled_from(list(Purpose)),
    length=st.integers(1, 200),
)
def test_derivation_follows_the_rfc(
    secret: bytes, purpose: Purpose, length: int
) -> None:
    derived = Key(secret).derive(purpose, length)
    assert derived == hkdf(secret, purpose.value.encode(), length)


def test_derived_keys_never_change() -> None:
    # Marks made with a released version must be found by every later one.
    key = Key.from_bytes(SECRET)
    assert key.id == "fe348fb264730844"
    assert key.derive(Purpose.IMAGE_LATTICE_1).hex() == (
        "fa582adddfa54fd54c1590ba7e88c87a07dce7435eb6a948cb3e20a737154e0f"
    )


def test_a_key_comes_back_from_its_file(tmp_path: Path) -> None:
    key = Key.generate()
    key.save(tmp_path / "key")
    assert Key.load(tmp_path / "key") == key
    assert Key.load(str(tmp_path / "key")).id == key.id
    (tmp_path / "raw").write_bytes(SECRET)
    assert Key.load(tmp_path / "raw") == Key.from_bytes(SECRET)


def test_a_key_file_is_private_and_not_replaced_unasked(tmp_path: Path) -> None:
    path = tmp_path / "key"
    Key.from_bytes(SECRET).save(path)
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(OutputExists):
        Key.generate().save(path)
    assert Key.load(path) == Key.from_bytes(SECRET)
    path.chmod(0o644)
    key = Key.generate()
    key.save(path, overwrite=True)
    assert Key.load(path) == key
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"synthmark-key-1\n",
        b"synthmark-key-1\n" + b"0" * 16,  # 32 bytes, but a cut-off key file
        b"synthmark-key-1\n" + b"0" * 63,
        b"synthmark-key-1\n" + b"0" * 66,
        b"synthmark-key-1\n" + b"g" * 64,
        b"synthmark-key-1\n" + b"\xff" * 64,
        b"synthmark-key-2\n" + b"0" * 64,
        b"synthmark-key-1\n" + b"0" * 64 + b"\nmore",
        SECRET[:31],
        SECRET + b"\n",
        b"\0" * 100_000,
    ],
)
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(KeyFileError, match="is not a key file") as caught:
        Key.load(path)
    assert caught.value.path == path
    assert caught.value.hint


def test_line_ends_of_other_systems_are_read(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"synthmark-key-1\r\n" + SECRET.hex().upper().encode() + b"\r\n")
    assert Key.load(path) == Key.from_bytes(SECRET)


def test_a_key_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "missing", "no such file"), (tmp_path, "is a")):
        with pytest.raises(KeyFileError, match=reason) as caught:
            Key.load(path)
        assert caught.value.path == path


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_a_secret_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(UsageError, match=str(KEY_BYTES)):
        Key.from_bytes(bytes(length))


def test_a_key_tells_its_name_and_not_its_secret() -> None:
    key = Key.from_bytes(SECRET)
    assert repr(key) == f"Key(id='{key.id}')"
    assert SECRET.hex()[:8] not in f"{key!r} {key}"


def test_keys_compare_by_their_secret() -> None:
    one, same, other = Key(SECRET), Key(SECRET), Key.generate()
    assert one == same
    assert hash(one) == hash(same)
    assert one not in (other, SECRET, None)
    assert pickle.loads(pickle.dumps(one)) == one
