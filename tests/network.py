"""A bad network: network namespaces, and between them what delays, loses and can be cut.

Everything stays in these namespaces: they have no other way out. Packets travel through this
process, so no kernel module is needed; but only root may make namespaces.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import heapq
import os
import random
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import pytest

NEAR, FAR = "10.99.0.1", "10.99.0.2"
_NEW_NET = 0x40000000
_TUN = 0x0001 | 0x1000  # IFF_TUN | IFF_NO_PI
_SET = 0x400454CA  # TUNSETIFF


class Side:
    """One end: a network namespace with nothing but itself and the line."""

    def __init__(self, address: str) -> None:
        self.address = address
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            _call("unshare", _NEW_NET)
            self.namespace = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
            self.tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(self.tun, _SET, struct.pack("16sH22x", b"line", _TUN))
            for words in (f"addr add {address}/24 dev line", "link set line up mtu 8000", "link set lo up"):
                subprocess.run(["ip", *words.split()], check=True)
        finally:
            _call("setns", home, _NEW_NET)
            os.close(home)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Have this thread, and the processes that it starts, on this side."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        _call("setns", self.namespace, _NEW_NET)
        try:
            yield
        finally:
            _call("setns", home, _NEW_NET)
            os.close(home)

    def close(self) -> None:
        os.close(self.tun)
        os.close(self.namespace)


class _Wires:
    """What lies between sides: packets travel through a thread of this process, and may be late or lost on the way.

    Args:
        make: makes the sides, one after the other.
    """

    def __init__(self, make: Iterable[Callable[[], Side]]) -> None:
        self.sides: list[Side] = []
        self._due: list[tuple[float, int, int, bytes]] = []
        self._count = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        try:
            for each in make:
                self.sides.append(each())
            self._thread.start()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join(10)
        for side in self.sides:
            side.close()

    def _ways(self, source: Side, packet: bytes) -> Iterator[tuple[Side, float]]:
        """Give the sides that a packet reaches, each with the seconds that it takes."""
        raise NotImplementedError

    def _run(self) -> None:
        ends = {side.tun: side for side in self.sides}
        while not self._over.is_set():
            for end in select.select(list(ends), [], [], 0.002 if self._due else 0.05)[0]:
                with contextlib.suppress(BlockingIOError):
                    packet = os.read(end, 65536)
                    for target, delay in self._ways(ends[end], packet):
                        self._count += 1
                        heapq.heappush(self._due, (time.monotonic() + delay, self._count, target.tun, packet))
            while self._due and self._due[0][0] <= time.monotonic():
                with contextlib.suppress(OSError):
                    os.write(self._due[0][2], self._due[0][3])
                heapq.heappop(self._due)


class Line(_Wires):
    """The way between two sides. `delay` (seconds, each way) and `loss` (0 to 1) may change at any time."""

    def __init__(self) -> None:
        self.delay = self.loss = 0.0
        self._silent: set[str] = set()
        self.passed = {NEAR: 0, FAR: 0}
        """Bytes that came from each side."""
        self._random = random.Random(7)
        super().__init__(partial(Side, address) for address in (NEAR, FAR))

    @property
    def near(self) -> Side:
        return self.sides[0]

    @property
    def far(self) -> Side:
        return self.sides[1]

    @contextmanager
    def broken(self, *sides: str) -> Iterator[None]:
        """Cut the line while the block runs; only for what comes from some sides, if any are named."""
        self._silent = {*(sides or (NEAR, FAR))}
        try:
            yield
        finally:
            self._silent = set()

    def _ways(self, source: Side, packet: bytes) -> Iterator[tuple[Side, float]]:
        if source.address not in self._silent and self._random.random() >= self.loss:
            self.passed[source.address] += len(packet)
            yield self.far if source is self.near else self.near, self.delay


class Hub(_Wires):
    """A network: each side reaches each other one, and what is sent to all reaches all.

    Args:
        count: sides.

    `delays` has the seconds that the way between two sides takes, each way, by their addresses; `losses` the part of
    its packets that it loses (0 to 1); `lost` counts those.
    """

    def __init__(self, count: int) -> None:
        self.delays: dict[frozenset[str], float] = {}
        self.losses: dict[frozenset[str], float] = {}
        self.lost = 0
        self._random = random.Random(7)
        self._cut: set[tuple[str, str]] = set()
        super().__init__(partial(Side, f"10.99.1.{number}") for number in range(1, count + 1))

    @contextmanager
    def broken(self, one: Side, *others: Side) -> Iterator[None]:
        """Cut the ways between one side and others while the block runs."""
        with self.silent(one, *others), contextlib.ExitStack() as all_:
            for other in others:
                all_.enter_context(self.silent(other, one))
            yield

    @contextmanager
    def silent(self, one: Side, *others: Side) -> Iterator[None]:
        """Let nothing that one side sends reach others while the block runs; it hears them all the same."""
        ways = {(one.address, other.address) for other in others}
        self._cut |= ways
        try:
            yield
        finally:
            self._cut -= ways

    def _ways(self, source: Side, packet: bytes) -> Iterator[tuple[Side, float]]:
        if packet[0] >> 4 != 4:
            return
        everybody, to = packet[16] >= 224, socket.inet_ntoa(packet[16:20])
        for side in self.sides:
            way = (source.address, side.address)
            if side is source or not (everybody or side.address == to) or way in self._cut:
                continue
            if self._random.random() < self.losses.get(frozenset(way), 0.0):
                self.lost += 1
            else:
                yield side, self.delays.get(frozenset(way), 0.0)


@contextmanager
def hub(count: int) -> Iterator[Hub]:
    """Give a local network of so many machines; skipped where none can be made, and never in CI."""
    with _made(lambda: Hub(count)) as made:
        yield made


@contextmanager
def line() -> Iterator[Line]:
    """Give a line; skipped where none can be made, and never in CI."""
    with _made(Line) as made:
        yield made


N = TypeVar("N", Line, Hub)


@contextmanager
def _made(make: Callable[[], N]) -> Iterator[N]:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("Network namespaces need Linux and root.")
    try:
        made = make()
    except (OSError, subprocess.CalledProcessError) as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"No network namespaces here: {error}")
    try:
        yield made
    finally:
        made.close()


def _call(name: str, *values: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*values):
        raise OSError(ctypes.get_errno(), f"{name} is not allowed")
