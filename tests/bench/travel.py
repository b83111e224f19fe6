"""Bytes: up, down, and the same project again, beside copying and hashing the same file."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO

from blender_addon.hashcache import QUIET
from farm.cli.draft import Draft, LocalFile
from farm.cli.sending import Sending
from farm.package.hashing import hash_file
from farm.protocol.jobs import FileEntry, Requirement, Submission
from tests.bench.entry import Entry
from tests.farm.farm import Farm, running
from tests.serving import SlaveCaller

GIGABYTE = 1_000_000_000
TEXTURES = 20
BLEND = 5_000_000


def measured(folder: Path) -> Iterator[Entry]:
    """Measure a gigabyte up and down, and a project with a gigabyte of textures that is sent again."""
    file = written(folder / "big.bin", GIGABYTE)
    project = _project(folder / "project")
    made = time.monotonic()
    with running(folder, heartbeat_seconds="5") as farm:
        beside = _rate(lambda: _copied_and_hashed(file, folder / "copy.bin"))
        for direction, rate in (("upload", _up(farm, file)), ("download", _down(farm, file, folder / "home"))):
            yield Entry(f"{direction} of 1 GB ÷ cp + sha256sum", rate / beside, "×", ">= 0.5",
                        note=f"{rate:.0f} MB/s beside {beside:.0f} MB/s; hashed on arrival, durable")  # fmt: skip
        time.sleep(max(0, made + QUIET + 3 - time.monotonic()))
        yield from _again(farm, project, folder / "hashes")


def written(path: Path, size: int) -> Path:
    """Return a new file of random bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        for _ in range(0, size, BLEND):
            stream.write(os.urandom(BLEND))
    return path


def _project(folder: Path) -> list[Path]:
    """Return a .blend and its textures, as far as bytes go."""
    textures = [written(folder / f"textures/wood{number}.png", GIGABYTE // TEXTURES) for number in range(TEXTURES)]
    return [written(folder / "shot.blend", BLEND), *textures]


def _seconds(action: Callable[[], object]) -> float:
    began = time.monotonic()
    action()
    return time.monotonic() - began


def _rate(action: Callable[[], object]) -> float:
    """Return the MB/s of something that is done to a gigabyte."""
    return GIGABYTE / 1e6 / _seconds(action)


def _copied_and_hashed(file: Path, target: Path) -> None:
    subprocess.run(["cp", file, target], check=True)
    subprocess.run(["sha256sum", target], check=True, stdout=subprocess.DEVNULL)
    target.unlink()


def _up(farm: Farm, file: Path) -> float:
    sha256, size = hash_file(file)
    entry = FileEntry(path=file.name, sha256=sha256, size=size)
    farm.client.submit(Submission(name="travel", requires=Requirement(method="sleep"), frames="1", files=[entry]))
    return _rate(lambda: farm.client.put_blob(file, sha256, size))


def _down(farm: Farm, file: Path, home: Path) -> float:
    """Fetch a result of that size, which a slave has returned."""
    job, made = farm.sleep_job("1"), farm.client.make_slave_key("big")
    with closing(SlaveCaller(farm.url, made.key, made.password)) as slave:
        attempt = slave.orders(want=1).leases[0].frames[0].attempt
        tar = file.with_suffix(".tar")
        with tarfile.open(tar, "w") as packed, file.open("rb") as data:
            info = tarfile.TarInfo("output/0001.bin")
            info.size = file.stat().st_size
            packed.addfile(info, data)
        sha256, size = hash_file(tar)
        with tar.open("rb") as stream:
            headers = {"content-length": str(size)}
            slave.http.put(f"/api/slave/results/{attempt}", content=_pieces(stream), headers=headers, timeout=300)
        slave.orders(finished=[{"attempt": attempt, "sha256": sha256, "seconds": 1}])
    tar.unlink()
    (output,) = farm.output(job)
    return _rate(lambda: farm.client.fetch_file(job, output, home / output.name))


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    while piece := stream.read(io.DEFAULT_BUFFER_SIZE * 128):
        yield piece


def _again(farm: Farm, files: list[Path], hashes: Path) -> Iterator[Entry]:
    """Send a project, change a byte of the .blend, send it again."""
    first, sent_first = _submitted(farm, files, hashes)
    with files[0].open("r+b") as blend:
        blend.seek(BLEND // 2)
        blend.write(b"changed!")
    second, sent = _submitted(farm, files, hashes)
    note = f"{TEXTURES} textures of 1 GB together, a byte of a 5 MB .blend changed; {first:.1f} s before"
    yield Entry("the same project again: seconds", second, "s", "<= 1", note=note)
    yield Entry("the same project again: bytes that travel", sent, "bytes", f"<= {BLEND}",
                note=f"{sent_first:,} before; the .blend has {BLEND:,}")  # fmt: skip


def _submitted(farm: Farm, files: list[Path], hashes: Path) -> tuple[float, int]:
    """Send a project as `distren submit` does once it knows the files; return seconds and bytes."""
    root = files[0].parent
    local = [LocalFile(path.relative_to(root).as_posix(), path) for path in files]
    draft = Draft(Requirement(method="sleep"), {}, "1", local[0].path, local, values={"name": "shot"})
    sending = Sending(farm.client, draft, quiet=True, hashes=hashes)
    began = time.monotonic()
    missing = sending.check().missing_bytes
    sending.send()
    return time.monotonic() - began, missing
