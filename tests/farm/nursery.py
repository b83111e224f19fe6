"""Servers that start at once: forked from a process that has imported everything. Killed, they are as dead as any."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import time
from dataclasses import asdict
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psutil

from tests.farm.farm import Farm, Process
from tests.living import bound

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["farm.server.process", "tests.farm.nursery"])


class Forked(Process):
    """A server process; it writes its log, and what it says of itself, into the farm's log file."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.log = folder / "server.log"
        self.mark = ""
        self.started = []
        self.child: BaseProcess = _CONTEXT.Process(target=_serve, args=(str(self.log), settings), daemon=True)
        self.child.start()
        assert self.child.pid is not None
        bound(self.child.pid)

    def kill(self) -> None:
        """SIGKILL: no chance to say good-bye."""
        self.child.kill()
        self.child.join()

    def freeze(self, seconds: float) -> None:
        """Let it stand still, as a laptop that sleeps."""
        assert self.child.pid is not None
        os.kill(self.child.pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(self.child.pid, signal.SIGCONT)


class QuickFarm(Farm):
    """A farm whose server is forked, so that it can be killed hundreds of times."""

    def start_server(self) -> Process:
        """Start the server, or start it again; return when it answers."""
        given: dict[str, Any] = {"data": str(self.folder / "server"), "host": "127.0.0.1", "port": self.port}
        if self.database_url:
            given["database"] = self.database_url
        self.server = Forked(self.folder, {**given, **self.settings})
        with self.asking() as client:
            self.until(lambda: self.answers(client), 60, "the server answers")
        return self.server

    def close(self) -> None:
        """Kill everything that is left."""
        for process in self.slaves.values():
            process.kill()
            for child in process.descendants():
                with contextlib.suppress(psutil.Error):
                    child.kill()
        self.server.kill()
        self.client.close()


def _serve(log: str, settings: dict[str, Any]) -> None:
    """Run a server in this process; its output goes into a file."""
    from farm.server.process import ServerReady, run
    from farm.words.logs import configure
    from farm.words.settings import ServerSettings

    with Path(log).open("ab", buffering=0) as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)

        def ready(facts: ServerReady) -> None:
            out.write(json.dumps(asdict(facts)).encode() + b"\n")

        configure("json")
        run(ServerSettings(**settings), ready)
