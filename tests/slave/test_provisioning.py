"""Renderers that a slave installs by itself: what goes wrong is remembered, and leaves nothing."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from farm.protocol.slaves import Renderer
from farm.slave.containment import Containment
from farm.slave.events import Events
from farm.slave.folders import Folders
from farm.slave.provisioning import Provisioning
from farm.words.settings import SlaveSettings
from tests.disks import fill, small_disk
from tests.methods.test_provision import only_index

BLENDER = Renderer(method="blender", version="4.5")
pytestmark = pytest.mark.anyio


class Place:
    """A slave's folders, and what it tells."""

    def __init__(self, folder: Path) -> None:
        self.settings = SlaveSettings(provision=True, state=folder / "state", work=folder / "work")
        self.folders = Folders.of(self.settings)
        self.lock = self.folders.claim()
        self.told: list[str] = []

    def provisioning(self) -> Provisioning:
        events = Events(lambda event: self.told.append(event["event"]))
        return Provisioning(self.settings, self.folders, [], Containment(), events, lambda: None)


async def test_what_failed_is_said_with_its_reason_and_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_index(monkeypatch, (tmp_path / "nothing").as_uri())
    place = Place(tmp_path)
    mine = place.provisioning()
    if BLENDER not in mine.able():
        pytest.skip("needs Python 3.11")
    mine.told(BLENDER)
    mine.told(Renderer(method="blender", version="4.2"))  # one at a time
    await asyncio.wait_for(until(lambda: mine.changed), 120)
    assert place.told == ["installing a renderer", "could not install a renderer"]
    assert BLENDER not in mine.able()
    (remark,) = mine.remarks()
    assert remark.startswith("blender 4.5 could not be installed: Could not install bpy==4.5.*")
    again = place.provisioning()
    again.told(BLENDER)
    again.told(Renderer(method="blender", version="4.5.2"))
    again.told(Renderer(method="blender", version="1.0"))
    await again.close()
    assert (again.changed, again.remarks(), len(place.told)) == (False, [remark], 2)


async def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 6_000_000) as disk:
        place = Place(disk)
        mine = place.provisioning()
        if BLENDER not in mine.able():
            pytest.skip("needs Python 3.11")
        fill(disk / "filler", 1_000_000)
        mine.told(BLENDER)
        await asyncio.wait_for(until(lambda: mine.changed), 120)
        assert place.told == ["installing a renderer", "could not install a renderer"]
        (remark,) = mine.remarks()
        assert "are free in" in remark
        assert list(place.folders.installed.iterdir()) == []
        place.lock.release()


async def test_a_stopped_installation_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        only_index(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}/")
        place = Place(tmp_path)
        mine = place.provisioning()
        if BLENDER not in mine.able():
            pytest.skip("needs Python 3.11")
        mine.told(BLENDER)
        await asyncio.wait_for(until(lambda: any(place.folders.installed.glob("*/*"))), 120)
        await mine.close()
    assert list(place.folders.installed.iterdir()) == []
    assert list(place.folders.records().folder.iterdir()) == []
    assert BLENDER in place.provisioning().able(), "it did not fail"


async def until(happened) -> None:  # type: ignore[no-untyped-def]
    while not happened():  # noqa: ASYNC110  nobody tells
        await asyncio.sleep(0.05)
