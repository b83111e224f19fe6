"""`make fuzz`: atheris (libFuzzer) learns, by the branches that are taken, what the parsers make of their input.

Each parser in turn, in a process of its own, for some seconds; what it learnt is kept in `.fuzz/`, and what breaks
one comes to `.fuzz/crashes`. Copy that into `tests/fuzz/crashes`, and every test run tries it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.fuzz.targets import TARGETS, folder

KEPT = Path(".fuzz")
LONGEST = 4096
"""Bytes of one input."""
HANG = 10
"""Seconds after which a parser hangs."""
MEMORY = 2048
"""MiB that it may take."""


def main() -> int:
    """Fuzz all targets, or those that are named; return how many broke."""
    seconds, *names = sys.argv[1:] or ["60"]
    broken = [name for name in names or TARGETS if not _sound(name, seconds)]
    for name in broken:
        sys.stdout.write(f"BROKEN: {name}; see {KEPT}/crashes\n")
    return len(broken)


def _sound(name: str, seconds: str) -> bool:
    corpus, crashes = KEPT / folder(name), KEPT / "crashes"
    for made in (corpus, crashes):
        made.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(TARGETS[name].seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    limits = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-timeout={HANG}", f"-rss_limit_mb={MEMORY}"]
    argv = [sys.executable, "-m", "tests.fuzz.one", name, str(corpus), *limits, "-print_final_stats=1"]
    argv += [f"-artifact_prefix={crashes}/{folder(name)}-"]
    done = subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False)
    runs = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    sys.stdout.write(f"{name}: {runs[1] if runs else '?'} inputs\n")
    if done.returncode:
        sys.stdout.write(done.stdout[-3000:] + done.stderr[-3000:])
    sys.stdout.flush()
    return done.returncode == 0


sys.exit(main())
