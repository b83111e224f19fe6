"""Tokens: before any byte of a body; revoked ones are void; users and slaves are told apart."""

from __future__ import annotations

import json
import socket
from urllib.parse import urlsplit

import pytest

from farm.client.farmclient import FarmClient
from farm.words.errors import Unauthenticated
from tests.serving import Served


def raw(url: str, head: str, body: bytes = b"") -> bytes:
    """Send bytes as they are; return all bytes of the answer until the server closes."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + body)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/api/blobs/" + "0" * 64),
        ("POST", "/api/jobs"),
        ("PUT", "/api/slave/results/1"),
        ("POST", "/api/slave/next"),
        ("POST", "/nowhere"),
    ],
)
@pytest.mark.parametrize("length", ["Content-Length: 5000000000000", "Transfer-Encoding: chunked"])
def test_without_a_token_the_answer_comes_before_any_byte_of_the_body(
    served: Served, method: str, path: str, length: str
) -> None:
    answer = raw(
        served.url, f"{method} {path} HTTP/1.1\nHost: x\nContent-Type: multipart/form-data; boundary=b\n{length}\n\n"
    )
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 401 ")
    assert b"www-authenticate: Bearer" in head
    assert json.loads(body)["code"] == "unauthenticated"


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer x", "Basic eDp5", "Bearer " + "x" * 9000, "Bearer \xff"])
def test_a_wrong_token_is_refused(served: Served, token: str) -> None:
    answer = served.http.get("/api/accounts/me", headers={b"Authorization": token.encode("latin-1")})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


def test_everything_but_an_explicit_list_needs_a_token(served: Served) -> None:
    schema = served.http.get("/openapi.json").json()
    public = {
        "/api/server",
        "/healthz",
        "/readyz",
        "/metrics",
        "/api/accounts/register",
        "/api/accounts/login",
        "/api/accounts/recover",
    }
    public |= {"/.well-known/distren", "/api/slave/login", "/api/slaves/join", "/addon.zip", "/addon/index.json"}
    seen = 0
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert ("security" in operation) == (path not in public), path
            if path not in public:
                filled = path.replace("{", "").replace("}", "")
                assert served.http.request(method, filled).status_code == 401, path
                seen += 1
    assert seen > 20


def test_logging_out_voids_the_token_at_once(served: Served, admin: FarmClient) -> None:
    assert admin.me().name == "ada"
    admin.logout()
    with pytest.raises(Unauthenticated):
        admin.me()


def test_users_and_slaves_have_their_own_doors(served: Served, admin: FarmClient) -> None:
    slave = served.slave(admin)
    refused = slave.http.get("/api/jobs")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    token = admin._http.headers["Authorization"]
    refused = served.http.post("/api/slave/next", json={"seq": 1}, headers={"Authorization": token})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


def test_a_retired_slave_is_out_at_once(served: Served, admin: FarmClient) -> None:
    slave = served.slave(admin)
    slave.orders()
    admin.retire_slave("ws01")
    assert slave.report().status_code == 401
    assert admin.slaves() == []
    assert slave.http.post("/api/slave/login", json=slave.login).status_code == 401


def test_a_stranger_s_request_may_not_be_large(served: Served) -> None:
    big = {"name": "ada", "passphrase": "x" * 70_000}
    for answer in (
        served.http.post("/api/accounts/login", json=big),
        served.http.post("/api/accounts/login", content=iter([json.dumps(big).encode()])),
    ):
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
