"""The session of a method that runs one command per frame: `MODULE PROGRAM`, where the module has `METHOD`."""

from __future__ import annotations

import importlib
import os
import re
import resource
import shlex
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from farm.methods.failing import say_failed
from farm.methods.inside.trouble import SLAVE, Trouble
from farm.methods.inside.wire import Wire, die_with_parent
from farm.methods.program import FrameToRender, ProgramMethod
from farm.sandbox.prepare import dies_with_parent

LINES = 50
"""The last lines of a program's output in which the reason of a failure is looked for."""

LONGEST = 10_000
"""Bytes of a line that are kept."""

_KIB = 1 if sys.platform == "darwin" else 1024


def main() -> None:
    """Obey orders until `quit`, or until the slave is gone."""
    die_with_parent()
    module, program = sys.argv[1:]
    method: ProgramMethod = importlib.import_module(module).METHOD
    wire = Wire()
    wire.say("hello", version=method.version_of(Path(program)) or "", engines=[])
    opened: dict[str, Any] | None = None
    for order in wire.orders():
        try:
            if order["do"] == "open":
                opened = _open(wire, order)
            elif order["do"] == "render":
                _render(wire, method, Path(program), opened, order)
        except Exception as error:  # noqa: BLE001  whatever it is, the slave must hear of it
            say_failed(wire, order.get("attempt"), error)
    os._exit(0)


def _open(wire: Wire, order: dict[str, Any]) -> dict[str, Any]:
    if order["source"] and not Path(order["source"]).is_file():
        raise Trouble(f"The file {Path(order['source']).name} is missing.")
    wire.say("opened", seconds=0.0, warnings=[], memory=0, facts={})
    return order


def _render(
    wire: Wire, method: ProgramMethod, program: Path, opened: dict[str, Any] | None, order: dict[str, Any]
) -> None:
    if opened is None:
        raise Trouble("No file is open.", SLAVE)
    output, began = Path(order["output"]), time.monotonic()
    output.mkdir(parents=True, exist_ok=True)
    threads = int(opened.get("threads") or len(os.sched_getaffinity(0)))
    frame = FrameToRender(Path(opened["source"]), int(order["picture"]), opened["settings"], output, threads)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _run(wire, method, method.command(program, frame), Path(opened["root"]))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    files = sorted(str(path) for path in output.rglob("*") if path.is_file())
    if not files:
        raise Trouble(f"{method.title} ended well, but wrote no file.")
    cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    times = {"seconds": time.monotonic() - began, "cpu_seconds": cpu, "load_seconds": 0.0}
    wire.say("done", attempt=order["attempt"], files=files, memory=used.ru_maxrss * _KIB, **times)


def _run(wire: Wire, method: ProgramMethod, argv: list[str], root: Path) -> None:
    """Run a command to its end; pass on how far it is.

    Raises:
        Trouble: it failed.
    """
    sys.stderr.write(f"{shlex.join(argv)}\n")
    last: deque[str] = deque(maxlen=LINES)
    pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(argv, cwd=root, preexec_fn=dies_with_parent(), **pipes) as process:
        assert process.stdout is not None
        for line in _lines(process.stdout.fileno()):
            sys.stderr.write(f"{line}\n")
            last.append(line)
            fraction = method.progress(line)
            if fraction is not None:
                wire.say("progress", fraction=min(1.0, max(0.0, fraction)), remaining=None, memory=0)
    code = process.returncode
    if code < 0:
        raise Trouble(f"{method.title} was ended by signal {-code}; most likely it crashed.", SLAVE)
    if code:
        reason = method.reason(list(last)).replace(f"{root}/", "")
        raise Trouble(reason[:1000] or f"{method.title} ended with exit code {code}, and did not say why.")


def _lines(pipe: int) -> Iterator[str]:
    """Yield what a program prints, line by line as it comes; a carriage return ends a line, too."""
    rest = b""
    while data := os.read(pipe, 65536):
        *lines, rest = re.split(rb"[\r\n]+", rest + data)
        yield from (line[:LONGEST].decode("utf-8", "replace") for line in lines if line)
        rest = rest[-LONGEST:]
    if rest:
        yield rest.decode("utf-8", "replace")


if __name__ == "__main__":
    main()
