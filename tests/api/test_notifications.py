"""Notifications that are really sent: to a web server, to a mail server, and to where nothing may go."""

from __future__ import annotations

import email
import hashlib
import hmac
import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.header import decode_header, make_header
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from farm.client.farmclient import FarmClient
from farm.sandbox.reaper import bound
from farm.server.notify.payload import SIGNATURE
from tests.api.test_jobs import queued, render
from tests.jobs.pretend import tar_of
from tests.ports import free_port
from tests.serving import Served, serving

PATIENCE = 60.0
"""Seconds."""


@dataclass
class Heard:
    """What a web server got: headers and body of each POST; it answers with `status`."""

    port: int = 0
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    status: int = 204

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


@contextmanager
def listening() -> Iterator[Heard]:
    heard = Heard()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.posts.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(heard.status)
            self.send_header("location", f"http://127.0.0.1:{heard.port}/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        heard.port = web.server_address[1]
        threading.Thread(target=web.serve_forever, daemon=True).start()
        yield heard
        web.shutdown()


def http(client: FarmClient) -> httpx.Client:
    """Return a logged-in client's connection, to say what no client of ours would."""
    return client._http


def until(true: object) -> None:
    assert callable(true)
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def hear(client: FarmClient, way: str, address: str, *about: str) -> dict[str, object]:
    answer = http(client).post("/api/notifications", json={"way": way, "address": address, "about": list(about)})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def said(client: FarmClient) -> str:
    return str(http(client).get("/api/notifications").json()[0]["said"])


def test_a_webhook_hears_of_a_done_job_once_and_can_tell_that_it_was_us(tmp_path: Path) -> None:
    with listening() as heard, serving(tmp_path / "data", notify_private=True) as served:
        admin = served.admin()
        secret = str(hear(admin, "webhook", heard.url, "done")["secret"])
        queued(admin, tmp_path, name='nap "@everyone"', frames="1")
        render(served.slave(admin), 1)
        until(lambda: heard.posts)
        headers, body = heard.posts[0]
        told = json.loads(body)
        assert (told["about"], told["title"], told["url"]) == (
            "done", 'Job 1 “nap "@everyone"” is done', f"{served.url}/jobs/1"
        )  # fmt: skip
        seconds, made = (part.partition("=")[2] for part in headers[SIGNATURE.lower()].split(","))
        assert made == hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
        until(lambda: "arrived" in said(admin))
        assert len(heard.posts) == 1


def test_discord_and_slack_get_their_shapes_and_call_nobody(tmp_path: Path) -> None:
    with listening() as heard, serving(tmp_path / "data", notify_private=True) as served:
        admin = served.admin()
        for way in ("discord", "slack"):
            hear(admin, way, heard.url, "failed")
        for one in http(admin).get("/api/notifications").json():
            assert http(admin).post(f"/api/notifications/{one['id']}/test").status_code == 202
        until(lambda: len(heard.posts) == 2)
        bodies = {next(iter(json.loads(body))): json.loads(body) for _, body in heard.posts}
        assert bodies["content"]["allowed_mentions"] == {"parse": []}
        assert "this is how it will look" in bodies["text"]["text"]


def test_what_did_not_arrive_is_said_and_stays_to_be_said_also_over_a_restart(tmp_path: Path) -> None:
    with listening() as heard:
        heard.status = 302
        with serving(tmp_path / "data", notify_private=True) as served:
            admin = served.admin()
            hear(admin, "webhook", heard.url, "failed")
            http(admin).post("/api/notifications/1/test")
            until(lambda: "answered with 302" in said(admin))
            token = http(admin).headers["authorization"]
        assert len(heard.posts) == 1, "a redirect is not followed"
        with serving(tmp_path / "data", notify_private=True) as served:
            again = served.http.get("/api/notifications", headers={"authorization": token}).json()
            assert again[0]["pending"] == 1


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://2130706433:{port}/",
    ],
)
def test_nothing_is_sent_into_private_networks_unless_the_admin_allows_it(tmp_path: Path, address: str) -> None:
    with listening() as heard, serving(tmp_path / "data") as served:
        admin = served.admin()
        hear(admin, "webhook", address.format(port=heard.port), "failed")
        http(admin).post("/api/notifications/1/test")
        until(lambda: said(admin))
        assert "private network" in said(admin) or "There is no host" in said(admin)
        assert heard.posts == []


@contextmanager
def mailbox() -> Iterator[tuple[int, list[str]]]:
    """Run Debian's aiosmtpd until the block ends; yield its port, and the lines of what it got."""
    port, lines = free_port(), list[str]()
    argv = ["/usr/bin/python3", "-u", "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}"]
    argv += ["-c", "aiosmtpd.handlers.Debugging", "stdout"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as server:
        bound(server.pid)
        assert server.stdout is not None
        threading.Thread(target=lambda: lines.extend(server.stdout or ()), daemon=True).start()
        until(lambda: _listens(port))
        try:
            yield port, lines
        finally:
            server.kill()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def test_a_mail_tells_of_a_job_that_waits_for_approval(tmp_path: Path) -> None:
    with mailbox() as (port, lines):
        smtp = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "off", "smtp_from": "farm@example.org"}
        with serving(tmp_path / "data", **smtp) as served:
            admin = served.admin()
            hear(admin, "mail", "ada@example.org", "attention")
            job = queued(admin, tmp_path, name="nap", frames="1-9", approval=True).job
            render(served.slave(admin), 3, tar_of(output_0001_png=b"x"))
            until(lambda: any("END MESSAGE" in line for line in lines))
    start, end = (next(n for n, line in enumerate(lines) if mark in line) for mark in ("MESSAGE FOLLOWS", "END MESS"))
    mail = email.message_from_string("".join(lines[start + 1 : end]))
    assert str(make_header(decode_header(mail["subject"]))) == f"Job {job} “nap” waits for your approval"
    assert (mail["to"], mail["from"]) == ("ada@example.org", "farm@example.org")


def test_others_notifications_are_nobodys_business_and_nonsense_is_refused(served: Served, admin: FarmClient) -> None:
    hear(admin, "slack", "https://hooks.example.org/x", "done")
    bea = served.invited(admin, "bea")
    assert http(bea).get("/api/notifications").json() == []
    assert http(bea).delete("/api/notifications/1").status_code == 404
    assert http(bea).post("/api/notifications/1/test").status_code == 404
    for wish in (
        {"way": "slack", "address": "file:///etc/passwd", "about": ["done"]},
        {"way": "mail", "address": "https://example.org", "about": ["done"]},
        {"way": "webhook", "address": "a@example.org", "about": ["done"]},
        {"way": "webhook", "address": "https://example.org", "about": []},
        {"way": "webhook", "address": "https://example.org", "about": ["test"]},
    ):
        assert http(bea).post("/api/notifications", json=wish).status_code == 422, wish
    mail = {"way": "mail", "address": "a@example.org", "about": ["done"]}
    assert http(bea).post("/api/notifications", json=mail).json()["code"] == "conflict"
    assert http(admin).delete("/api/notifications/1").status_code == 204
    assert http(admin).get("/api/notifications").json() == []
