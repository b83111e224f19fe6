"""The limited process that decodes pictures: JSON lines in, JSON lines out.

A picture comes from a renderer that ran somebody's job. Its decoder may be made to eat
memory or time, or to crash: then this process dies, and nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from farm.pictures.decode import look
from farm.pictures.facts import Facts

_FILE_BYTES = 8 * 1024 * 1024
"""The largest file that may be written: a thumbnail is far smaller."""


def main() -> None:
    """Answer until stdin ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--memory", type=int, default=4 << 30, help="bytes of address space")
    parser.add_argument("--cpu", type=int, default=120, help="CPU seconds for one picture")
    limits = parser.parse_args()
    _limit(limits.memory)
    for line in sys.stdin:
        _limit_cpu(limits.cpu)
        sys.stdout.write(json.dumps(_answer(json.loads(line)).plain()) + "\n")
        sys.stdout.flush()


def _answer(question: dict[str, str | None]) -> Facts:
    thumbnail = question.get("thumbnail")
    try:
        return look(Path(str(question["path"])), Path(thumbnail) if thumbnail else None)
    except MemoryError:
        return Facts(False, "The picture needs more memory than is allowed.")
    except OSError as error:
        return Facts(False, f"The file can't be read: {error.strerror or error}.")


def _limit(memory: int) -> None:
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES, _FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_cpu(seconds: int) -> None:
    """Move the limit ahead of what was used: the process is kept for many pictures."""
    if sys.platform == "win32":
        return
    import resource

    used = int(sum(os.times()[:2])) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = used + seconds if hard == resource.RLIM_INFINITY else min(used + seconds, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


if __name__ == "__main__":
    main()
