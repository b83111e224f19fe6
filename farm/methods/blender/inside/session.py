"""The loop: one order, its events, the next order."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any

import bpy

from farm.methods.inside.trouble import SLAVE, Trouble, from_blender
from farm.methods.inside.wire import Wire, die_with_parent

from .addons import engines
from .baking import bake
from .narration import Narrator, listen
from .opening import Opened, open_file
from .rendering import render


def main() -> None:
    """Obey orders until `quit`, or until the slave is gone."""
    die_with_parent()
    wire = Wire()
    narrator = Narrator(wire.say)
    listen(bpy, narrator)
    wire.say(
        "hello", version=".".join(map(str, bpy.app.version)), engines=[bpy.context.scene.render.engine, *engines()]
    )
    opened: Opened | None = None
    for order in wire.orders():
        if order["do"] == "open":
            opened = _open(wire, order)
        elif order["do"] == "render":
            opened = _again(wire, opened, order)
            _render(wire, opened, order, narrator)
        sys.stdout.flush()
    # Some versions crash in their own clean-up after good work.
    os._exit(0)


def _open(wire: Wire, order: dict[str, Any]) -> Opened | None:
    try:
        opened = open_file(order)
    except Exception as error:  # noqa: BLE001  whatever it is, the slave must hear of it
        _failed(wire, None, error)
        return None
    for warning in opened.warnings:
        wire.say("log", text=warning)
    facts = {"warnings": opened.warnings, "memory": opened.memory, "facts": opened.facts}
    wire.say("opened", seconds=opened.seconds, **facts)
    return opened


def _again(wire: Wire, opened: Opened | None, order: dict[str, Any]) -> Opened | None:
    """Open the file anew if its simulations are past the frame: they can't be played backwards."""
    if opened is None or opened.played is None or int(order["picture"]) >= opened.played:
        return opened
    wire.say("log", text=f"Frame {order['picture']} lies before {opened.played}: the file is opened anew.")
    try:
        return open_file(opened.order)
    except Exception as error:  # noqa: BLE001  whatever it is, the slave must hear of it
        _failed(wire, order.get("attempt"), error)
        return None


def _render(wire: Wire, opened: Opened | None, order: dict[str, Any], narrator: Narrator) -> None:
    attempt = order.get("attempt")
    if opened is None:
        _failed(wire, attempt, Trouble("No file is open.", SLAVE))
        return
    try:
        baked = (opened.order.get("settings") or {}).get("bake")
        facts = (bake if baked else render)(opened, order, narrator)
    except Exception as error:  # noqa: BLE001  whatever it is, the slave must hear of it
        _failed(wire, attempt, error)
    else:
        wire.say("done", attempt=attempt, **facts)


def _failed(wire: Wire, attempt: object, error: Exception) -> None:
    trouble = error if isinstance(error, Trouble) else from_blender(error)
    if not isinstance(error, Trouble):
        traceback.print_exc()
    wire.say("failed", attempt=attempt, **{"class": trouble.kind}, message=str(trouble))
