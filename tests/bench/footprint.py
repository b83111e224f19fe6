"""What a farm needs beside renderers: memory, disk and network, for those who size one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from farm.simulator.manner import Manner
from tests.bench.crowds import pretended
from tests.bench.entry import Entry
from tests.farm.farm import Farm, running

FRAMES = 1000
WATCHED = 20
"""Seconds for which an idle slave is watched."""


def measured(folder: Path) -> Iterator[Entry]:
    """Measure an idle slave, and what the server keeps of finished frames."""
    with running(folder, heartbeat_seconds="5") as farm, Relay(farm.port) as relay:
        slave = farm.start_slave("ws01", server=f"http://127.0.0.1:{relay.port}")
        farm.until(lambda: any(s.state == "idle" for s in farm.client.slaves()), 60, "the slave is in")
        before = relay.bytes
        time.sleep(WATCHED)
        hourly = (relay.bytes - before) / WATCHED * 3600
        yield Entry("an idle slave: network", hourly / 1e6, "MB/h", note="both ways, heartbeat every 5 s")
        resident = psutil.Process(slave.popen.pid).memory_info().rss / 1e6
        yield Entry("an idle slave: memory", resident, "MB", note="resident, the agent without renderers")
        before = relay.bytes
        farm.ended(farm.sleep_job("1-100", seconds=0.05), 120)
        each = (relay.bytes - before) / 100 / 1e3
        yield Entry("a frame: network", each, "kB", note="all that a slave says and hears, with a picture of 1 kB")
        slave.stop()
        yield from _kept(farm)


def _kept(farm: Farm) -> Iterator[Entry]:
    """Let pretend slaves return frames, and look at what has grown."""
    before = _database(farm)
    farm.start_server()
    pretended(farm.client, farm.url, FRAMES, 1, Manner(slots=4, seconds=0.0))
    each = (_database(farm) - before) / FRAMES / 1e3
    yield Entry("a finished frame: database", each, "kB", note=f"SQLite with its events; mean of {FRAMES}")


def _database(farm: Farm) -> int:
    """Stop the server, so that its log is folded in; return the database's bytes."""
    farm.server.stop()
    return (farm.folder / "server" / "distren.sqlite3").stat().st_size


class Relay:
    """Stand between a slave and its server, and count the bytes."""

    def __init__(self, server: int) -> None:
        self.bytes = 0
        self.port = 0
        self._server = server
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Relay:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _listen(self) -> None:
        listening = await asyncio.start_server(self._joined, "127.0.0.1", 0)
        self.port = listening.sockets[0].getsockname()[1]

    async def _joined(self, reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._server)
        await asyncio.gather(self._pump(reading, back), self._pump(there, writing))

    async def _pump(self, reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> None:
        while data := await reading.read(65536):
            self.bytes += len(data)
            writing.write(data)
        writing.close()
