"""The doctor looks at everything, makes nothing, and names what is broken."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from synthmark import Home, Payload, RecordStore
from synthmark.labeling import doctor
from synthmark.labeling.doctor import examine
from synthmark.labeling.errors import ManifestError
from synthmark.labeling.marks import image
from synthmark.labeling.provenance import certificates, sdk


def checks(home: Path) -> dict[str, Any]:
    return {check.name: check for check in examine(Home(home))}


def bad(home: Path) -> dict[str, str]:
    return {name: check.text for name, check in checks(home).items() if not check.ok}


@pytest.fixture
def used(home: Path) -> Path:
    """A home with everything in it."""
    labeler = Home(home).labeler()
    assert labeler.records
    labeler.records.append(
        produce_id="n1",
        payload=Payload(issuer=0, serial=1),
        sha256_before="a" * 64,
        sha256_after="b" * 64,
        media="image",
        layers=["mark"],
        service="other",
        jurisdictions=["cn"],
        software="test/1",
    )
    return home


def test_without_a_home_all_is_well_and_stays_unmade(home: Path) -> None:
    found = checks(home)
    assert bad(home) == {}
    assert set(found) == {"python", "packages", "mark", "manifest", "home", "anchors"}
    assert "not yet made" in found["home"].text
    assert "numpy" in found["packages"].text
    assert "C2PA library" in found["manifest"].text
    assert not home.exists()


def test_a_home_is_described(used: Path) -> None:
    found = checks(used)
    assert bad(used) == {}
    assert found["home"].text == str(used)
    assert Home(used).key().id in found["key"].text
    assert "for development only" in found["signer"].text
    assert "valid until 20" in found["signer"].text
    assert found["anchors"].text == "1 trusted root certificates"
    assert found["records"].text == "1 records, intact"


def test_the_key_itself_is_never_shown(used: Path) -> None:
    secret = (used / "mark.key").read_text().split()[1]
    assert not any(secret in check.text for check in checks(used).values())


def test_each_broken_part_is_named_by_itself(used: Path) -> None:
    other = certificates.make_development_chain()
    (used / "anchors").mkdir()
    for file, content, part, problem in (
        ("mark.key", b"short", "key", "is not a key file"),
        ("anchors/x.pem", b"none", "anchors", "cannot be read as PEM"),
        ("records.sqlite", b"no database", "records", "not a readable record log"),
        ("signer/signer-chain.pem", b"none", "signer", "cannot be read as PEM"),
        ("signer/signer-key.pem", other.key_pem.encode(), "signer", "does not belong"),
    ):
        path = used / file
        before = path.read_bytes() if path.exists() else None
        path.write_bytes(content)
        found = bad(used)
        assert set(found) == {part}
        assert problem in found[part]
        assert file.split("/")[0] in found[part]
        path.unlink() if before is None else path.write_bytes(before)
    assert bad(used) == {}


def test_a_broken_chain_of_records_is_named(used: Path) -> None:
    with sqlite3.connect(used / "records.sqlite") as connection:
        connection.execute("DROP TRIGGER record_update")
        connection.execute("UPDATE record SET service = 'face'")
    found = bad(used)
    assert set(found) == {"records"}
    assert "the fields do not match the hash" in found["records"]


def test_a_log_that_somebody_writes_to_is_no_trouble(used: Path) -> None:
    store = RecordStore(used / "records.sqlite")
    with store._database.transaction(write=True):
        assert bad(used) == {}


def test_a_missing_library_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load() -> None:
        raise ManifestError("the C2PA library cannot be loaded", hint="Install it.")

    monkeypatch.setattr(sdk, "load", load)
    found = bad(home)
    assert set(found) == {"manifest"}
    assert "Install it." in found["manifest"]


def test_a_mark_that_does_not_work_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image, "embed_image", lambda host, *_: host)
    assert set(bad(home)) == {"mark"}


def test_packages_of_another_build_are_no_trouble(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "PACKAGES", ("numpy", "opencv-of-somebody"))
    text = checks(home)["packages"].text
    assert text.startswith("numpy ")
    assert text.endswith("opencv-of-somebody (another build)")
