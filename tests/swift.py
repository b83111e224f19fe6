"""A real S3 service for tests: OpenStack Swift on this machine, which the test run installs once."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import obstore
from obstore.exceptions import AlreadyExistsError, GenericError
from obstore.store import S3Store

from farm.sandbox.reaper import bound
from tests.blenders import HOME
from tests.ports import free_port
from tests.server.test_underpath import answers

VERSION = "2.38.3"
KEY, SECRET, BUCKET = "test:tester", "testing", "farm"
KINDS = ("account", "container", "object")

_SERVER = """[DEFAULT]
devices = {root}/devices
mount_check = false
bind_ip = 127.0.0.1
bind_port = {port}
swift_dir = {root}
workers = 0
user = {user}
log_address = /dev/null
fallocate_reserve = 0
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""

_PROXY = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
swift_dir = {root}
workers = 0
user = {user}
log_address = /dev/null
[pipeline:main]
pipeline = catch_errors gatekeeper cache listing_formats s3api tempauth copy bulk slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:copy]
use = egg:swift#copy
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
"""


class Swift:
    """The four servers of a Swift with one disk."""

    def __init__(self, root: Path, programs: Path) -> None:
        self.root = root
        self._programs = programs
        self._running: list[subprocess.Popen[bytes]] = []
        self._ports = {kind: free_port() for kind in (*KINDS, "proxy")}
        (root / "devices" / "d1").mkdir(parents=True)
        (root / "swift.conf").write_text(
            "[swift-hash]\nswift_hash_path_suffix = s\nswift_hash_path_prefix = p\n"
            "[storage-policy:0]\nname = one\ndefault = yes\n"
        )
        for kind, port in self._ports.items():
            text = _PROXY if kind == "proxy" else _SERVER
            user = root.owner()
            (root / f"{kind}.conf").write_text(text.format(root=root, kind=kind, port=port, user=user))
        for kind in KINDS:
            self._ring(kind)
        self.start()
        self._make_bucket()

    @property
    def endpoint(self) -> str:
        """The service's address."""
        return f"http://127.0.0.1:{self._ports['proxy']}"

    @property
    def settings(self) -> dict[str, str]:
        """What a server of a farm is told."""
        return {
            "bucket": f"s3://{BUCKET}",
            "bucket_endpoint": self.endpoint,
            "bucket_key": KEY,
            "bucket_secret": SECRET,
        }

    def start(self) -> None:
        """Start all four, or start them again."""
        for kind, port in self._ports.items():
            with (self.root / f"{kind}.log").open("ab") as log:
                program = self._programs / f"swift-{kind}-server"
                running = subprocess.Popen([program, self.root / f"{kind}.conf"], stdout=log, stderr=log)
            bound(running.pid)
            self._running.append(running)
            answers(port)

    def kill(self) -> None:
        """SIGKILL all four."""
        for running in self._running:
            running.kill()
            running.wait()
        self._running.clear()

    def _ring(self, kind: str) -> None:
        builder = self.root / f"{kind}.builder"
        device = f"r1z1-127.0.0.1:{self._ports[kind]}/d1"
        for words in (["create", "4", "1", "1"], ["add", device, "1"], ["rebalance"]):
            subprocess.run(
                [self._programs / "swift-ring-builder", builder, *words],
                stdout=subprocess.DEVNULL,
                check=words == ["x"],
            )

    def _make_bucket(self) -> None:
        # A bucket is an object at the top of the service; its answer has no hash, which the library misses.
        top = S3Store(
            "-", endpoint=self.endpoint, access_key_id=KEY, secret_access_key=SECRET, region="us-east-1",
            virtual_hosted_style_request=True, client_options={"allow_http": True},
            retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=30)},
        )  # fmt: skip
        with suppress(GenericError, AlreadyExistsError):
            obstore.put(top, BUCKET, b"", use_multipart=False)


@contextmanager
def swift() -> Iterator[Swift]:
    """Run a Swift while the block runs."""
    programs = _installed()
    folder = Path(tempfile.mkdtemp(prefix="distren-swift-"))
    running = None
    try:
        running = Swift(folder, programs)
        yield running
    finally:
        if running is not None:
            running.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _installed() -> Path:
    """Return the folder of Swift's programs, in an environment of its own."""
    home = HOME.with_name(f"{HOME.name}-swift")  # not beside Blenders: it would be tried as one
    place = home / VERSION
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "done").exists():
            subprocess.run([sys.executable, "-m", "venv", place], check=True)
            subprocess.run([place / "bin" / "pip", "install", "--quiet", f"swift=={VERSION}"], check=True)
            (place / "done").touch()
    return place / "bin"
