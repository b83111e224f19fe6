"""A server behind a real nginx that does TLS, below a path of its host: everything works as at home."""

from __future__ import annotations

import hashlib
import html
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlsplit

import httpx
import pytest

from blender_addon.comms.link import Link
from farm.accounts.throttle import Limit
from farm.client.farmclient import FarmClient
from farm.protocol.accounts import Register
from farm.protocol.jobs import Submission
from farm.words.errors import NotASetup
from farm.words.states import JobState
from tests.api.test_jobs import queued, render
from tests.certificates import certificate_for
from tests.ports import free_port
from tests.serving import PASSPHRASE, Served, SlaveCaller, serving

CADDY = shutil.which("caddy")
NGINX = Path(shutil.which("nginx") or "/usr/sbin/nginx")
EXAMPLE = Path(__file__).parents[2] / "docs" / "how-to" / "behind-a-proxy.md"
LINKS = re.compile(r'(?:href|src)="([^"]+)"')

pytestmark = pytest.mark.skipif(not NGINX.exists(), reason="There is no nginx here.")


@dataclass
class Proxied:
    """A server, its address behind the proxy, and the proxy's certificate."""

    served: Served
    url: str
    certificate: Path
    admin: FarmClient

    @property
    def origin(self) -> str:
        """The proxy's address."""
        return self.url.removesuffix("/farm")

    @property
    def trusting(self) -> ssl.SSLContext:
        """Trusts the proxy."""
        return ssl.create_default_context(cafile=self.certificate)

    def browser(self) -> httpx.Client:
        """Return a browser in which nobody is logged in."""
        headers = {"accept": "text/html", "origin": self.origin, "sec-fetch-site": "same-origin"}
        return httpx.Client(base_url=self.url, headers=headers, verify=self.trusting, trust_env=False, timeout=60)


@pytest.fixture(scope="module", params=["left on", "taken away", pytest.param("caddy", marks=pytest.mark.soak)])
def proxied(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    """The documented examples: nginx that leaves the path on, and one that takes it away; Caddy."""
    if request.param == "caddy" and CADDY is None:
        pytest.skip("There is no Caddy here.")
    folder, port, inner = tmp_path_factory.mktemp("proxied"), free_port(), free_port()
    made, key = certificate_for(folder, "DNS:localhost")
    url, target = f"https://localhost:{port}/farm", f"http://127.0.0.1:{inner}"
    target += "/" if request.param == "taken away" else ""
    with (
        serving(folder / "data", public_url=url, behind_proxy=True, port=inner) as served,
        (caddy if request.param == "caddy" else nginx)(folder, port, target, made, key),
        FarmClient(url, verify=str(made)) as client,
    ):
        wish = {"name": "ada", "passphrase": PASSPHRASE, "invite": served.ready.setup_code}
        token = client.register(Register.model_validate(wish)).token
        with FarmClient(url, token, verify=str(made)) as admin:
            yield Proxied(served, url, made, admin)


@contextmanager
def nginx(folder: Path, port: int, target: str, certificate: Path, key: Path) -> Iterator[None]:
    """Run nginx with what the documentation says, until the block ends."""
    location = re.findall(
        r"^    (location /farm/ \{\n.*?^    \})", EXAMPLE.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )[0]
    location = location.replace("http://127.0.0.1:8282", target)
    temporary = "".join(f"{kind}_temp_path {folder};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"user root; pid {folder}/pid; error_log {folder}/nginx.log; events {{}}\n"
        f"http {{ access_log off; {temporary}\n"
        f"server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};\n"
        f"{location}\n}} }}\n"
    )
    process = subprocess.Popen([NGINX, "-c", folder / "nginx.conf", "-p", folder, "-g", "daemon off;"])
    try:
        answers(port)
        yield
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def caddy(folder: Path, port: int, target: str, certificate: Path, key: Path) -> Iterator[None]:
    """Run Caddy with what the documentation says, until the block ends."""
    (site,) = re.findall(r"^studio.example.org \{\n.*?^\}", EXAMPLE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    site = site.replace("studio.example.org {", f"https://localhost:{port} {{\n    tls {certificate} {key}")
    site = site.replace("127.0.0.1:8282", target)
    (folder / "Caddyfile").write_text(f"{{\n    admin off\n    auto_https disable_redirects\n}}\n{site}\n")
    variables = {**os.environ, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with (folder / "caddy.log").open("ab") as log:
        command = [CADDY or "", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
        process = subprocess.Popen(command, env=variables, stdout=log, stderr=log)
    try:
        answers(port)
        yield
    finally:
        process.terminate()
        process.wait(30)


def answers(port: int) -> None:
    """Wait until somebody listens."""
    end = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
        except OSError:
            assert time.monotonic() < end, "nginx does not start"
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="module")
def browser(proxied: Proxied) -> Iterator[httpx.Client]:
    with proxied.browser() as made:
        answer = made.post("/login", data={"name": "ada", "passphrase": PASSPHRASE, "next": "/jobs"})
        assert urlsplit(answer.headers["location"]).path == "/farm/jobs"
        cookie = answer.headers["set-cookie"].lower()
        assert "path=/farm;" in f"{cookie};"
        assert "secure" in cookie
        yield made


def test_every_link_of_every_page_leads_to_what_is_there(
    proxied: Proxied, browser: httpx.Client, tmp_path: Path
) -> None:
    job = queued(proxied.admin, tmp_path).job
    proxied.admin.make_slave_key("ws01")
    seen: dict[str, int] = {}
    waiting = ["/farm/", f"/farm/jobs/{job}", f"/farm/jobs/{job}/1", "/farm/slaves/ws01", "/farm/newslave"]
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        answer = browser.get(f"{proxied.origin}{address}")
        seen[address] = answer.status_code
        if answer.headers["content-type"].startswith("text/html"):
            assert [to for to in re.findall(r'action="([^"]+)"', answer.text) if not to.startswith("/farm/")] == []
            waiting += [urldefrag(urljoin(address, html.unescape(link)))[0] for link in LINKS.findall(answer.text)]
    assert {address: code for address, code in seen.items() if code != 200 or not address.startswith("/farm/")} == {}
    assert {"/farm/docs", "/farm/addon.zip", f"/farm/jobs/{job}/timeline", "/farm/me"} <= seen.keys()


def test_forms_change_things_and_other_sites_do_not(proxied: Proxied, browser: httpx.Client, tmp_path: Path) -> None:
    job = queued(proxied.admin, tmp_path).job
    form = {"job": str(job), "verb": "pause"}
    assert browser.post("/jobs", data=form, headers={"sec-fetch-site": "cross-site"}).status_code == 401
    answer = browser.post("/jobs", data=form)
    assert urlsplit(answer.headers["location"]).path == f"/farm/jobs/{job}"
    assert proxied.admin.job(job).state is JobState.PAUSED
    with proxied.browser() as nobody:
        led = nobody.get("/jobs?state=done")
    assert led.headers["location"] == "/farm/login?next=%2Fjobs%3Fstate%3Ddone"


def test_news_arrive_while_the_stream_is_open(proxied: Proxied, browser: httpx.Client, tmp_path: Path) -> None:
    with browser.stream("GET", "/api/events") as stream:
        lines = stream.iter_lines()
        assert next(lines).startswith(": DistRen")
        job = queued(proxied.admin, tmp_path).job
        assert any(f'"job":{job}' in line for line in lines)


def test_a_slave_renders_and_the_client_fetches(proxied: Proxied, tmp_path: Path) -> None:
    made = proxied.admin.make_slave_key("ws02")
    job = queued(proxied.admin, tmp_path, frames="1").job
    caller = SlaveCaller(proxied.url, made.key, made.password, verify=proxied.trusting)
    while proxied.admin.job(job).state is not JobState.DONE:  # other tests' jobs may come first
        render(caller, 1)
    assert [file.name for file in proxied.admin.frames(job).frames[0].files]
    caller.close()


def test_a_forged_address_is_not_believed(proxied: Proxied) -> None:
    wish = {"name": "bea", "passphrase": "a wrong guess of mine"}
    with proxied.browser() as guesser:
        tries = [
            guesser.post("/api/accounts/login", json=wish, headers={"x-forwarded-for": f"192.0.2.{n}"}).status_code
            for n in range(Limit().pair + 1)
        ]
    assert tries == [*[401] * Limit().pair, 429]


@pytest.mark.soak
def test_a_gigabyte_goes_both_ways_and_any_part_of_it_alone(proxied: Proxied, tmp_path: Path) -> None:
    scene = tmp_path / "scene"
    with scene.open("wb") as file:
        file.truncate(2**30)
        file.write(b"begin")
        file.seek(2**30 - 3)
        file.write(b"end")
    with scene.open("rb") as file:
        name = hashlib.file_digest(file, "sha256").hexdigest()
    wish = {"requires": {"method": "sleep"}, "frames": "1", "name": "large"}
    files = [{"path": "scene.bin", "sha256": name, "size": 2**30}]
    job = proxied.admin.submit(Submission.model_validate({**wish, "files": files})).job
    proxied.admin.put_blob(scene, name, 2**30)
    proxied.admin.queue(job)
    made = proxied.admin.make_slave_key("ws03")
    caller = SlaveCaller(proxied.url, made.key, made.password, verify=proxied.trusting)
    held: list[int] = []
    while job not in held:  # other tests' jobs may come first
        held += [lease.job for lease in caller.orders(want=1, hold=5).leases]
    address = f"/api/slave/blobs/{name}?job={job}"
    part = caller.http.get(address, headers={"range": "bytes=-10"})
    assert (part.status_code, part.content[-3:], part.headers["content-range"][-11:]) == (206, b"end", f"/{2**30}")
    digest = hashlib.sha256()
    with caller.http.stream("GET", address) as whole:
        for piece in whole.iter_bytes():
            digest.update(piece)
    assert digest.hexdigest() == name
    caller.close()


def test_blender_finds_the_add_on_and_its_repository(proxied: Proxied) -> None:
    with Link(proxied.url, certificate=str(proxied.certificate)).fresh() as link:
        assert link.call("GET", "/api/server")["name"] == "home"
    with proxied.browser() as blender:
        listing = blender.get("/addon/index.json")
        (entry,) = listing.json()["data"]
        packed = blender.get(urljoin(str(listing.url), entry["archive_url"])).content
    assert entry["archive_hash"] == f"sha256:{hashlib.sha256(packed).hexdigest()}"


def test_a_path_that_is_one_of_the_servers_own_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotASetup, match="/jobs"), serving(tmp_path, public_url="http://localhost/jobs"):
        pass
