"""Bytes on their way in and out: what lies is refused, what breaks off leaves nothing or goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from farm.client.farmclient import FarmClient
from farm.words.errors import (
    FileNotHere,
    FilesMissing,
    HashMismatch,
    LengthMismatch,
    Malformed,
    RangeNotSatisfiable,
)
from farm.words.states import JobState
from tests.api.test_jobs import (
    PICTURE,
    queued,
    refusal,
    render,
    send,
    sha,
    sleeping,
    wait_for,
)
from tests.serving import Served, SlaveCaller


def put(served: Served, client: FarmClient, sha256: str, content: Any, **headers: str) -> httpx.Response:
    token = {"Authorization": client._http.headers["Authorization"], **headers}
    return served.http.put(f"/api/blobs/{sha256}", content=content, headers=token)


def test_uploads_that_lie_are_refused_and_the_truth_is_taken(served: Served, admin: FarmClient) -> None:
    admin.submit(sleeping({"a": b"12345"}))
    name = sha(b"12345")
    assert isinstance(refusal(put(served, admin, name, b"54321")), HashMismatch)
    assert isinstance(refusal(put(served, admin, name, b"1234")), LengthMismatch)
    assert isinstance(refusal(put(served, admin, name, b"123456")), LengthMismatch)
    assert isinstance(refusal(put(served, admin, name, iter([b"123", b"456"]))), LengthMismatch)
    assert isinstance(refusal(put(served, admin, sha(b"?"), b"?")), FileNotHere)
    assert isinstance(refusal(put(served, admin, "nonsense", b"?")), Malformed)
    with pytest.raises(FilesMissing):
        admin.queue(1)
    assert put(served, admin, name, iter([b"123", b"45"])).status_code == 201
    assert put(served, admin, name, b"12345").status_code == 200
    assert admin.queue(1).state == JobState.QUEUED


def test_two_clients_may_send_the_same_bytes_at_once(served: Served, admin: FarmClient, tmp_path: Path) -> None:
    bob = served.invited(admin, "bob")
    data = b"0123456789abcdef" * 300_000
    faults: list[BaseException] = []

    def submit(client: FarmClient, folder: Path) -> None:
        try:
            folder.mkdir()
            assert queued(client, folder, {"big": data}).state == JobState.QUEUED
        except BaseException as error:  # noqa: BLE001 - it is raised again below
            faults.append(error)

    threads = [threading.Thread(target=submit, args=(c, tmp_path / c.me().name)) for c in (admin, bob, admin, bob)[:2]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults
    blobs = tmp_path / "data" / "storage" / "blobs"
    assert len(list(blobs.glob("??/*"))) == 1


def test_an_upload_that_breaks_off_leaves_nothing(served: Served, admin: FarmClient, tmp_path: Path) -> None:
    data = b"x" * 5_000_000
    admin.submit(sleeping({"big": data}))

    def broken() -> Iterator[bytes]:
        yield data[:2_000_000]
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        put(served, admin, sha(data), broken(), **{"Content-Length": str(len(data))})
    blobs = tmp_path / "data" / "storage" / "blobs"
    wait_for(lambda: not list((blobs / "incoming").iterdir()))
    assert not list(blobs.glob("??/*"))
    send(admin, tmp_path, data)
    assert admin.queue(1).state == JobState.QUEUED


def test_downloads_can_go_on_where_they_broke_off(
    served: Served, admin: FarmClient, slave: SlaveCaller, tmp_path: Path
) -> None:
    queued(admin, tmp_path, frames="7")
    render(slave, 1)
    url, token = "/api/jobs/1/output/7/0001.png", {"Authorization": admin._http.headers["Authorization"]}

    def get(verb: str = "GET", **headers: str) -> httpx.Response:
        return served.http.request(verb, url, headers={**token, **{k.replace("_", "-"): v for k, v in headers.items()}})

    whole = get()
    assert (whole.status_code, whole.content) == (200, PICTURE)
    assert whole.headers["etag"] == f'"{sha(PICTURE)}"'
    assert whole.headers["accept-ranges"] == "bytes"
    assert whole.headers["content-type"] == "image/png"
    assert "0001.png" in whole.headers["content-disposition"]
    part = get(Range="bytes=1000-1999")
    assert (part.status_code, part.content) == (206, PICTURE[1000:2000])
    assert part.headers["content-range"] == "bytes 1000-1999/5120"
    assert get(Range="bytes=5000-", If_Range=f'"{sha(PICTURE)}"').status_code == 206
    assert get(Range="bytes=5000-", If_Range='"older"').content == PICTURE
    assert get(If_None_Match=f'"{sha(PICTURE)}"').status_code == 304
    head = get("HEAD", Range="bytes=0-9")
    assert (head.status_code, head.headers["content-length"], head.content) == (206, "10", b"")
    behind = get(Range="bytes=5120-")
    assert behind.headers["content-range"] == "bytes */5120"
    assert isinstance(refusal(behind), RangeNotSatisfiable)
    url = "/api/jobs/1/output/7/%2e%2e%2f%2e%2e%2fsecret"
    assert get().status_code == 404


def test_bytes_that_the_disk_lost_can_be_sent_again(served: Served, admin: FarmClient, tmp_path: Path) -> None:
    queued(admin, tmp_path, {"a": b"12345"})
    (blob,) = (tmp_path / "data" / "storage" / "blobs").glob("??/*")
    blob.unlink()
    assert put(served, admin, sha(b"12345"), b"12345").status_code == 201
    assert blob.read_bytes() == b"12345"
