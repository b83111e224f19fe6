"""The whole slave with real renderer processes, against a server of a few lines."""

from __future__ import annotations

import asyncio
import io
import json
import time
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from PIL import Image
from pydantic import SecretStr

from farm.methods.base import MethodConfig
from farm.methods.registry import method
from farm.slave.agent import Agent
from farm.slave.events import Events
from farm.slave.folders import Folders
from farm.slave.held import Stage
from farm.words.errors import TooLarge
from farm.words.settings import SlaveSettings
from farm.words.states import FailureClass
from farm.words.steps import read
from tests.living import lives
from tests.slave.fakefarm import FakeFarm, gone

pytestmark = pytest.mark.anyio


def settings(folder: Path, **given) -> SlaveSettings:
    places = {"cache": folder / "cache", "work": folder / "work", "state": folder / "state"}
    return SlaveSettings(
        **{"key": "ws1", "password": SecretStr("secret"), "methods": ["sleep"], "free_space": 0, **places, **given}
    )


class Running:
    def __init__(self, farm: FakeFarm, agent: Agent, task: asyncio.Task[None], folders: Folders, told: list) -> None:
        self.farm = farm
        self.agent = agent
        self.task = task
        self.folders = folders
        self.told = told

    async def end(self, *, now: bool = False) -> None:
        self.agent.stop(now=now)
        async with asyncio.timeout(30):
            await self.task

    def renderers(self) -> list[psutil.Process]:
        mine = [p for p in psutil.Process().children(recursive=True) if lives(p.pid)]
        return [p for p in mine if "farm.methods.sleep.inside" in " ".join(p.cmdline())]


@asynccontextmanager
async def slave(folder: Path, farm: FakeFarm, **given):
    chosen = settings(folder, **given)
    folders = Folders.of(chosen)
    lock = folders.claim()
    told: list = []
    agent = Agent(chosen, farm, folders, method("sleep").offers(MethodConfig()), Events(told.append))
    running = Running(farm, agent, asyncio.create_task(agent.run()), folders, told)
    try:
        yield running
    finally:
        running.task.cancel()
        await asyncio.gather(running.task, return_exceptions=True)
        lock.release()
        assert running.renderers() == []


async def test_all_frames_of_a_job_are_rendered_and_brought_home(tmp_path):
    farm = FakeFarm()
    farm.job(1, range(1, 11), {"scene/a b.txt": b"hello", "tex/c.bin": b"x" * 100})
    async with slave(tmp_path, farm) as running:
        await farm.until(lambda: len(farm.done) == 10)
        tree = running.folders.jobs / "1-1"
        assert (tree / "scene/a b.txt").read_bytes() == b"hello"
        assert (tree / "tex/c.bin").stat().st_mode & 0o777 == 0o444
        await running.end()
    assert farm.logouts == 1
    assert not farm.failed
    assert not farm.returned
    assert not farm.lost
    result = farm.done[1, 3]
    assert sorted(result) == ["0003.png", "thumbnail.webp"]
    with Image.open(io.BytesIO(result["0003.png"])) as picture:
        assert picture.size == (64, 36)
    assert all(f.pixels and f.seconds >= 0.05 and not f.uniform for f in farm.finished)
    assert len({f.pixels for f in farm.finished}) == 10
    assert list(running.folders.results.iterdir()) == []
    assert list(running.folders.attempts.iterdir()) == []
    assert [e["event"] for e in running.told].count("frame rendered") == 10
    json.dumps(running.told)


async def test_a_job_of_another_server_is_called_by_its_address_and_never_by_its_number_here(tmp_path):
    farm, here = FakeFarm(), 2**48 + 12
    farm.job(here, range(1, 3))
    farm.job(7, range(1, 2), fail_frames="1")
    farm.sheets[here] = farm.sheets[here].model_copy(update={"address": "distren://near/12"})
    farm.sheets[7] = farm.sheets[7].model_copy(update={"address": "distren://near/5"})
    async with slave(tmp_path, farm) as running:
        await farm.until(lambda: len(farm.done) == 2 and farm.failed)
        await running.end()
    assert {e["job"] for e in running.told if "job" in e} == {"distren://near/12", "distren://near/5"}
    assert "of job distren://near/5" in farm.failed[0].message


async def test_each_result_tells_when_its_steps_were(tmp_path):
    farm = FakeFarm()
    farm.job(1, range(1, 5), {"c.bin": b"x" * 100}, output_bytes=200_000)
    async with slave(tmp_path, farm) as running:
        await farm.until(lambda: len(farm.done) == 4)
        await running.end()
    ends = sorted(farm.finished, key=lambda end: end.attempt)
    first, second, third, fourth = ({s.step: s for s in read(f.trace)} for f in ends)
    assert {"fetch", "start", "load", "render", "check", "upload"} <= set(first)
    assert first["start"].end <= first["load"].end <= first["render"].at
    assert first["fetch"].end <= first["start"].at, "no renderer starts before its files are there"
    assert "compare" in second, "the second frame is rendered twice"
    assert second["render"].end <= second["compare"].at
    for later in (third, fourth):
        assert not {"start", "load", "compare"} & set(later), "the renderer stays open"
        assert later["idle"].length >= 0
        assert later["render"].length >= 50_000, "it slept for so long"
        assert later["render"].end <= later["check"].at < later["upload"].end


async def test_one_renderer_renders_all_frames_and_slots_do_not_idle(tmp_path):
    farm = FakeFarm()
    farm.job(1, range(40), seconds=0.02)
    farm.per_lease = 4
    async with slave(tmp_path, farm) as running:
        await farm.until(lambda: len(farm.done) >= 1)
        first = [p.pid for p in running.renderers()]
        await farm.until(lambda: len(farm.done) == 40)
        assert [p.pid for p in running.renderers()] == first
        assert len(first) == 1


async def test_two_slots_share_what_was_leased(tmp_path):
    farm = FakeFarm()
    farm.per_lease = 20
    farm.job(1, range(12), seconds=0.2)
    async with slave(tmp_path, farm, slots=2) as running:
        await farm.until(lambda: len(running.agent.desk.in_stage(Stage.RENDERING)) == 2)
        await farm.until(lambda: len(farm.done) == 12)
        assert len(running.renderers()) == 2


async def test_a_frame_that_the_renderer_refuses_fails_with_class_message_and_the_rest_goes_on(tmp_path):
    farm = FakeFarm()
    farm.job(7, range(1, 5), fail_frames="2", crash_frames="3")
    async with slave(tmp_path, farm):
        await farm.until(lambda: len(farm.done) == 2 and len(farm.failed) == 2)
    by_class = {f.failure_class: f.message for f in farm.failed}
    assert by_class[FailureClass.JOB] == "Frame 2 of job 7: Frame 2 was told to fail."
    assert "Frame 3 of job 7 failed: the renderer crashed (SIGABRT)" in by_class[FailureClass.SLAVE]


async def test_a_frame_that_hangs_is_stopped_by_its_limit(tmp_path):
    from farm.protocol.jobs import Limits

    farm = FakeFarm()
    farm.job(7, range(1, 4), hang_frames="2", limits=Limits(render_seconds=30, silence_seconds=1))
    async with slave(tmp_path, farm):
        await farm.until(lambda: len(farm.done) == 2 and len(farm.failed) == 1)
    assert farm.failed[0].failure_class is FailureClass.SLAVE
    assert "Frame 2 of job 7 made no progress for 1 s" in farm.failed[0].message


async def test_a_revoked_frame_is_killed_at_once_and_not_reported(tmp_path):
    farm = FakeFarm()
    farm.job(1, range(1, 4), seconds=20)
    async with slave(tmp_path, farm) as running:
        await farm.until(lambda: farm.reports and farm.reports[-1].running)
        attempt = farm.reports[-1].running[0].attempt
        pid = running.renderers()[0].pid
        farm.revoke.update(farm.open)
        farm.ready.clear()
        farm.news()
        await farm.until(lambda: not lives(pid), 60)
        await farm.until(lambda: not farm.open)
        assert attempt not in [f.attempt for f in farm.failed]
        farm.job(2, range(1, 3))
        await farm.until(lambda: len(farm.done) == 2)


async def test_the_render_that_runs_is_reported_with_its_progress(tmp_path):
    farm = FakeFarm()
    farm.heartbeat = 0.1
    farm.job(1, range(1, 2), seconds=1)
    async with slave(tmp_path, farm):
        await farm.until(lambda: farm.done)
    progress = [r.running[0].progress for r in farm.reports if r.running]
    assert progress == sorted(progress)
    assert progress[-1] > 0.5


async def test_finish_what_renders_and_give_the_rest_back(tmp_path):
    farm = FakeFarm()
    farm.per_lease = 5
    farm.job(1, range(1, 6), seconds=0.6)
    async with slave(tmp_path, farm) as running:
        await farm.until(lambda: farm.reports and farm.reports[-1].running)
        await running.end()
    assert len(farm.done) >= 1
    assert len(farm.done) + len(farm.returned) == 5
    assert farm.logouts == 1
    assert not farm.open


async def test_told_twice_everything_goes_back_at_once(tmp_path):
    farm = FakeFarm()
    farm.per_lease = 3
    farm.job(1, range(1, 4), seconds=30)
    async with slave(tmp_path, farm) as running:
        await farm.until(lambda: farm.reports and farm.reports[-1].running)
        running.agent.stop()
        await asyncio.sleep(0.2)
        began = time.monotonic()
        await running.end(now=True)
        assert time.monotonic() - began < 5
    assert len(farm.returned) == 3
    assert farm.logouts == 1


async def test_results_survive_a_server_that_is_gone(tmp_path):
    farm = FakeFarm()
    farm.per_lease = 5
    farm.job(1, range(1, 6), output_bytes=200_000)
    async with slave(tmp_path, farm) as running:
        await farm.until(lambda: len(farm.open) == 5 and running.agent.desk.in_stage(Stage.RENDERING))
        farm.broken = gone()
        await farm.until(lambda: len(running.agent.outbox.ready) == 5)
        farm.broken = None
        farm.news()
        await farm.until(lambda: len(farm.done) == 5)
    assert not farm.failed


async def test_results_survive_a_restart_of_the_slave(tmp_path):
    farm = FakeFarm()
    farm.per_lease = 3
    farm.job(1, range(1, 4))
    async with slave(tmp_path, farm) as running:
        await farm.until(lambda: len(farm.open) == 3 and running.agent.desk.in_stage(Stage.RENDERING))
        farm.broken = gone()
        await farm.until(lambda: len(running.agent.outbox.ready) == 3)
    (running.folders.results / "9.tar").write_bytes(b"rubbish")
    (running.folders.results / ".8.tar.part").write_bytes(b"rubbish")
    farm.broken = None
    async with slave(tmp_path, farm) as running:
        await farm.until(lambda: len(farm.done) == 3)
        await running.end()
    assert list(running.folders.results.iterdir()) == []
    assert farm.logins == 2


async def test_a_large_result_is_uploaded_before_it_is_told_of(tmp_path):
    farm = FakeFarm()
    farm.job(1, range(1, 3), output_bytes=100_000)
    async with slave(tmp_path, farm):
        await farm.until(lambda: len(farm.done) == 2)
    assert len(farm.staged) == 2
    assert all(f.inline == "" for f in farm.finished)


async def test_a_result_that_the_server_wants_again_is_sent_again(tmp_path):
    farm = FakeFarm()
    farm.verdicts = {101: "again"}
    farm.job(1, range(1, 2), output_bytes=100_000)
    async with slave(tmp_path, farm) as running:
        await farm.until(lambda: len(farm.done) == 1)
        await farm.until(lambda: not running.agent.outbox.ready)


async def test_a_late_or_refused_result_is_dropped(tmp_path):
    farm = FakeFarm()
    farm.verdicts = {101: "late", 102: "refused"}
    farm.job(1, range(1, 3))
    async with slave(tmp_path, farm) as running:
        await farm.until(lambda: not farm.verdicts)
        await farm.until(lambda: not running.agent.outbox.ready and not running.agent.desk.held)


async def test_a_result_that_is_too_large_for_the_server_is_the_jobs_fault(tmp_path):
    class Strict(FakeFarm):
        async def put_result(self, attempt, path, sha256, size):
            raise TooLarge("The result is larger than 8,000,000,000 bytes.")

    farm = Strict()
    farm.job(1, range(1, 2), output_bytes=100_000)
    async with slave(tmp_path, farm):
        await farm.until(lambda: farm.failed)
    (failed,) = farm.failed
    assert failed.failure_class is FailureClass.JOB
    assert "larger than 8,000,000,000 bytes" in failed.message


async def test_warm_pictures_that_differ_from_cold_ones_are_replaced_and_each_frame_is_prepared_anew(tmp_path):
    reference, farm = FakeFarm(), FakeFarm()
    reference.job(1, range(1, 7))
    farm.job(1, range(1, 7), drift_frames="1-6")
    async with slave(tmp_path / "a", reference):
        await reference.until(lambda: len(reference.done) == 6)
    async with slave(tmp_path / "b", farm, slots=2) as running:
        await farm.until(lambda: len(farm.done) == 6)
        assert any("prepared anew" in e["event"] for e in running.told)
    right = {frame: files[f"{frame[1]:04d}.png"] for frame, files in reference.done.items()}
    assert {frame: files[f"{frame[1]:04d}.png"] for frame, files in farm.done.items()} == right
    thumbnails = {frame: files["thumbnail.webp"] for frame, files in reference.done.items()}
    assert {frame: files["thumbnail.webp"] for frame, files in farm.done.items()} == thumbnails


async def test_a_frame_fetches_only_the_files_it_needs(tmp_path):
    farm = FakeFarm()
    farm.job(1, range(1, 3), {"all.bin": b"all", "seq.0001@1": b"one", "seq.0002@2": b"two", "seq.0009@9": b"nine"})
    async with slave(tmp_path, farm) as running:
        await farm.until(lambda: len(farm.done) == 2)
        assert sorted(p.name for p in (running.folders.jobs / "1-1").iterdir()) == ["all.bin", "seq.0001", "seq.0002"]
    assert len(farm.fetched) == 3


async def test_a_missing_file_is_the_farms_fault_and_an_unsafe_path_the_jobs(tmp_path):
    farm = FakeFarm()
    farm.job(1, range(1, 2), {"../out": b"x"})
    farm.job(2, range(1, 2), {"a": b"x"})
    sheet = farm.sheets[2]
    farm.sheets[2] = sheet.model_copy(update={"files": [sheet.files[0].model_copy(update={"sha256": "0" * 64})]})
    farm.blobs["0" * 64] = b"y"
    async with slave(tmp_path, farm):
        await farm.until(lambda: len(farm.failed) == 2, 60)
    classes = {f.message.split(":")[0]: f.failure_class for f in farm.failed}
    assert classes == {"Frame 1 of job 1": FailureClass.JOB, "Frame 1 of job 2": FailureClass.FARM}
    assert not (tmp_path / "work/out").exists()


async def test_a_picture_that_can_not_be_decoded_is_the_slaves_fault(tmp_path, monkeypatch):
    from farm.slave import opened

    real = opened.read_done

    def damaged(event, output):
        done = real(event, output)
        for path in done.files.values():
            path.write_bytes(path.read_bytes()[:60])
        return done

    monkeypatch.setattr("farm.slave.session.read_done", damaged)
    farm = FakeFarm()
    farm.job(1, range(4, 5))
    async with slave(tmp_path, farm):
        await farm.until(lambda: farm.failed)
    assert farm.failed[0].failure_class is FailureClass.SLAVE
    assert "Frame 4 of job 1 has a bad file “0004.png”" in farm.failed[0].message


async def test_a_renderer_is_started_anew_after_some_frames(tmp_path):
    farm = FakeFarm()
    farm.job(1, range(1, 10))
    async with slave(tmp_path, farm, recycle_frames=3) as running:
        await farm.until(lambda: len(farm.done) == 9)
        await running.end()
    started = [f.attempt for f in farm.finished if "start" in {step.step for step in read(f.trace)}]
    assert len(started) >= 3


async def test_the_renderer_sees_no_secret_of_the_slave(tmp_path, monkeypatch):
    monkeypatch.setenv("DISTREN_SLAVE_PASSWORD", "secret")
    farm = FakeFarm()
    farm.job(1, range(1, 2), seconds=5)
    async with slave(tmp_path, farm) as running:
        await farm.until(running.renderers)
        if psutil.LINUX:
            assert "secret" not in str(running.renderers()[0].environ())
