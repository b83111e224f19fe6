"""Renderers that a slave installs by itself: what goes wrong is remembered, and leaves nothing."""

from __future__ import annotations

import asyncio
import socket
import zipfile
from pathlib import Path

import pytest

from farm.methods.blender.provision import installable
from farm.protocol.slaves import Renderer
from farm.slave.containment import Containment
from farm.slave.events import Events
from farm.slave.folders import Folders
from farm.slave.provisioning import Provisioning
from farm.words.settings import SlaveSettings
from tests.disks import fill, small_disk
from tests.methods.test_provision import only_index
from tests.slave.fakefarm import FakeFarm
from tests.slave.test_agent import slave

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


async def test_a_disk_that_fills_up_in_mid_installation_is_said_leaves_nothing_and_costs_no_other_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "4.5" not in installable():
        pytest.skip("needs Python 3.11")
    too_large(tmp_path / "simple" / "bpy")
    only_index(monkeypatch, (tmp_path / "simple").as_uri())
    unlimited(tmp_path / "site", monkeypatch)
    farm = FakeFarm()
    farm.install = BLENDER
    with small_disk(tmp_path / "disk", 80_000_000) as disk:
        async with slave(disk, farm, methods=["sleep", "blender"], provision=True) as running:

            def said() -> list[str]:
                return [told["reason"] for told in running.told if told["event"] == "could not install a renderer"]

            await farm.until(said, 120)
            assert "No space left on device" in said()[0]
            assert list(running.folders.installed.iterdir()) == []
            farm.job(1, range(1, 4))
            await farm.until(lambda: len(farm.done) == 3, 120)
            await farm.until(lambda: farm.logins == 2, 120)  # as soon as it holds nothing
            assert "could not be installed" in farm.remarks[0]
            assert len(said()) == 1, "it is not tried again and again"
            await running.end()
    assert not farm.failed


def too_large(page: Path) -> None:
    """Make a small wheel that holds a large file."""
    page.mkdir(parents=True)
    wheel, facts = page / "bpy-4.5.9-py3-none-any.whl", "bpy-4.5.9.dist-info"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bpy/__init__.py", "")
        archive.writestr("bpy/large.bin", bytes(120_000_000))
        archive.writestr(f"{facts}/METADATA", "Metadata-Version: 2.1\nName: bpy\nVersion: 4.5.9\n")
        archive.writestr(f"{facts}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        names = ["bpy/__init__.py", "bpy/large.bin", *(f"{facts}/{name}" for name in ("METADATA", "WHEEL", "RECORD"))]
        archive.writestr(f"{facts}/RECORD", "".join(f"{name},,\n" for name in names))
    (page / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')


def unlimited(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let installations begin on a small disk, as on one that somebody else fills up meanwhile."""
    place.mkdir()
    lines = ["try:", "    from farm.methods.blender import provision", "except ImportError:", "    provision = None"]
    (place / "sitecustomize.py").write_text("\n".join([*lines, "if provision:", "    provision.SPACE = 0", ""]))
    monkeypatch.setenv("PYTHONPATH", str(place))


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
