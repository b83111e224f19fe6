"""Files that go past the server, to a real S3 service and from it."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import obstore
import pytest
from sqlalchemy import select

from blender_addon.comms import detour, uploading
from blender_addon.comms.bringing import Bringing
from blender_addon.comms.errands import Errand
from blender_addon.comms.hashes import Hashes
from blender_addon.comms.link import Link
from farm.client.farmclient import FarmClient
from farm.client.upload import upload_missing
from farm.database.schema import result_files
from farm.files.choice import store_of
from farm.files.direct import Direct
from farm.package.results import OUTPUT
from farm.protocol.accounts import Register
from farm.protocol.jobs import FileEntry, Receiving, Requirement, Submission
from farm.words.errors import FileNotHere
from farm.words.settings import ServerSettings
from farm.words.states import JobState
from tests.farm.farm import PASSPHRASE, Farm, running
from tests.farm.test_bucket import contradictions
from tests.ports import free_port
from tests.swift import Swift, swift

pytestmark = pytest.mark.soak

SIZE = 6_000_000


@pytest.fixture(scope="module")
def service() -> Iterator[Swift]:
    with swift() as made:
        yield made


class Doorway:
    """The bucket's address for those outside: passes everything on, and remembers the first line of each connection."""

    def __init__(self, endpoint: str) -> None:
        self._target = urlsplit(endpoint).hostname, urlsplit(endpoint).port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.lines: list[str] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def asked(self, verb: str) -> int:
        """Return how often."""
        return [line.split()[0] for line in self.lines].count(verb)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        with suppress(OSError), caller, socket.create_connection(self._target) as bucket:
            head = caller.recv(65536)
            self.lines.append(head.split(b"\r\n", 1)[0].decode())
            bucket.sendall(head)
            threading.Thread(target=self._pass, args=(caller, bucket), daemon=True).start()
            self._pass(bucket, caller)

    @staticmethod
    def _pass(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


def submitted(client: FarmClient, file: Path, frames: str = "1-2", output: int = 2_000_000) -> Receiving:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    entry = FileEntry(path="scene.bin", sha256=digest, size=file.stat().st_size)
    settings = {"seconds": 0.0, "output_bytes": output}
    wanted = Requirement(method="sleep")
    return client.submit(
        Submission(name="large", requires=wanted, settings=settings, frames=frames, files=[entry], source="scene.bin")
    )


def random_file(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(os.urandom(SIZE))
    return path


def link_of(farm: Farm) -> Link:
    detour._until.clear()  # what another test found out is not true of this farm
    return Link(farm.url, farm.token)


def sent_and_rendered(farm: Farm, tmp_path: Path) -> None:
    """Send by the client and by the add-on, render, and bring home by both."""
    one, two = random_file(tmp_path, "one"), random_file(tmp_path, "two")
    first, second = submitted(farm.client, one), submitted(farm.client, two)
    upload_missing(farm.client, first, dict.fromkeys(first.missing, one), lambda _count: None)
    with link_of(farm).fresh() as link:
        uploading.upload(link, [(second.missing[0], SIZE, str(two))], lambda _told: None, threading.Event())
    for job in (first.job, second.job):
        farm.client.queue(job)
        assert farm.ended(job, 60).state is JobState.DONE
    for file in farm.output(first.job):
        target = tmp_path / f"home-{file.frame}"
        farm.client.fetch_file(first.job, file, target)
        assert hashlib.sha256(target.read_bytes()).hexdigest() == file.sha256
    errand = Errand(server=farm.url, job=second.job, folder=str(tmp_path / "home"))
    with link_of(farm).fresh() as link:
        fetched = Bringing(link, errand, threading.Event(), Hashes(str(tmp_path / "hashes"))).bring(ended=True)
    assert fetched.count == 2


def waiting(folder: Path, service: Swift) -> list[str]:
    """Return what was sent to the bucket and not spoken of."""
    bucket = direct_of(folder, service)._bucket
    return [found["path"] for batch in obstore.list(bucket, prefix="incoming") for found in batch]


def asked(verb: str, address: str, headers: dict[str, str] | None = None, body: bytes | None = None) -> int:
    return httpx.request(verb, address, headers=headers, content=body).status_code


def all_home(farm: Farm) -> bool:
    """Tell whether the server knows that every picture is where it belongs."""
    with farm.reading() as conn:
        query = select(result_files.c.fetched).where(result_files.c.role == OUTPUT)
        found = list(conn.execute(query).scalars())
    return len(found) == 4 and None not in found


def test_large_files_go_past_the_server_both_ways_and_count_as_fetched(tmp_path: Path, service: Swift) -> None:
    door = Doorway(service.endpoint)
    with running(
        tmp_path, free_space="0", bucket_public_endpoint=door.endpoint, quick=True, **service.settings
    ) as farm:
        farm.start_slave(slots="1")
        sent_and_rendered(farm, tmp_path)
        farm.until(lambda: all_home(farm), 30, "the server knows that all is at home")
        assert door.asked("PUT") == 2
        assert door.asked("GET") == 2 + 4  # two scenes to the slave, four pictures
        assert waiting(tmp_path, service) == []
        assert contradictions(farm, service) == []
        said = "".join(log.read_text() for log in tmp_path.glob("*.log"))
        assert "X-Amz-Signature" not in said
        # A browser that goes to a picture is led there; a page that shows it is not.
        file = farm.output(1)[0]
        path = f"/api/jobs/1/output/{file.frame}/{file.name}"
        with httpx.Client(base_url=farm.url, headers={"Authorization": f"Bearer {farm.token}"}) as http_client:
            gone = http_client.get(path, headers={"Sec-Fetch-Mode": "navigate"})
            assert gone.status_code == 307
            assert http_client.get(path, headers={"Sec-Fetch-Mode": "no-cors"}).status_code == 200
            answer = httpx.get(gone.headers["location"])
            assert file.name.rsplit("/", 1)[-1] in answer.headers["content-disposition"]


def test_who_cannot_reach_the_bucket_goes_through_the_server(tmp_path: Path, service: Swift) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    with running(tmp_path, free_space="0", bucket_public_endpoint=nowhere, quick=True, **service.settings) as farm:
        farm.start_slave(slots="1")
        sent_and_rendered(farm, tmp_path)
        farm.until(lambda: all_home(farm), 30, "the server knows that all is at home")
        assert contradictions(farm, service) == []


def test_an_address_is_good_for_nothing_else(tmp_path: Path, service: Swift) -> None:
    direct = direct_of(tmp_path, service)
    right, wrong = os.urandom(1000), os.urandom(1000)
    digest, other = hashlib.sha256(right).hexdigest(), hashlib.sha256(wrong).hexdigest()
    way = direct.way_in("user-1", digest, 1000)
    assert way is not None
    refused = {400, 401, 403, 411}
    assert asked("PUT", way.address, way.headers, wrong) in refused
    assert asked("PUT", way.address, {"content-length": "1000"}, right) in refused
    for verb in ("GET", "DELETE", "HEAD"):
        assert asked(verb, way.address, {"x-amz-checksum-sha256": way.headers["x-amz-checksum-sha256"]}) in refused
    assert asked("PUT", way.address.replace(digest, other), way.headers, right) in refused
    assert asked("PUT", way.address.replace("user-1-", "user-2-"), way.headers, right) in refused
    with pytest.raises(FileNotHere):
        direct.take("user-1", digest, 1000, f"{digest[:2]}/{digest}")
    assert asked("PUT", way.address, way.headers, right) == 200
    with pytest.raises(FileNotHere):  # what one sent is not another's
        direct.take("user-2", digest, 1000, f"{digest[:2]}/{digest}")
    direct.take("user-1", digest, 1000, f"{digest[:2]}/{digest}")
    out = direct.out(f"{digest[:2]}/{digest}", {})
    assert asked("GET", out) == 200
    assert asked("GET", out.replace(digest, other)) in refused
    assert asked("GET", out.replace(f"/{digest[:2]}/{digest}", "/")) in refused
    assert asked("GET", out.replace("X-Amz-Expires=120", "X-Amz-Expires=604800")) in refused
    for verb in ("PUT", "DELETE", "HEAD"):
        assert asked(verb, out, {}, b"x" if verb == "PUT" else None) in refused
    early = direct._outside.address("GET", f"{digest[:2]}/{digest}", 1, at=datetime(2020, 1, 1, tzinfo=UTC))
    assert asked("GET", early) in refused


def test_nobody_gets_by_its_hash_what_others_sent(tmp_path: Path, service: Swift) -> None:
    with running(tmp_path, free_space="0", registration="open", quick=True, **service.settings) as farm:
        file = random_file(tmp_path, "secret")
        mine = submitted(farm.client, file)
        upload_missing(farm.client, mine, dict.fromkeys(mine.missing, file), lambda _count: None)
        with FarmClient(farm.url) as nobody:
            granted = nobody.register(Register(name="eve", passphrase=PASSPHRASE))
        with FarmClient(farm.url, granted.token) as eve:
            hers = submitted(eve, file)
            assert hers.missing == mine.missing
            with pytest.raises(FileNotHere):
                eve.send("POST", f"/api/blobs/{hers.missing[0]}/arrived")


def direct_of(folder: Path, service: Swift) -> Direct:
    settings = ServerSettings.model_validate({"data": folder / "own", "free_space": 0, **service.settings})
    direct = store_of(settings)._direct  # type: ignore[attr-defined]
    assert isinstance(direct, Direct)
    return direct
