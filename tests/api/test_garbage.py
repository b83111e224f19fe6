"""Garbage instead of requests, at every address: an answer that says so, at once, and a server that goes on."""

from __future__ import annotations

import json
import resource
from typing import Any

import pytest

from farm.client.farmclient import FarmClient
from farm.words.errors import BadFrameRange
from tests.api.test_jobs import sleeping
from tests.serving import Served

_JSON = {"content-type": "application/json"}

GARBAGE: dict[str, bytes] = {
    "empty": b"",
    "no JSON": b"{",
    "another type": b"[1, 2]",
    "null": b"null",
    "a number beyond all": b'{"seq": 1' + b"0" * 400 + b"}",
    "no UTF-8": b'{"name": "\xff\xfe"}',
    "a lone surrogate": b'{"name": "\\ud800", "seq": 1}',
    "NUL": b'{"name": "a\\u0000b", "frames": "1\\u0000"}',
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "not a number": b'{"seq": NaN, "hold": Infinity}',
    "a long name": b'{"name": "' + b"x" * 1_000_000 + b'"}',
    "a long list": b'{"finished": [' + b"{}," * 100_000 + b"{}]}",
}


def test_garbage_is_refused_at_every_address(served: Served, admin: FarmClient) -> None:
    slave = served.slave(admin)
    user = {"Authorization": admin._http.headers["Authorization"]}
    paths = served.http.get("/openapi.json").json()["paths"]
    asked = 0
    for path, operations in paths.items():
        for method in operations.keys() & {"post", "put", "patch"}:
            if "logout" in path:
                continue
            at = path.replace("{sha256}", "0" * 64).replace("{name}", "nobody")
            for part in ("{job}", "{frame}", "{attempt}"):
                at = at.replace(part, "7")
            caller, token = (slave.http, {}) if path.startswith("/api/slave/") else (served.http, user)
            for what, body in GARBAGE.items():
                said = caller.request(method, at, content=body, headers={**_JSON, **token})
                asked += 1
                assert said.status_code < 500, (method, path, what, said.text[:300])
                if said.is_error:
                    assert said.headers["content-type"] == "application/problem+json", (method, path, what)
                    assert len(said.content) < 10_000, (method, path, what)
    assert asked > 200
    assert admin.me().name == "ada"


@pytest.mark.parametrize(
    "frames", ["1-1000000000", "0-1048574", "1-" + "9" * 400, "1-1000000," * 1000, "1-1048574x1,5", "1," * 1_100_000]
)
def test_a_billion_frames_are_refused_with_the_limit_and_without_memory(
    served: Served, admin: FarmClient, frames: str
) -> None:
    token = {"Authorization": admin._http.headers["Authorization"]}
    job = admin.submit(sleeping()).job
    admin.queue(job)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wish: dict[str, Any] = {**json.loads(sleeping().model_dump_json()), "frames": frames}
    asked = [
        served.http.post("/api/jobs", json=wish, headers=token),
        served.http.post(f"/api/jobs/{job}/retry", json={"frames": frames}, headers=token),
        served.http.patch(f"/api/jobs/{job}", json={"add_frames": frames}, headers=token),
    ]
    for said in asked:
        assert said.status_code == BadFrameRange.status, said.text[:300]
        assert len(said.content) < 2000
    report = served.http.post("/api/jobs/check", json=wish, headers=token)
    assert report.is_error or report.json()["problems"]
    # Kilobytes; the limit of frames alone would take some 100 MB as numbers.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000
    assert len(admin.jobs().jobs) == 1
