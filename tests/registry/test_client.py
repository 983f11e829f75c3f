"""Registries as they should be, and as they should not be."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from synthmark import Payload
from synthmark.labeling.errors import RegistryError, UsageError
from synthmark.labeling.registry import client
from synthmark.labeling.registry.client import Registry, resolve

PAYLOAD = Payload(issuer=7, serial=123456)
SCHEME = "image-lattice/1"
NAME = "urn:c2pa:1fc6e6e7-8d18-4d57-ad39-fb9e6092a1a1"


@pytest.fixture
def serve() -> Iterator[Callable[..., Any]]:
    """Return what starts a service with an answer for each path."""
    servers = []

    def start(answer: Callable[[str, dict[str, list[str]]], Any]) -> Any:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                server.asked.append(self.path)
                given = answer(parts.path, parse_qs(parts.query))
                if callable(given):
                    given(self)
                    return
                status, content = given if isinstance(given, tuple) else (200, given)
                if not isinstance(content, bytes):
                    content = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:  # whoever asked is gone
                pass

        server: Any = Server(("127.0.0.1", 0), Handler)
        server.asked = []
        server.url = f"http://127.0.0.1:{server.server_port}"
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def matches(*found: dict[str, Any]) -> dict[str, Any]:
    return {"matches": list(found)}


def test_a_mark_leads_to_its_manifest(serve: Callable[..., Any]) -> None:
    def answer(path: str, query: dict[str, list[str]]) -> Any:
        if path == "/base/matches/byBinding":
            assert query["alg"] == ["alt.synthmark.image-lattice.1"]
            value = base64.b64decode(query["value"][0])
            assert value == int(PAYLOAD).to_bytes(8, "big")
            return matches({"manifestId": NAME, "similarityScore": 100})
        assert path == f"/base/manifests/{NAME}"
        return b"a manifest"

    server = serve(answer)
    found = resolve([Registry(f"{server.url}/base/")], PAYLOAD, SCHEME)
    assert found
    assert (found.manifest_id, found.store) == (NAME, b"a manifest")
    assert found.registry == f"{server.url}/base/"


def test_what_nobody_knows_is_none(serve: Callable[..., Any]) -> None:
    server = serve(lambda *_: matches())
    assert resolve([Registry(server.url)] * 2, PAYLOAD, SCHEME) is None
    assert len(server.asked) == 2


def test_the_second_registry_is_asked_when_the_first_is_down(
    serve: Callable[..., Any],
) -> None:
    down = serve(lambda *_: (503, {"detail": "later"}))
    up = serve(
        lambda path, _: matches({"manifestId": NAME}) if "match" in path else b"m"
    )
    found = resolve([Registry(down.url), Registry(up.url)], PAYLOAD, SCHEME)
    assert found
    assert found.registry == up.url
    with pytest.raises(RegistryError, match="answers 503"):
        resolve([Registry(down.url)], PAYLOAD, SCHEME)


def test_another_host_is_asked_only_when_it_was_named(
    serve: Callable[..., Any],
) -> None:
    other = serve(lambda *_: b"elsewhere")
    server = serve(lambda *_: matches({"manifestId": NAME, "endpoint": other.url}))
    assert resolve([Registry(server.url)], PAYLOAD, SCHEME) is None
    assert other.asked == []
    found = resolve([Registry(server.url), Registry(other.url)], PAYLOAD, SCHEME)
    assert found
    assert (found.store, found.registry) == (b"elsewhere", other.url)


@pytest.mark.parametrize(
    "endpoint", ["http://169.254.169.254/", "file:///etc/passwd", "", 7, "https://a b"]
)
def test_strange_addresses_in_an_answer_are_passed_over(
    serve: Callable[..., Any], endpoint: Any
) -> None:
    server = serve(lambda *_: matches({"manifestId": NAME, "endpoint": endpoint}))
    assert resolve([Registry(server.url)], PAYLOAD, SCHEME) is None
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        [],
        7,
        {"matches": 7},
        {"matches": [7]},
        {"matches": [{}]},
        b"[" * 100_000,
        (404, b""),
        (302, b""),
        b'{"matches":[' + b" " * (1 << 20) + b"]}",
    ],
)
def test_answers_of_another_kind_are_errors(
    serve: Callable[..., Any], answer: Any
) -> None:
    server = serve(lambda *_: answer)
    with pytest.raises(RegistryError, match=r"the registry http://127\.0\.0\.1"):
        resolve([Registry(server.url)], PAYLOAD, SCHEME)


def test_a_redirection_is_not_followed(serve: Callable[..., Any]) -> None:
    other = serve(lambda *_: matches())

    def answer(*_: Any) -> Any:
        def send(handler: Any) -> None:
            handler.send_response(302)
            handler.send_header("Location", other.url)
            handler.end_headers()

        return send

    with pytest.raises(RegistryError, match="answers 302"):
        resolve([Registry(serve(answer).url)], PAYLOAD, SCHEME)
    assert other.asked == []


def test_one_who_is_silent_or_slow_is_given_up(
    serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "TIMEOUT_S", 0.3)
    monkeypatch.setattr(client, "DEADLINE_S", 0.6)

    def silent(handler: Any) -> None:
        time.sleep(1)

    def slow(handler: Any) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(30):
            handler.wfile.write(b" ")
            time.sleep(0.1)

    for behavior in (silent, slow):
        server = serve(lambda *_, behavior=behavior: behavior)
        begun = time.monotonic()
        with pytest.raises(RegistryError, match="does not answer"):
            Registry(server.url).manifest("x")
        assert time.monotonic() - begun < 2.5


def test_nobody_there_is_an_error() -> None:
    with pytest.raises(RegistryError, match="does not answer"):
        Registry("http://127.0.0.1:9").manifest("x")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "registry.example",
        "http://registry.example",
        "ftp://registry.example",
        "https://",
        "https://user@registry.example",
        "https://registry.example/?a=b",
        "https://registry.example/#a",
        "https://[::1",
        "https://registry.example:port",
    ],
)
def test_what_is_no_address_of_a_registry_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="is not the address of a registry"):
        Registry(url)
