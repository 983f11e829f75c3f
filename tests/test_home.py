"""The home: made on first use, shared, never made by who only reads."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synthmark import Home, Key
from synthmark.labeling import home as home_module
from synthmark.labeling.errors import (
    CertificateError,
    KeyFileError,
    OutputError,
    RecordStoreDamaged,
    UsageError,
)
from synthmark.labeling.provenance import certificates


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """The folder of somebody else's chain."""
    folder = tmp_path / "foreign"
    folder.mkdir()
    certificates.save_credentials(folder, certificates.make_development_chain())
    return folder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_variable_names_the_home_and_the_user_has_one_otherwise(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Home().path == home
    assert Home(home / "other").path == home / "other"
    assert Home(str(home)).path == home
    for nothing in ("SYNTHMARK_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(nothing, raising=False)
    assert Home().path.name == "synthmark"
    assert Home().path.is_absolute()


def test_everything_is_made_once_and_told_once(home: Path) -> None:
    told: list[str] = []
    first = Home(tell=told.append).labeler()
    assert [text.split(":")[0] for text in told] == [
        "Made a mark key",
        "Made a certificate chain for DEVELOPMENT ONLY",
        "Made a record log",
    ]
    assert all(str(home) in text for text in told)
    told.clear()
    second = Home(tell=told.append).labeler()
    assert told == []
    assert second.key == first.key
    assert second.signer.chain_pem == first.signer.chain_pem
    assert first.signer.development
    assert names(home) == {"mark.key", "signer", "records.sqlite"}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
@pytest.mark.parametrize("make", ["key", "signer", "records"])
def test_secrets_are_for_their_owner_only(home: Path, make: str) -> None:
    getattr(Home(), make)()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    for path in home.rglob("*"):
        private = path.is_dir() or "key" in path.name or path.suffix == ".sqlite"
        if private:
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_who_only_reads_makes_nothing(home: Path) -> None:
    detector = Home().detector()
    assert list(detector.keys) == []
    assert detector.anchors_pem == ""
    assert detector.records is None
    assert not home.exists()


def test_a_detector_has_what_the_home_has() -> None:
    labeler = Home().labeler()
    detector = Home().detector()
    assert list(detector.keys) == [labeler.key]
    assert detector.records is not None
    assert detector.records.read_only
    assert "BEGIN CERTIFICATE" in detector.anchors_pem
    other = Key.generate()
    assert Home().detector(keys=[other]).keys == [other]
    assert Home().detector(records=None).records is None


def test_options_take_the_place_of_what_the_home_has(home: Path) -> None:
    key = Key.generate()
    labeler = Home().labeler(key=key, records=None, service="face", consent="C-1")
    assert labeler.key == key
    assert labeler.records is None
    assert labeler.service == "face"
    assert names(home) == {"signer"}


def test_further_roots_are_trusted(home: Path, foreign: Path) -> None:
    Home().signer()
    (home / "anchors").mkdir()
    root = (foreign / "root.pem").read_text()
    # Bundles have comments, also in letters that are no ASCII.
    (home / "anchors" / "a.pem").write_text(f"# Főtanúsítvány\n{root}", "utf-8")
    (home / "anchors" / "notes.txt").write_text("not a certificate")
    trusted = Home().anchors_pem()
    assert root.strip() in trusted
    assert trusted.count("BEGIN CERTIFICATE") == 2


@pytest.mark.parametrize("content", [b"", b"no certificate", b"\xff\xfe\x00"])
def test_a_root_that_cannot_be_read_is_named(home: Path, content: bytes) -> None:
    (home / "anchors").mkdir(parents=True)
    path = home / "anchors" / "broken.pem"
    path.write_bytes(content)
    with pytest.raises((CertificateError, UsageError)) as caught:
        Home().detector()
    assert caught.value.path == path
    assert caught.value.hint


def test_other_credentials_sign_in_place_of_the_homes(
    home: Path, foreign: Path
) -> None:
    chain, key = foreign / "signer-chain.pem", foreign / "signer-key.pem"
    assert Home().signer(chain, key).chain_pem == chain.read_text()
    assert not home.exists()
    for half in ((chain, None), (None, key)):
        with pytest.raises(UsageError, match="go together"):
            Home().signer(*half)


def test_credentials_that_cannot_sign_are_named(
    foreign: Path, expired: tuple[Path, Path]
) -> None:
    chain = foreign / "signer-chain.pem"
    for pair, problem in (
        (expired, "expired on"),
        ((chain, expired[1]), "the private key does not belong to the certificate"),
        ((chain, chain), "the private key cannot be read"),
        ((expired[1], expired[1]), "private key stands among the certificates"),
    ):
        with pytest.raises(CertificateError, match=problem) as caught:
            Home().signer(*pair)
        assert caught.value.path == pair[0]
        assert caught.value.hint
    missing = foreign / "missing.pem"
    with pytest.raises(UsageError, match="cannot be read: no such file") as unread:
        Home().signer(missing, expired[1])
    assert unread.value.path == missing


def test_a_chain_of_the_home_that_has_expired_is_named(
    home: Path, expired: tuple[Path, Path]
) -> None:
    Home().signer()
    for path, name in zip(expired, ("signer-chain", "signer-key"), strict=True):
        (home / "signer" / f"{name}.pem").write_bytes(path.read_bytes())
    with pytest.raises(CertificateError, match="expired on") as caught:
        Home().labeler()
    assert caught.value.path == home / "signer"


def test_the_key_of_the_process_that_was_first_is_kept(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    first, late = Key.generate(), Key.generate()

    def generate_while_another_does() -> Key:
        first.save(home / "mark.key")
        return late

    monkeypatch.setattr(Key, "generate", generate_while_another_does)
    assert Home(tell=told.append).key() == first
    assert names(home) == {"mark.key"}
    assert told == []


def test_the_chain_of_the_process_that_was_first_is_kept(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    make = certificates.make_development_chain

    def make_while_another_does() -> Any:
        monkeypatch.setattr(certificates, "make_development_chain", make)
        Home(home).signer()
        return make()

    monkeypatch.setattr(certificates, "make_development_chain", make_while_another_does)
    late = Home(tell=told.append).signer()
    assert late.chain_pem == (home / "signer" / "signer-chain.pem").read_text()
    assert names(home) == {"signer"}
    assert told == []


def test_a_chain_that_cannot_be_kept_leaves_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(folder: Path, _: Any) -> None:
        (folder / "signer-key.pem").write_text("half")
        raise OutputError("cannot be written: no space left", path=folder)

    monkeypatch.setattr(certificates, "save_credentials", save)
    with pytest.raises(OutputError, match="no space left"):
        Home().signer()
    assert names(home) == set()


@pytest.mark.parametrize("use", ["key", "signer", "records", "labeler"])
def test_a_home_that_cannot_be_made_is_named_with_what_to_do(
    tmp_path: Path, use: str
) -> None:
    (tmp_path / "file").write_bytes(b"")
    for place in ("file", "file/home", "x" * 300):
        with pytest.raises(OutputError) as caught:
            getattr(Home(tmp_path / place), use)()
        assert str(tmp_path / place) in str(caught.value)
        assert "SYNTHMARK_HOME" in caught.value.hint


def test_a_damaged_home_is_named_file_by_file(home: Path) -> None:
    Home().labeler()
    cases: tuple[tuple[str, type[Exception], Callable[[], Any]], ...] = (
        ("mark.key", KeyFileError, Home().key),
        ("mark.key", KeyFileError, Home().detector),
        ("records.sqlite", RecordStoreDamaged, Home().records),
        ("records.sqlite", RecordStoreDamaged, Home().detector),
        ("signer/signer-chain.pem", CertificateError, Home().signer),
    )
    for name, kind, use in cases:
        before = (home / name).read_bytes()
        (home / name).write_bytes(b"damaged" * 200)
        with pytest.raises(kind) as caught:
            use()
        assert str(home / name.split("/")[0]) in str(caught.value)
        assert (home / name).read_bytes() == b"damaged" * 200
        (home / name).write_bytes(before)


def test_pem_files_are_text(tmp_path: Path) -> None:
    (tmp_path / "chain.der").write_bytes(b"\x30\x82\xff")
    for name, reason in (("chain.der", "it is not text"), ("missing", "no such file")):
        with pytest.raises(UsageError, match=reason) as caught:
            home_module.read_pem(tmp_path / name)
        assert caught.value.path == tmp_path / name
