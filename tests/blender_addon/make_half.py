"""A scene for make_installed.py: be killed in the middle of an upload; or, without a .blend, send the rest of it."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import time
from typing import Any

import bpy


def play(server: Any, blend: Any = "", frame: Any = "") -> Any:
    module = next(name for name in bpy.context.preferences.addons.keys() if name.endswith("distren"))  # noqa: SIM118
    if blend:
        link = importlib.import_module(f"{module}.comms.link").Link
        link.put = lambda *_: killed()
        bpy.ops.distren.connect(server=server)
        bpy.ops.wm.open_mainfile(filepath=blend)
        bpy.context.scene.frame_set(int(frame))
        bpy.context.scene.render.resolution_x += 16  # so that the file has to travel
        bpy.ops.distren.submit(still=True, frames=frame, device="cpu", name="half")
    pump = importlib.import_module(f"{module}.ui.pump")
    bpy.ops.distren.connect(server=server)
    offered = [half.name for half in pump.desk.halves]
    bpy.ops.distren.send_rest()
    job = pump.desk.sent["job"]
    end = time.monotonic() + 100
    pump.wait(lambda: (job in pump.desk.fetched and pump.desk.fetched[job].ended) or time.monotonic() > end)
    return {"offered": offered, "job": job, "left": [half.name for half in pump.desk.halves]}


def killed() -> None:
    """Die as if by a power cut, in the middle of a thread's upload."""
    with open(sys.argv[sys.argv.index("--") + 3], "w", encoding="utf-8") as stream:
        json.dump({"answer": "killed"}, stream)
    os.kill(os.getpid(), signal.SIGKILL)
