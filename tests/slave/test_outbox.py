"""Results that wait on the slave's disk: kept for good before they count, gone when nobody wants them."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from pathlib import Path

import pytest

from farm.protocol.slaves import Finished
from farm.slave import finishing
from farm.slave.finishing import Rendered, finish
from farm.slave.held import Held, Stage
from farm.slave.opened import Done
from farm.slave.outbox import Outbox, Ready

pytestmark = pytest.mark.anyio


def named(file: int) -> str:
    return Path(f"/proc/self/fd/{file}").readlink().name


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is synced and renamed, in its order; all of it is done, too."""
    seen: list[str] = []
    sync, replace = os.fsync, Path.replace

    def synced(file: int) -> None:
        seen.append(f"sync {named(file)}")
        sync(file)

    def replaced(path: Path, target: Path) -> Path:
        seen.append(f"name {Path(target).name}")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    return seen


def test_a_result_and_its_note_are_on_the_disk_before_it_counts(tmp_path: Path, steps: list[str]) -> None:
    outbox = Outbox(tmp_path / "results")
    outbox.server = "home"
    outbox.place(7).write_bytes(b"a tar")
    finished = Finished(attempt=7, sha256=hashlib.sha256(b"a tar").hexdigest(), seconds=1)
    outbox.keep(Ready(3, 1, 5, finished, outbox.path(7)))
    assert steps == ["sync .7.tar.part", "name 7.tar", "sync .7.json.part", "name 7.json", "sync results"]
    assert outbox.ready == {}, "it is counted by the event loop only"
    again = Outbox(tmp_path / "results")
    again.server = "home"
    assert [str(ready) for ready in again.load()] == ["frame 1 of job 3"]


def test_what_people_call_a_job_is_known_after_a_restart(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "results")
    outbox.place(7).write_bytes(b"a tar")
    finished = Finished(attempt=7, sha256=hashlib.sha256(b"a tar").hexdigest(), seconds=1)
    outbox.keep(Ready(2**48 + 3, 1, 5, finished, outbox.path(7), "distren://near/3"))
    assert [str(ready) for ready in Outbox(tmp_path / "results").load()] == ["frame 1 of job distren://near/3"]


def rendered(folder: Path) -> Rendered:
    output = folder / "output"
    output.mkdir(parents=True)
    (output / "a.png").write_bytes(b"a picture")
    frame = Held(7, 3, 0, 1, 1, Stage.FINISHING)
    return Rendered(frame, Done({"a.png": output / "a.png"}, 1.0, 1.0, 0.0, 1), folder, "")


@pytest.mark.parametrize("revoked", [True, False])
async def test_what_is_packed_when_its_frame_is_taken_back_goes_and_what_the_slaves_end_finds_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, revoked: bool
) -> None:
    go_on, packing, pack = threading.Event(), threading.Event(), finishing.pack

    def slowly(*args: object) -> None:
        packing.set()
        assert go_on.wait(60)
        pack(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(finishing, "pack", slowly)
    outbox, one = Outbox(tmp_path / "results"), rendered(tmp_path / "attempt")
    before = asyncio.all_tasks()
    task = asyncio.create_task(finish(one, {}, outbox))
    assert await asyncio.to_thread(packing.wait, 60)
    one.frame.revoked = revoked
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    left = asyncio.all_tasks() - before
    go_on.set()
    await asyncio.gather(*left)
    await asyncio.sleep(0)
    assert outbox.ready == {}
    found = sorted(path.name for path in outbox.folder.iterdir())
    assert found == ([] if revoked else ["7.json", "7.tar"])
