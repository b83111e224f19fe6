"""The limited process that decodes pictures: JSON lines in, JSON lines out.

A picture comes from a renderer that ran somebody's job. Its decoder may be made to eat
memory or time, or to crash: then this process dies, and nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import struct
import sys
from pathlib import Path
from typing import Any

from farm.pictures.boxes import CannotJoinError
from farm.pictures.decode import look
from farm.pictures.exr import DamagedError
from farm.pictures.facts import Facts
from farm.pictures.part import WIDEST, part
from farm.pictures.part import show as show_part
from farm.pictures.viewexr import layers, show

_FILE_BYTES = 8 * 1024 * 1024
"""The largest file that may be written: thumbnails and views are far smaller."""


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


def _answer(question: dict[str, Any]) -> Facts:
    path, thumbnail, view = Path(question["path"]), question.get("thumbnail"), question.get("view")
    try:
        if view is not None:
            return _view(path, view) if view else Facts(True, layers=layers(path))
        if (tile := question.get("tile")) is not None:
            shown = question.get("target")
            return show_part(path, str(tile), Path(shown)) if shown else part(path, str(tile))
        return look(path, Path(thumbnail) if thumbnail else None)
    except (CannotJoinError, DamagedError, ValueError, struct.error) as error:
        return Facts(False, f"The picture can't be shown: {error}")
    except MemoryError:
        return Facts(False, "The picture needs more memory than is allowed.")
    except OSError as error:
        return Facts(False, f"The file can't be read: {error.strerror or error}.")


def _view(path: Path, view: dict[str, Any]) -> Facts:
    picture = show(path, str(view["layer"]), float(view["exposure"]))
    picture.thumbnail((WIDEST, WIDEST))
    picture.save(view["target"], "WEBP", quality=90, method=1)
    return Facts(True, width=picture.width, height=picture.height, channels=3, thumbnail=True)


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
