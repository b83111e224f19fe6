"""A scene for make_installed.py: register, send a file with unsaved changes, wait for its pictures."""

from __future__ import annotations

import os
from typing import Any

import bpy


def play(blend: Any, server: Any, invite: Any, changed: Any) -> Any:
    bpy.ops.wm.open_mainfile(filepath=blend)
    bpy.ops.distren.register_account(server=server, name="mia", passphrase="correct horse battery", invite=invite)
    for thing in bpy.context.scene.objects:
        if thing.type == "MESH":
            thing.location.x += 1.0
    before = state()
    bpy.ops.distren.submit(frames="1-2", device="cpu", wait=True)
    after = state()
    # What was sent, for the comparison: beside the artist's file, whose folders it needs.
    bpy.ops.wm.save_as_mainfile(filepath=changed, copy=True)
    bpy.ops.wm.save_userpref()
    jobs = [(job.number, job.title, job.state) for job in bpy.context.window_manager.distren_jobs]
    return {"before": before, "after": after, "jobs": jobs, "config": bpy.utils.user_resource("CONFIG")}


def state() -> Any:
    """What must not change by sending a file."""
    images = sorted((image.name, image.filepath) for image in bpy.data.images)
    libraries = [library.filepath for library in bpy.data.libraries]
    saved = os.stat(bpy.data.filepath)
    return [bpy.data.filepath, bpy.data.is_dirty, images, libraries, saved.st_mtime_ns, saved.st_size]
