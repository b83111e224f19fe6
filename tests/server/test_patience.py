"""Clients that take all night, or never end: they are told so and are gone, and nobody else notices."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from farm.server import patience
from tests.serving import Served, serving

HEAD = b"POST /api/accounts/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
SHORT = 4.0
"""Seconds: what no machine is too busy for, yet a test may wait."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch, serving(Path(tmp_path_factory.mktemp("patience")) / "data") as running:
        patch.setattr(patience, "HEAD_SECONDS", SHORT)
        patch.setattr(patience, "BODY_SECONDS", SHORT)
        yield running


@contextmanager
def connected(served: Served) -> Iterator[socket.socket]:
    place = urlsplit(served.url)
    with socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=60) as made:
        yield made


def answer(made: socket.socket) -> tuple[int, dict[str, object]]:
    """Read until the server closes; return its answer's status and problem."""
    said = b""
    while piece := made.recv(65536):
        said += piece
    head, _, body = said.partition(b"\r\n\r\n")
    if not head:
        return 0, {}
    assert b"content-type: application/problem+json" in head.lower()
    return int(head.split()[1]), json.loads(body)


SILENT = {
    "nothing": b"",
    "half a line": b"GET /healthz HT",
    "half a head": HEAD,
    "half a body": HEAD + b"Content-Length: 20\r\n\r\n{",
    "no chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
}


def test_who_says_nothing_more_is_told_so_and_let_go(served: Served) -> None:
    with ExitStack() as kept:
        waiting = {what: kept.enter_context(connected(served)) for what in SILENT}
        for what, made in waiting.items():
            made.sendall(SILENT[what])
        told = {what: answer(made) for what, made in waiting.items()}
    assert {what: (status, problem.get("status")) for what, (status, problem) in told.items()} == dict.fromkeys(
        SILENT, (408, 408)
    )


def test_who_sends_a_head_byte_by_byte_has_no_more_time(served: Served) -> None:
    with connected(served) as made:
        made.settimeout(0.2)
        made.sendall(HEAD)
        said = b""
        for _ in range(300):  # a minute
            with suppress(TimeoutError):
                said = made.recv(1000)
                break
            made.sendall(b"X")
    assert said.startswith(b"HTTP/1.1 408 ")


def test_a_body_that_goes_on_arriving_has_all_the_time_it_needs(served: Served) -> None:
    body = json.dumps({"name": "ada", "passphrase": "a wrong one of some length"}).encode()
    with connected(served) as made:
        made.sendall(HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
        step = len(body) // 9
        for start in range(0, len(body), step):
            time.sleep(SHORT / 8)
            made.sendall(body[start : start + step])
        assert answer(made)[0] == 401


def test_who_waits_for_an_answer_is_not_let_go(served: Served) -> None:
    admin = served.admin()
    with connected(served) as made:
        token = admin._http.headers["Authorization"].encode()
        made.sendall(b"GET /api/events HTTP/1.1\r\nHost: x\r\nAuthorization: " + token + b"\r\n\r\n")
        said = piece = made.recv(65536)
        made.settimeout(2 * SHORT)
        with suppress(TimeoutError):
            while piece := made.recv(65536):
                said += piece
        assert piece, "it was let go"
    assert said.startswith(b"HTTP/1.1 200")


ENDLESS = {
    "headers": (HEAD, b"X-More: " + b"x" * 1000 + b"\r\n"),
    "one header": (HEAD + b"X-More: ", b"x" * 1000),
    "address": (b"GET /", b"x" * 1000),
    "empty lines": (b"", b"\r\n" * 500),
    "trailers": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", b"X-More: " + b"x" * 1000 + b"\r\n"),
    "extensions of a chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2;", b"x" * 1000),
}


@pytest.mark.parametrize("what", ENDLESS)
def test_what_never_becomes_a_request_is_not_kept(served: Served, what: str) -> None:
    begin, piece = ENDLESS[what]
    sent = 0
    with connected(served) as made:
        try:
            made.sendall(begin)
            while sent < 50_000_000:
                made.sendall(piece * 50)
                sent += len(piece) * 50
        except OSError:
            pass
    # What lies in the system's buffers between both counts as sent.
    assert sent < 20_000_000
    assert served.http.get("/healthz").status_code == 200


def test_what_is_no_http_is_a_problem_like_any_other(served: Served) -> None:
    with connected(served) as made:
        made.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
        status, problem = answer(made)
    assert (status, problem["code"], problem["status"]) == (400, "malformed", 400)


def test_hundreds_of_silent_clients_keep_nobody_out(served: Served) -> None:
    silent = []
    try:
        for _ in range(300):
            made = socket.create_connection((urlsplit(served.url).hostname or "", urlsplit(served.url).port or 0), 60)
            made.sendall(HEAD)
            silent.append(made)
        assert served.http.get("/healthz").status_code == 200
        assert {answer(made)[0] for made in silent} == {408}
    finally:
        for made in silent:
            made.close()
