"""Tell whether processes use a graphics card: one that computes there may use no processor at all."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

APART = 1.0
"""Seconds between two looks at the time that a card spent on a process."""

SHARE = 0.05
"""Of a card's time, from which on it counts as used."""

_ENGINE = "drm-engine-"
_NANOSECONDS = 1e9


def cards_used(pids: Callable[[], Collection[int]], proc: Path = Path("/proc")) -> bool:
    """Look for about a second; Linux only, elsewhere nothing is seen.

    AMD's and Intel's drivers account for each process in `fdinfo` (the kernel's
    documentation, `gpu/drm-usage-stats`); NVIDIA's does it in its own program.

    Args:
        pids: returns the processes as they are now.
        proc: where the kernel shows processes.
    """
    before = drm_seconds(pids(), proc)
    began = time.monotonic()
    if _nvidia(pids()):
        return True
    time.sleep(max(0.0, began + APART - time.monotonic()))
    return drm_seconds(pids(), proc) - before >= SHARE * APART


def drm_seconds(pids: Collection[int], proc: Path = Path("/proc")) -> float:
    """Return the seconds that cards spent on processes so far, each of their clients counted once."""
    clients: dict[tuple[str, str], float] = {}
    for pid in pids:
        for facts in _fdinfo(proc / str(pid) / "fdinfo"):
            if client := facts.get("drm-client-id"):
                spent = (value for key, value in facts.items() if key.startswith(_ENGINE))
                seconds = sum(int(value.split()[0]) for value in spent if value.endswith(" ns")) / _NANOSECONDS
                clients[facts.get("drm-pdev", ""), client] = seconds
    return sum(clients.values())


def _fdinfo(folder: Path) -> Iterator[dict[str, str]]:
    # Processes and files end while they are looked at.
    with contextlib.suppress(OSError):
        for file in folder.iterdir():
            with contextlib.suppress(OSError):
                pairs = (line.partition(":") for line in file.read_text(errors="replace").splitlines())
                yield {key: value.strip() for key, _, value in pairs}


def _nvidia(pids: Collection[int]) -> bool:
    program = shutil.which("nvidia-smi")
    if program is None:
        return False
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        command = [program, "pmon", "-c", "1", "-s", "u"]
        said = subprocess.run(command, capture_output=True, text=True, timeout=10, stdin=subprocess.DEVNULL).stdout
        return any(pid in pids for pid in busy_in(said))
    return False


def busy_in(said: str) -> list[int]:
    """Return the processes that `nvidia-smi pmon` says use a card's multiprocessors.

    Its columns are named in the first line: `# gpu pid type sm mem enc dec …`; `-` is no use.
    """
    titles: list[str] = []
    found = []
    for line in said.splitlines():
        words = line.lstrip("# ").split()
        if line.startswith("#"):
            titles = titles or words
            continue
        row = dict(zip(titles, words, strict=False))
        if row.get("pid", "").isdigit() and row.get("sm", "").isdigit() and int(row["sm"]) > 0:
            found.append(int(row["pid"]))
    return found
