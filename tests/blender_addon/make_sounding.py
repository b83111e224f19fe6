"""A scene for make_installed.py: a video with the scene's sound."""

from __future__ import annotations

from typing import Any

import bpy


def play(server: Any, invite: Any, sounding: Any, folder: Any) -> Any:
    bpy.ops.distren.register_account(server=server, name="mia", passphrase="correct horse battery", invite=invite)
    bpy.ops.wm.open_mainfile(filepath=sounding)
    bpy.ops.distren.submit(video="mp4", device="cpu", folder=folder, wait=True)
    return {}
