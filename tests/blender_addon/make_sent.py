"""A scene for make_installed.py: send a file as it is, and leave its pictures on the farm."""

from __future__ import annotations

import importlib
from typing import Any

import bpy


def play(blend: Any, server: Any, invite: Any, frames: Any) -> Any:
    bpy.ops.wm.open_mainfile(filepath=blend)
    bpy.ops.distren.register_account(server=server, name="mia", passphrase="correct horse battery", invite=invite)
    bpy.ops.distren.submit(frames=frames, device="cpu", fetch=False, anyway=True)
    desk = importlib.import_module(f"{ADDON}.ui.desk").desk  # type: ignore[name-defined]  # noqa: F821
    return desk.sent["job"]
