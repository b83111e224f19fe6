"""A scene for make_installed.py: what the docs show, with unsaved changes."""

from __future__ import annotations

import os
from typing import Any

import bpy


def play(blend: Any, server: Any, invite: Any, changed: Any, *examples: Any) -> Any:
    bpy.ops.distren.register_account(server=server, name="mia", passphrase="correct horse battery", invite=invite)
    send, missing, update, fetch = examples
    exec(send)
    os.unlink(f"{os.path.dirname(blend)}/../pictures/film_002.png")
    for thing in bpy.context.scene.objects:
        if thing.type == "MESH":
            thing.location.x += 1.0
    before = state()
    exec(missing)
    exec(update)
    exec(fetch)
    after = state()
    # What was sent, for the comparison: beside the artist's file, whose folders it needs.
    bpy.ops.wm.save_as_mainfile(filepath=changed, copy=True)
    bpy.ops.wm.save_userpref()
    jobs = [(job.number, job.title, job.state, job.total) for job in bpy.context.window_manager.distren_jobs]
    return {"before": before, "after": after, "jobs": jobs, "config": bpy.utils.user_resource("CONFIG")}


def state() -> Any:
    """What must not change by sending a file."""
    images = sorted((image.name, image.filepath) for image in bpy.data.images)
    libraries = [library.filepath for library in bpy.data.libraries]
    saved = os.stat(bpy.data.filepath)
    return [bpy.data.filepath, bpy.data.is_dirty, images, libraries, saved.st_mtime_ns, saved.st_size]
