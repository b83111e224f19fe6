"""The session child of the methods that only combine the files of other frames: its loop."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from farm.methods.failing import say_failed
from farm.methods.inside.trouble import Trouble
from farm.methods.inside.wire import Wire, die_with_parent

Tell = Callable[[float], None]
"""Hears how far it is."""


@dataclass(frozen=True, slots=True)
class Needed:
    """One frame's work.

    Args:
        settings: the job's.
        root: the job's tree.
        source: the job's file; None: there is none.
        folders: the files of the frames that it waited for, in the order of their numbers.
        output: where its own files go.
        scratch: the session's folder.
        set: the parameter set that the frame is of; empty: of none. The folder of its name is put before its files by
            the slave.
    """

    settings: dict[str, Any]
    root: Path
    source: Path | None
    folders: list[Path]
    output: Path
    scratch: Path
    set: str = ""


def serve(version: str, engines: list[str], combine: Callable[[Needed, Tell], Iterator[Path]]) -> None:
    """Obey orders until `quit`, or until the slave is gone.

    Args:
        version: said to the slave.
        engines: said to the slave.
        combine: does a frame's work, and yields the files that it wrote.
    """
    die_with_parent()
    wire = Wire()
    wire.say("hello", version=version, engines=engines)
    opened: dict[str, Any] = {}
    for order in wire.orders():
        try:
            if order["do"] == "open":
                opened = order
                wire.say("opened", seconds=0.0, warnings=[], memory=0, facts={})
            elif order["do"] == "render":
                _render(wire, opened, order, combine)
        except Exception as error:  # noqa: BLE001  whatever it is, the slave must hear of it
            say_failed(wire, order.get("attempt"), error)
    os._exit(0)


def _render(
    wire: Wire, opened: dict[str, Any], order: dict[str, Any], combine: Callable[[Needed, Tell], Iterator[Path]]
) -> None:
    root = Path(opened["root"])
    folders = [root / folder for folder in order.get("depends") or ()]
    if not folders:
        raise Trouble("This frame waits for no others: there is nothing to combine.")
    source = Path(opened["source"]) if opened.get("source") else None
    output = Path(order["output"])
    needed = Needed(opened["settings"], root, source, folders, output, Path.cwd(), str(order.get("set") or ""))
    needed.output.mkdir(parents=True, exist_ok=True)
    began, before = time.monotonic(), _used()
    files = [
        str(path)
        for path in combine(
            needed, lambda fraction: wire.say("progress", fraction=fraction, remaining=None, memory=_memory())
        )
    ]
    facts = {"seconds": time.monotonic() - began, "cpu_seconds": _used() - before, "load_seconds": 0.0}
    wire.say("done", attempt=order["attempt"], files=files, memory=_memory(), **facts)


def _used() -> float:
    """Return CPU seconds of this process and those that it started."""
    each = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in each)


def _memory() -> int:
    """Return the most memory of this process or one that it started, in bytes."""
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return most * (1 if sys.platform == "darwin" else 1024)
