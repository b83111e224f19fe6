"""The session child: speaks the session wire, and runs one POV-Ray per frame."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from farm.methods.failing import say_failed
from farm.methods.inside.trouble import SLAVE, Trouble
from farm.methods.inside.wire import Wire, die_with_parent
from farm.methods.povray.inside.rendering import Room, render
from farm.methods.povray.shot import Shot, shot
from farm.methods.povray.tileable import reasons
from farm.methods.povray.version import version_of

Opened = tuple[Room, Shot]


def main() -> None:
    """Obey orders until `quit`, or until the slave is gone."""
    die_with_parent()
    program, *libraries = sys.argv[1:]
    wire = Wire()
    wire.say("hello", version=version_of(Path(program)), engines=[])
    opened: Opened | None = None
    for order in wire.orders():
        try:
            if order["do"] == "open":
                opened = _open(wire, order, program, libraries)
            elif order["do"] == "render":
                _render(wire, opened, order)
        except Exception as error:  # noqa: BLE001  whatever it is, the slave must hear of it
            say_failed(wire, order.get("attempt"), error)
    os._exit(0)


def _open(wire: Wire, order: dict[str, Any], program: str, libraries: list[str]) -> Opened:
    root, scratch = Path(order["root"]), Path.cwd()
    source = Path(order["source"])
    if not source.is_file():
        raise Trouble(f"The file {source.name} is missing.")
    wanted = shot(source.relative_to(root).as_posix(), order.get("settings") or {}, _reader(root))
    if not (root / wanted.scene).is_file():
        raise Trouble(f"The scene {wanted.scene} is not among the job's files.")
    if wanted.tiles:
        _check_tiles(wanted, root)
    keep = Path(order["unfinished"]) if order.get("unfinished") else None
    hands_on = bool(order.get("hands_on"))
    room = Room(program, libraries, root, scratch, keep, int(order.get("threads") or _cores()), hands_on)
    room.prepare()
    facts = {"scene": wanted.scene, "frames": [wanted.first, wanted.last], "still": wanted.still}
    for message in wanted.messages:
        wire.say("log", text=message)
    wire.say("opened", seconds=0.0, warnings=list(wanted.messages), memory=0, facts=facts)
    return room, wanted


def _check_tiles(wanted: Shot, root: Path) -> None:
    """Refuse a scene whose tiles would not be those of the whole picture.

    Raises:
        Trouble: says why.
    """
    wanted.boxes()
    texts = (path for path in sorted(root.rglob("*")) if path.suffix.lower() in (".pov", ".inc", ".mcr"))
    if wrong := reasons(path.read_text("utf-8", "replace") for path in texts if path.is_file()):
        raise Trouble(" ".join(wrong))


def _reader(root: Path) -> Any:
    def read(path: str) -> str | None:
        file = root / path
        return file.read_text("utf-8", "replace") if file.is_file() else None

    return read


def _render(wire: Wire, opened: Opened | None, order: dict[str, Any]) -> None:
    if opened is None:
        raise Trouble("No scene is open.", SLAVE)
    facts = render(*opened, order, wire.say)
    wire.say("done", attempt=order["attempt"], **facts)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    main()
