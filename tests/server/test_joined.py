"""An answer leaves the server in one piece, and whole."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from farm.server.joined import AT_MOST
from tests.serving import Served, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(Path(tmp_path_factory.mktemp("joined")) / "data") as running:
        yield running


@contextmanager
def asking(served: Served, path: str, *more: str) -> Iterator[socket.socket]:
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 30) as asked:
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}", *more, "", ""]
        asked.sendall("\r\n".join(lines).encode())
        yield asked


def whole(asked: socket.socket) -> bytes:
    said = b""
    while piece := asked.recv(1 << 20):
        said += piece
    return said


def test_head_and_body_arrive_together(served: Served) -> None:
    with asking(served, "/healthz") as asked:
        head, _, body = asked.recv(65536).partition(b"\r\n\r\n")
    assert f"content-length: {len(body)}".encode() in head
    assert body


def test_what_is_said_before_the_connection_is_closed_arrives(served: Served) -> None:
    with asking(served, "/api/jobs") as asked:
        head, _, body = whole(asked).partition(b"\r\n\r\n")
    assert b" 401 " in head
    assert f"content-length: {len(body)}".encode() in head


def test_a_large_answer_arrives_whole(served: Served) -> None:
    with asking(served, "/openapi.json", "Connection: close") as asked:
        head, _, body = whole(asked).partition(b"\r\n\r\n")
    assert len(body) > AT_MOST
    assert f"content-length: {len(body)}".encode() in head


def one(asked: socket.socket) -> bytes:
    """Read one answer."""
    said = b""
    while not (found := re.search(rb"content-length: (\d+)\r\n.*?\r\n\r\n", said, re.DOTALL)) or len(said) < (
        found.end() + int(found[1])
    ):
        piece = asked.recv(65536)
        assert piece, said
        said += piece
    return said


def test_a_connection_answers_one_request_after_another_and_those_sent_at_once(served: Served) -> None:
    again = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with asking(served, "/healthz") as asked:
        assert b" 200 " in one(asked)
        asked.sendall(again.encode())
        assert b" 200 " in one(asked)
        asked.sendall((again * 3 + again.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")).encode())
        assert whole(asked).count(b"HTTP/1.1 200 ") == 4
