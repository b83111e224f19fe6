from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.client.farmclient import FarmClient
from farm.client.landing import Landing
from farm.protocol.jobs import OutputFile
from farm.words.errors import HashMismatch, Unavailable, Unreachable

BODY = bytes(range(256)) * 8192
SHA = hashlib.sha256(BODY).hexdigest()


class Shaky(http.server.BaseHTTPRequestHandler):
    """A server that sends ranges, and breaks off every answer after a part of it."""

    sent: list[tuple[int, int]]
    breaks_after: int | None
    body: bytes

    def do_GET(self) -> None:
        start = int(self.headers.get("Range", "bytes=0-")[6:-1])
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(self.body) - start))
        self.end_headers()
        end = len(self.body) if self.breaks_after is None else start + self.breaks_after
        self.sent.append((start, min(end, len(self.body))))
        self.wfile.write(self.body[start:end])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def shaky() -> Iterator[tuple[str, type[Shaky]]]:
    handler = type("Handler", (Shaky,), {"sent": [], "breaks_after": None, "body": BODY})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    server.server_close()
    thread.join()


def file(sha256: str = SHA) -> OutputFile:
    return OutputFile(frame=1, name="shot 0001.png", sha256=sha256, size=len(BODY))


def test_a_broken_download_goes_on_where_it_stopped(shaky: tuple[str, type[Shaky]], tmp_path: Path) -> None:
    address, handler = shaky
    handler.breaks_after = 1_200_000
    target = tmp_path / "out" / "shot 0001.png"
    with FarmClient(address) as client:
        with pytest.raises(Unavailable):
            client.fetch_file(1, file(), target)
        assert not target.exists()
        client.fetch_file(1, file(), target)
    assert target.read_bytes() == BODY
    assert 0 < handler.sent[1][0] <= 1_200_000
    assert [p.name for p in target.parent.iterdir()] == [target.name]


def test_damaged_bytes_never_get_the_files_name(shaky: tuple[str, type[Shaky]], tmp_path: Path) -> None:
    with FarmClient(shaky[0]) as client, pytest.raises(HashMismatch, match=r"shot 0001\.png"):
        client.fetch_file(1, file("0" * 64), tmp_path / "shot 0001.png")
    assert not list(tmp_path.iterdir())


def test_a_server_that_is_not_there_is_named() -> None:
    with FarmClient("http://127.0.0.1:9") as client, pytest.raises(Unreachable, match=r"127\.0\.0\.1:9") as caught:
        client.server_info()
    assert "doctor" in caught.value.hint


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(Unreachable), FarmClient("htp:/nowhere") as client:
        client.server_info()


def test_another_kind_of_server_is_told_from_a_farm(shaky: tuple[str, type[Shaky]]) -> None:
    shaky[1].body = b"<html>hello</html>"
    with FarmClient(shaky[0]) as client, pytest.raises(Unavailable, match="does not understand"):
        client.server_info()


def test_a_download_of_which_nothing_arrived_leaves_nothing(tmp_path: Path) -> None:
    for arrived in (b"", b"some"):
        landing = Landing(tmp_path / "shot 0001.png", SHA)
        landing.open()
        landing.write(arrived)
        landing.close()
        assert [path.read_bytes() for path in tmp_path.iterdir()] == ([arrived] if arrived else [])


def test_an_empty_file_lands(tmp_path: Path) -> None:
    landing = Landing(target := tmp_path / "empty", hashlib.sha256().hexdigest())
    landing.open()
    landing.finish()
    landing.close()
    assert target.read_bytes() == b""
