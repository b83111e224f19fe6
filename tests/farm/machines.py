"""Machines of a studio: each in a network namespace and a home of its own, a slave by a join code alone."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from farm.words.settingsfile import update
from tests.farm.farm import Process
from tests.farm.homes import home, run
from tests.network import Side

CLOCK = """
import os, time
from pathlib import Path
_right, _offset = time.time, Path(os.environ["TEST_CLOCK"])
time.time = lambda: _right() + float(_offset.read_text())
"""
"""What Python runs first of all where the clock is set. (libfaketime breaks its `time.sleep`.)"""


class Machine:
    """One of them.

    Args:
        side: where it is on the network.
        folder: gets its home, and its log.
        name: what its slave is called.
        variables: of its environment.
    """

    def __init__(self, side: Side, folder: Path, name: str, **variables: str) -> None:
        self.name = name
        self.folder = folder
        self.home = folder / name
        self.home.mkdir()
        self.config = self.home / "config" / "distren" / "slave.conf"
        self._side = side
        self._variables = variables
        self._clock = folder / f"{name}.clock"
        self._keyboard: int | None = None
        self.process: Process | None = None

    def join(self, code: str) -> str:
        """Join by a code, and return what that said."""
        with self._side.entered():
            said = run(self.home, "join", code, "--no-service", "--name", self.name, **self._variables)
        assert said.returncode == 0, said.stderr
        return said.stdout

    def says(self, **settings: str | float | list[str]) -> None:
        """Have its owner write into its slave.conf."""
        update(self.config, settings)

    def sat_at(self) -> None:
        """Give it a keyboard, and an owner who wants it for themselves for three seconds after each key."""
        os.mkfifo(device := self.folder / f"{self.name}.keys")
        self._keyboard = os.open(device, os.O_RDWR | os.O_NONBLOCK)
        self.says(input_devices=[str(device)], away_minutes=0.05, finish_seconds=0)

    def type(self) -> None:
        """Touch the keyboard."""
        assert self._keyboard is not None
        os.write(self._keyboard, b"key")

    def set_clock(self, hours: float) -> None:
        """Set its clock some hours forward."""
        part = self._clock.with_suffix(".part")
        part.write_text(str(hours * 3600), "ascii")
        part.replace(self._clock)

    def start(self) -> None:
        """Start its slave, as its service does."""
        given = {**home(self.home), "DISTREN_SLAVE_CONFIG": str(self.config), **self._variables}
        if self._clock.exists():
            (place := self.home / "clock").mkdir(exist_ok=True)
            (place / "sitecustomize.py").write_text(CLOCK, "ascii")
            given |= {"PYTHONPATH": str(place), "TEST_CLOCK": str(self._clock)}
        with self._side.entered():
            self.process = Process(self.name, ["slave"], given, self.folder)

    def close(self) -> None:
        """Take it away."""
        if self.process is not None:
            self.process.popen.send_signal(signal.SIGKILL)
            self.process.popen.wait()
        if self._keyboard is not None:
            os.close(self._keyboard)
