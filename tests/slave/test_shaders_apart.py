"""Compiled shaders, which a job leaves for the next one of the same circle of people."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
from pathlib import Path

import psutil
import pytest

from farm.methods.base import MethodConfig
from farm.methods.registry import method
from farm.slave.agent import Agent
from farm.slave.events import Events
from farm.slave.folders import CIRCLES
from farm.slave.held import Stage
from tests.slave.fakefarm import FakeFarm

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform != "linux", reason="bubblewrap is Linux's")]


async def test_strangers_jobs_do_not_share_compiled_shaders(place, monkeypatch):
    monkeypatch.setenv("MESA_SHADER_CACHE_DIR", str(place.base / "everybodys"))
    farm = FakeFarm()
    for job in (1, 2):
        farm.job(job, range(1), seconds=1)
        farm.sheets[job] = farm.sheets[job].model_copy(update={"circle": f"user-{job}"})
    offered = method("sleep").offers(MethodConfig())
    settings = place.settings.model_copy(update={"slots": 2})
    agent = Agent(settings, farm, place.folders, offered, Events(), await place.containment())
    running = asyncio.create_task(agent.run())
    await farm.until(lambda: len(agent.desk.in_stage(Stage.RENDERING)) == 2)
    seen = set()
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(OSError):
            mounts = Path(f"/proc/{process.pid}/mountinfo").read_text()  # noqa: ASYNC240
            seen.add(frozenset(re.findall(r"shaders/(\S+)", mounts)))
    assert {frozenset({"user-1"}), frozenset({"user-2"})} <= seen
    assert frozenset({"user-1", "user-2"}) not in seen
    agent.stop()
    await running


async def test_compiled_shaders_of_those_who_rendered_last_are_kept(place):
    for number in range(CIRCLES + 2):
        os.utime(place.folders.shaders_of(f"user-{number}"), (number, number))
    place.folders.shaders_of("user-0")
    place.lock.release()
    place.lock = place.folders.claim()
    kept = {folder.name for folder in place.folders.shaders.iterdir()}
    assert kept == {f"user-{number}" for number in range(CIRCLES + 2)} - {"user-1", "user-2"}
