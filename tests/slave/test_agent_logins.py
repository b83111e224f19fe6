"""How a slave logs in and out, and what it leaves behind."""

from __future__ import annotations

import pytest

from farm.slave.folders import Folders
from farm.words.errors import Forbidden, NotASetup, SlaveBusyElsewhere, Unauthenticated, WrongPassphrase
from tests.slave.fakefarm import FakeFarm
from tests.slave.test_agent import settings, slave

pytestmark = pytest.mark.anyio


async def test_a_draining_slave_gives_waiting_frames_back_and_asks_for_none(tmp_path):
    farm = FakeFarm()
    farm.per_lease = 4
    farm.job(1, range(1, 5), seconds=1)
    async with slave(tmp_path, farm):
        await farm.until(lambda: farm.reports and farm.reports[-1].running)
        farm.drain = True
        await farm.until(lambda: len(farm.returned) == 3)
        await farm.until(lambda: len(farm.done) == 1)
        assert farm.reports[-1].want == 0
        farm.drain = False
        await farm.until(lambda: len(farm.done) == 4)


async def test_a_void_login_is_opened_again_and_rendering_goes_on(tmp_path):
    farm = FakeFarm()
    farm.job(1, range(1, 4), seconds=0.5)
    async with slave(tmp_path, farm):
        await farm.until(lambda: farm.reports and farm.reports[-1].running)
        farm.broken = Unauthenticated("Void.")
        farm.login = type(farm).login.__get__(_Welcoming(farm))
        await farm.until(lambda: farm.logins == 2)
        await farm.until(lambda: len(farm.done) == 3)


class _Welcoming:
    """Admits the slave although calls were refused, and admits calls from then on."""

    def __init__(self, farm: FakeFarm) -> None:
        self.__dict__["farm"] = farm

    def __getattr__(self, name):
        if name == "_fail":
            self.farm.broken = None
        return getattr(self.farm, name)

    def __setattr__(self, name, value):
        setattr(self.farm, name, value)


async def test_a_wrong_password_ends_the_slave_with_the_servers_words(tmp_path):
    farm = FakeFarm()
    farm.broken = WrongPassphrase("Key or password is wrong.")
    async with slave(tmp_path, farm) as running:
        with pytest.raises(WrongPassphrase):
            await running.task


async def test_a_retired_slave_ends_and_leaves_nothing_running(tmp_path):
    farm = FakeFarm()
    farm.job(1, range(1, 3), seconds=20)
    async with slave(tmp_path, farm) as running:
        await farm.until(lambda: farm.reports and farm.reports[-1].running)
        farm.broken = Forbidden("This slave is retired.")
        with pytest.raises(Forbidden):
            await running.task
        assert running.renderers() == []


async def test_a_login_waits_until_the_killed_slave_before_it_is_forgotten(tmp_path):
    farm = FakeFarm()
    farm.broken = SlaveBusyElsewhere("Heard of it 3 s ago.")
    farm.job(1, range(1, 2))
    async with slave(tmp_path, farm) as running:
        await farm.until(lambda: any("waiting" in e["event"] for e in running.told))
        farm.broken = None
        await farm.until(lambda: farm.done)


async def test_two_slaves_with_one_key_do_not_share_folders(tmp_path):
    async with slave(tmp_path, FakeFarm()):
        with pytest.raises(NotASetup, match="Another slave with this key"):
            Folders.of(settings(tmp_path)).claim()
    other = Folders.of(settings(tmp_path, key="ws2"))
    other.claim().release()


async def test_what_a_killed_slave_left_is_cleaned_up(tmp_path):
    folders = Folders.of(settings(tmp_path))
    folders.claim().release()
    (folders.jobs / "3-1").mkdir()
    (folders.jobs / "3-1" / "a").write_text("x")
    (folders.jobs / "3-1" / "a").chmod(0o444)
    (folders.results / "5.tar").write_text("x")
    folders.claim().release()
    assert list(folders.jobs.iterdir()) == []
    assert (folders.results / "5.tar").exists()
