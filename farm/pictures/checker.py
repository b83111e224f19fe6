"""Have pictures checked by limited children, which are kept and replaced when they die."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog

import farm
from farm.pictures.facts import Facts

log = structlog.get_logger(__name__)

_LINE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What one child may use: bytes of address space; CPU and wall seconds for one picture."""

    memory_bytes: int = 4 << 30
    cpu_seconds: int = 120
    wall_seconds: float = 300.0


class Checker:
    """A few children, each with one picture at a time."""

    def __init__(self, children: int = 1, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._free: asyncio.LifoQueue[asyncio.subprocess.Process | None] = asyncio.LifoQueue()
        for _ in range(children):
            self._free.put_nowait(None)
        self._all: set[asyncio.subprocess.Process] = set()

    async def __aenter__(self) -> Checker:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def check(self, path: Path, thumbnail: Path | None = None) -> Facts:
        """Check one file; a picture that kills its decoder is a bad one.

        Args:
            path: the file.
            thumbnail: where its thumbnail goes; None: none is wanted.
        """
        return await self._asked(path, {"thumbnail": os.fspath(thumbnail) if thumbnail else None})

    async def part(self, path: Path, tile: str) -> Facts:
        """Return facts of a tile of a picture, written `grid/number`; empty: of the whole. An EXR is unpacked, too."""
        return await self._asked(path, {"tile": tile})

    async def shown(self, path: Path, tile: str, target: Path) -> Facts:
        """Write a tile of a picture as people see it, as WebP; the facts say why not, if it can't be."""
        return await self._asked(path, {"tile": tile, "target": os.fspath(target)})

    async def layers(self, path: Path) -> Facts:
        """Return facts with an EXR's layers; they say why not, if it is none."""
        return await self._asked(path, {"view": {}})

    async def view(self, path: Path, layer: str, exposure: float, target: Path) -> Facts:
        """Write a layer of an EXR as people see it, as WebP; the facts say why not, if it can't be.

        Args:
            path: the EXR.
            layer: one of :func:`farm.pictures.viewexr.layers`.
            exposure: in stops.
            target: where the picture goes.
        """
        wish = {"layer": layer, "exposure": exposure, "target": os.fspath(target)}
        return await self._asked(path, {"view": wish})

    async def _asked(self, path: Path, wish: dict[str, Any]) -> Facts:
        child = await self._free.get()
        alive: asyncio.subprocess.Process | None = None
        try:
            child = child if child and child.returncode is None else await self._start()
            answer = await asyncio.wait_for(_ask(child, {"path": os.fspath(path), **wish}), self.limits.wall_seconds)
            alive = child
        except (TimeoutError, OSError, ValueError) as error:
            log.warning("A picture killed its decoder", file=str(path), error=repr(error))
            return Facts(False, "The picture could not be decoded within the limits of memory and time.")
        finally:
            if alive is None and child is not None:
                await self._end(child)
            self._free.put_nowait(alive)
        return answer

    async def close(self) -> None:
        """End the children."""
        for child in list(self._all):
            await self._end(child)

    async def _start(self) -> asyncio.subprocess.Process:
        limits = [f"--memory={self.limits.memory_bytes}", f"--cpu={self.limits.cpu_seconds}"]
        home = str(Path(farm.__file__).parent.parent)
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "farm.pictures.child",
            *limits,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={k: v for k, v in os.environ.items() if k in ("PATH", "SYSTEMROOT", "LANG")} | {"PYTHONPATH": home},
            start_new_session=True,
            limit=_LINE,
        )
        self._all.add(child)
        return child

    async def _end(self, child: asyncio.subprocess.Process) -> None:
        self._all.discard(child)
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        if child.stdin:
            child.stdin.close()
        await child.wait()


async def _ask(child: asyncio.subprocess.Process, question: dict[str, Any]) -> Facts:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(json.dumps(question).encode() + b"\n")
    await child.stdin.drain()
    line = await child.stdout.readline()
    if not line:
        raise ValueError("the child ended")
    return Facts.read(json.loads(line))
