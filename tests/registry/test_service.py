"""The five calls of the Soft Binding Resolution API, over a log of labeled files."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from synthmark import Home, LabelResult
from synthmark.labeling.fingerprints.image import fingerprint_image
from synthmark.labeling.model import State
from synthmark.labeling.payload import Payload
from synthmark.labeling.provenance.reading import read_store

pytest.importorskip("fastapi", reason="FastAPI is not installed")
pytest.importorskip("httpx2", reason="httpx2 is not installed")

from fastapi.testclient import TestClient

from synthmark.labeling.registry.lookup import Lookup
from synthmark.labeling.registry.service import Limits, make_service

LATTICE = "alt.synthmark.image-lattice.1"
PICTURES = "alt.synthmark.image-fingerprint.1"


@pytest.fixture(scope="module")
def labeled(
    tmp_path_factory: pytest.TempPathFactory,
    make_scene: Callable[..., Any],
    save: Callable[..., bytes],
) -> tuple[Home, LabelResult]:
    home = Home(tmp_path_factory.mktemp("registry") / "home")
    labeler = home.labeler()
    labeler.label(save(make_scene(seed=1)))
    result = labeler.label(save(make_scene(256, 320, seed=2)))
    labeler.label(b"# A text\n", media_format="md")
    return home, result


@pytest.fixture(scope="module")
def service(labeled: tuple[Home, LabelResult]) -> TestClient:
    detector = labeled[0].detector()
    assert detector.records
    limits = Limits(body_bytes=2 << 20, per_minute=100_000)
    return TestClient(make_service(Lookup(detector.records, detector), limits))


def value_of(payload: Payload | None) -> str:
    assert payload is not None
    return base64.b64encode(int(payload).to_bytes(8, "big")).decode()


def stripped(content: bytes) -> bytes:
    """Return the pixels alone, compressed again."""
    file = io.BytesIO()
    with Image.open(io.BytesIO(content)) as picture:
        picture.convert("RGB").save(file, "JPEG", quality=80)
    return file.getvalue()


def test_a_mark_leads_to_its_manifest(
    service: TestClient, labeled: tuple[Home, LabelResult]
) -> None:
    home, result = labeled
    asked = {"alg": LATTICE, "value": value_of(result.payload)}
    answers = [
        service.get("/matches/byBinding", params=asked),
        service.post("/matches/byBinding", json=asked),
    ]
    for answer in answers:
        assert answer.status_code == 200
        (match,) = answer.json()["matches"]
        assert set(match) == {"manifestId", "similarityScore"}
        assert match["similarityScore"] == 100
    store = service.get(f"/manifests/{match['manifestId']}")
    assert store.status_code == 200
    assert store.headers["content-type"] == "application/c2pa"
    reading = read_store(store.content, anchors_pem=home.anchors_pem())
    assert (reading.state, reading.payload) == (State.TRUSTED, result.payload)
    assert reading.manifest_id == match["manifestId"]
    active = service.get(
        f"/manifests/{match['manifestId']}", params={"returnActiveManifest": True}
    )
    assert read_store(active.content).manifest_id == match["manifestId"]


def test_content_leads_to_its_manifest(
    service: TestClient, labeled: tuple[Home, LabelResult], make_scene: Any, save: Any
) -> None:
    result = labeled[1]
    content = stripped(result.content)
    (marked,) = service.post("/matches/byContent", content=content).json()["matches"]
    # Without its mark it is known by what it shows.
    original = stripped(save(make_scene(256, 320, seed=2)))
    (alike,) = service.post("/matches/byContent", content=original).json()["matches"]
    assert alike["manifestId"] == marked["manifestId"]
    assert marked["similarityScore"] == 100 >= alike["similarityScore"] > 50
    other = save(make_scene(seed=9))
    assert service.post("/matches/byContent", content=other).json() == {"matches": []}
    hint = {"hintAlg": LATTICE, "hintValue": value_of(result.payload)}
    answer = service.post("/matches/byContent", content=other, params=hint)
    assert answer.json()["matches"] == [marked]


def test_a_fingerprint_leads_to_its_manifest(
    service: TestClient, labeled: tuple[Home, LabelResult]
) -> None:
    with Image.open(io.BytesIO(labeled[1].content)) as picture:
        import numpy as np

        fingerprint = fingerprint_image(np.asarray(picture))
    value = base64.b64encode(fingerprint.value).decode()
    answer = service.post("/matches/byBinding", json={"alg": PICTURES, "value": value})
    (match,) = answer.json()["matches"]
    assert match["similarityScore"] > 80


def test_the_algorithms_are_told(service: TestClient) -> None:
    told = service.get("/services/supportedAlgorithms").json()
    assert {"alg": LATTICE} in told["watermarks"]
    assert {"alg": PICTURES} in told["fingerprints"]
    assert {len(told["watermarks"]), len(told["fingerprints"])} == {3}


def test_nothing_found_is_an_answer(service: TestClient) -> None:
    asked = {"alg": LATTICE, "value": value_of(Payload(issuer=1, serial=1))}
    assert service.get("/matches/byBinding", params=asked).json() == {"matches": []}
    answer = service.get("/manifests/urn:c2pa:none")
    assert answer.status_code == 404
    assert "no such manifest" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({}, 400),
        ({"alg": LATTICE}, 400),
        ({"alg": LATTICE, "value": "AAAA"}, 400),
        ({"alg": LATTICE, "value": "*"}, 400),
        ({"alg": "com.example.mark.1", "value": "AAAAAAAAAAA="}, 400),
        ({"alg": PICTURES, "value": "AAAA"}, 400),
        ({"alg": LATTICE, "value": "AAAAAAAAAAA=", "maxResults": 0}, 400),
        ({"alg": LATTICE, "value": "AAAAAAAAAAA=", "maxResults": "many"}, 400),
        ({"alg": LATTICE, "value": "A" * 9000}, 414),
    ],
)
def test_bad_questions_get_clear_answers(
    service: TestClient, asked: dict[str, Any], status: int
) -> None:
    answer = service.get("/matches/byBinding", params=asked)
    assert answer.status_code == status
    assert "Traceback" not in answer.text
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"alg":1,"value":2}', b"\xff" * 9]
)
def test_bad_bodies_get_clear_answers(service: TestClient, body: bytes) -> None:
    answer = service.post("/matches/byBinding", content=body)
    assert answer.status_code == 400


def test_bad_contents_get_clear_answers(
    service: TestClient, labeled: tuple[Home, LabelResult]
) -> None:
    for content, status in (
        (b"", 400),
        (b"\0" * 99, 415),
        (labeled[1].content[:5000], 400),
        (bytes(3 << 20), 413),
    ):
        answer = service.post("/matches/byContent", content=content)
        assert answer.status_code == status, answer.text
        assert answer.json()["detail"]


def test_nothing_can_be_written(service: TestClient) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        for path in ("/manifests/x", "/manifests", "/bindings"):
            assert service.request(method, path).status_code in (404, 405)


def test_a_withdrawn_manifest_is_gone(
    tmp_path: Path, make_scene: Callable[..., Any], save: Callable[..., bytes]
) -> None:
    home = Home(tmp_path / "home")
    labeler = home.labeler()
    result = labeler.label(save(make_scene()))
    assert labeler.records
    (record,) = labeler.records.find(payload=result.payload)
    assert record.manifest_id
    detector = home.detector()
    assert detector.records
    client = TestClient(make_service(Lookup(detector.records, detector)))
    assert client.get(f"/manifests/{record.manifest_id}").status_code == 200
    labeler.records.withdraw(record.manifest_id)
    assert client.get(f"/manifests/{record.manifest_id}").status_code == 404


def test_one_who_asks_too_often_has_to_wait(
    labeled: tuple[Home, LabelResult],
) -> None:
    detector = labeled[0].detector()
    assert detector.records
    service = make_service(Lookup(detector.records, detector), Limits(per_minute=3))
    client = TestClient(service)
    answers = [client.get("/services/supportedAlgorithms") for _ in range(5)]
    assert [one.status_code for one in answers[:4]] == [200, 200, 200, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_what_is_sent_is_not_kept(
    service: TestClient,
    labeled: tuple[Home, LabelResult],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = {path.name for path in tmp_path.iterdir()}
    service.post("/matches/byContent", content=stripped(labeled[1].content))
    assert {path.name for path in tmp_path.iterdir()} == before


def test_the_description_is_openapi(service: TestClient) -> None:
    told = service.get("/openapi.json").json()
    assert {
        (path, method) for path, calls in told["paths"].items() for method in calls
    } == {
        ("/matches/byBinding", "get"),
        ("/matches/byBinding", "post"),
        ("/matches/byContent", "post"),
        ("/manifests/{manifest_id}", "get"),
        ("/services/supportedAlgorithms", "get"),
    }
