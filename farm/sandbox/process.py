"""A renderer's process: started apart from us, and never outliving us."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from farm.sandbox import tree
from farm.sandbox.carduse import cards_used
from farm.sandbox.prepare import for_renderer
from farm.words.errors import NotASetup

_LINE_LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Order:
    """What to start.

    Args:
        env: all of it.
        log: the file for stderr.
        nice: how much lower than ours its priority is, 0 to 19.
        contained: the name of the program that `argv` runs the real one in, if it does.
        processors: those that it may run on (Linux); none: any.
    """

    argv: list[str]
    env: dict[str, str]
    cwd: Path
    log: Path
    nice: int = 0
    contained: str = ""
    processors: frozenset[int] = frozenset()


class Child:
    """A running process tree with pipes for its stdin and stdout; stderr goes to a file."""

    def __init__(self, started: Started, identity: tree.Identity, contained: str = "") -> None:
        process = started.process
        assert process.stdin is not None
        assert process.stdout is not None
        self.identity = identity
        self.stdin = process.stdin
        self.stdout = process.stdout
        self._started = started
        self._process = process
        self._contained = contained
        self._measured: psutil.Process | None = None

    @classmethod
    async def start(cls, order: Order) -> Child:
        """Start a process in a session of its own, that dies when we do.

        Raises:
            NotASetup: the program can't be started.
        """
        token = secrets.token_hex(16)
        try:
            with order.log.open("ab") as log:
                started = await _spawn(order, {**order.env, tree.TOKEN: token}, log.fileno())
        except OSError as error:
            raise NotASetup(
                f"“{order.argv[0]}” can't be started: {error.strerror or error}.",
                hint="Check the renderer's path in slave.conf with `distren doctor`.",
            ) from error
        return cls(started, tree.identify(started.process.pid, token), order.contained)

    @property
    def returncode(self) -> int | None:
        """The exit code; negative: the signal that killed it; None: it runs."""
        code = self._process.returncode
        # Like a shell, bubblewrap says 128 + n of a program that signal n killed.
        return 128 - code if self._contained and code is not None and 128 < code < 160 else code

    async def usage(self) -> tree.Usage:
        """Measure memory and CPU time of the whole tree."""
        return await asyncio.to_thread(tree.usage, self.identity)

    async def uses_cards(self) -> bool:
        """Look for a second whether the tree uses a graphics card."""
        return await asyncio.to_thread(cards_used, lambda: [p.pid for p in tree.members(self.identity)])

    def cpu_seconds(self) -> float:
        """Return the CPU time of the process and of its children that ended; cheap enough for every frame."""
        if self._measured is None:
            inside = tree.inside(self.identity, self._contained) if self._contained else self.identity
            self._measured = inside.process() if inside else None
        return tree.own_cpu_seconds(self._measured) if self._measured else 0.0

    async def wait(self, seconds: float) -> int | None:
        """Wait for the end for some seconds; return the exit code, or None if it still runs."""
        # asyncio's own wait() also waits for the pipes, which a grandchild may hold open.
        end = time.monotonic() + seconds
        while self._process.returncode is None and time.monotonic() < end:  # noqa: ASYNC110  no event tells of it
            await asyncio.sleep(0.01)
        return self.returncode

    async def kill(self) -> None:
        """Kill the tree with all grandchildren, and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await asyncio.to_thread(tree.kill, self.identity)
        await self.wait(5)
        await self._started.close()


class _Pipes(asyncio.subprocess.SubprocessStreamProtocol):
    """The pipes of a process; `gone` is set when they are closed, and its exit code is known."""

    def __init__(self) -> None:
        super().__init__(_LINE_LIMIT, asyncio.get_running_loop())
        self.gone = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end."""
        super().connection_lost(exc)
        self.gone.set()


@dataclass(frozen=True, slots=True)
class Started:
    """A process as asyncio has it: its `create_subprocess_exec` gives no hold of the pipes' transport."""

    process: asyncio.subprocess.Process
    transport: asyncio.SubprocessTransport
    pipes: _Pipes

    async def close(self) -> None:
        """Close the pipes of a process that ended; a reader that was stopped would keep them open for ever."""
        self.transport.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self.pipes.gone.wait()


async def _spawn(order: Order, env: dict[str, str], log: int) -> Started:
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP
        if order.nice:
            flags |= subprocess.BELOW_NORMAL_PRIORITY_CLASS
    transport, pipes = await asyncio.get_running_loop().subprocess_exec(
        _Pipes,
        *order.argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        env=env,
        cwd=os.fspath(order.cwd),
        start_new_session=True,
        preexec_fn=for_renderer(order.nice, order.processors),
        creationflags=flags,
    )
    return Started(asyncio.subprocess.Process(transport, pipes, asyncio.get_running_loop()), transport, pipes)
