"""How fast the machine is at the moment: shared hosts are not equally fast at all hours."""

from __future__ import annotations

import json
import os
import time

_ROWS = [{"id": n, "state": "leased", "name": f"ws{n}", "hash": f"{n:064x}", "at": [n, None]} for n in range(4000)]


def conditions() -> str:
    """Return the machine's pace; and how busy it is with more than is asked of it, for then figures are too bad."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    busy = f"; load average {load:.0f} on {cores} cores" if load > 2 * cores else ""
    return f"machine {pace():.0f} ms{busy}"


def pace() -> float:
    """Return the CPU time of a fixed piece of Python, ms: the least of three.

    It walks through more memory than a core's cache has, as a server does: where others use a host's memory, loops
    over few numbers are as fast as ever, and servers are not.
    """
    return min(_piece() for _ in range(3))


def _piece() -> float:
    began = time.thread_time()
    for _ in range(3):
        by_name = {row["name"]: row for row in json.loads(json.dumps(_ROWS))}
        sorted(by_name.values(), key=lambda row: str(row["hash"]))
    return 1000 * (time.thread_time() - began)
