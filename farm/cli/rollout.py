"""Bring slaves up to date, a few at a time, and stop where one shows that the new version does not work."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from farm.protocol.slaveviews import SlaveView
from farm.protocol.upgrades import UpgradeView
from farm.words.states import SlaveState

LOOK = 1.0
"""Seconds between two looks at the slaves."""

PATIENCE = 300.0
"""Seconds without a word after which a slave that should have come back counts as failed."""

FAILED = "failed"
LATER = {SlaveState.OFFLINE: "waits until it is back", SlaveState.RESTING: "waits until it wakes"}


class Client(Protocol):
    """What is asked of the server."""

    def slaves(self) -> list[SlaveView]:
        """Return all slaves."""
        ...

    def upgrade_slave(self, name: str) -> UpgradeView:
        """Order the upgrade of a slave."""
        ...


class Rollout:
    """The upgrade of some slaves.

    Args:
        client: the server.
        names: the slaves.
        at_once: how many are upgraded at the same time.
        keep_going: go on with others after one failed.
        tell: hears of each step: the slave's name, and what happens.
        sleep: waits for some seconds.
    """

    def __init__(
        self,
        client: Client,
        names: list[str],
        at_once: int,
        *,
        keep_going: bool,
        tell: Callable[[str, str], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._waiting = deque(names)
        self._at_once = at_once
        self._keep_going = keep_going
        self._tell = tell
        self._sleep = sleep
        self._running: dict[str, str] = {}
        self._silent: dict[str, float] = {}
        self.results: dict[str, str] = {}
        """What became of each slave, in words; :data:`FAILED` and the reason, if it was not well."""

    def run(self) -> bool:
        """Upgrade all; return whether none failed."""
        while self._waiting or self._running:
            here = {slave.name: slave for slave in self._client.slaves()}
            for name in list(self._running):
                self._look(name, here.get(name))
            while self._waiting and len(self._running) < self._at_once:
                self._begin(self._waiting.popleft(), here)
            if self._running:
                self._sleep(LOOK)
        return not self.failed

    @property
    def failed(self) -> list[str]:
        """The slaves that were not upgraded because something went wrong."""
        return [name for name, result in self.results.items() if result.startswith(FAILED)]

    def _begin(self, name: str, here: dict[str, SlaveView]) -> None:
        ordered = self._client.upgrade_slave(name)
        slave = here.get(name)
        if ordered.stage == "current":
            self._end(name, f"runs {ordered.version} already")
        elif slave is not None and slave.state in LATER:
            self._end(name, LATER[slave.state])
        else:
            self._running[name] = ""

    def _look(self, name: str, slave: SlaveView | None) -> None:
        if slave is None:
            self._fail(name, "it was retired meanwhile")
        elif slave.upgrade is None:
            self._end(name, f"runs {slave.version}")
        elif slave.upgrade.stage == FAILED:
            self._fail(name, slave.upgrade.message)
        elif slave.upgrade.stage == "ordered" and slave.state is SlaveState.RESTING:
            self._end(name, LATER[slave.state])
        else:
            self._goes_on(name, slave.upgrade.stage, away=slave.state is SlaveState.OFFLINE)

    def _goes_on(self, name: str, stage: str, *, away: bool) -> None:
        if self._running[name] != stage:
            self._running[name] = stage
            self._tell(name, stage)
        since = self._silent.setdefault(name, time.monotonic())
        if not away:
            del self._silent[name]
        elif time.monotonic() - since > PATIENCE:
            self._fail(name, "it does not come back; its machine may know why")

    def _end(self, name: str, result: str) -> None:
        self._running.pop(name, None)
        self.results[name] = result
        self._tell(name, result)

    def _fail(self, name: str, reason: str) -> None:
        self._end(name, f"{FAILED}: {reason}")
        if not self._keep_going:
            self.results |= dict.fromkeys(self._waiting, "not begun, since another failed")
            self._waiting.clear()
