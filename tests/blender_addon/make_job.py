"""A scene for make_installed.py: what the docs show, with unsaved changes."""

from __future__ import annotations

import hashlib
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
    rendered_twice()
    bpy.ops.ed.undo_push(message="before it was turned")
    bpy.context.scene.objects[0].rotation_euler.z = 1.0
    bpy.ops.ed.undo_push(message="turned")
    before = [*state(), slots(changed)]
    exec(missing)
    exec(update)
    exec(fetch)
    after = [*state(), slots(changed)]
    bpy.ops.distren.show_last(job=1)
    shown = len(bpy.data.images)
    # What was sent, for the comparison: beside the artist's file, whose folders it needs.
    bpy.ops.wm.save_as_mainfile(filepath=changed, copy=True)
    last = {"shown": shown, "left": len(bpy.data.images), "steps": undone()}
    bpy.ops.wm.save_userpref()
    jobs = [(job.number, job.title, job.state, job.total) for job in bpy.context.window_manager.distren_jobs]
    config = bpy.utils.user_resource("CONFIG")
    return {"before": before, "after": after, "jobs": jobs, "config": config, **last}


def rendered_twice() -> None:
    """Let two render slots hold different pictures."""
    scene = bpy.context.scene
    bpy.ops.render.render()
    bpy.data.images["Render Result"].render_slots.active_index = 1
    scene.frame_set(4)
    bpy.ops.render.render()
    scene.frame_set(1)


def slots(beside: Any) -> Any:
    """Return which render slot is active, and what lies in those that hold a picture."""
    result = bpy.data.images["Render Result"]
    active, held = result.render_slots.active_index, []
    for number in (0, 1):
        result.render_slots.active_index = number
        result.save_render(f"{beside}.png")
        with open(f"{beside}.png", "rb") as stream:
            held.append(hashlib.sha256(stream.read()).hexdigest())
        os.unlink(f"{beside}.png")
    result.render_slots.active_index = active
    return [active, [slot.name for slot in result.render_slots], held]


def undone() -> Any:
    """Undo once, redo once, undo for good: how the first object is turned."""
    turned = []
    for step in (bpy.ops.ed.undo, bpy.ops.ed.redo, bpy.ops.ed.undo):
        step()
        turned.append(bpy.context.scene.objects[0].rotation_euler.z)
    return turned


def state() -> Any:
    """What must not change by sending a file."""
    images = sorted((image.name, image.filepath) for image in bpy.data.images)
    libraries = [library.filepath for library in bpy.data.libraries]
    saved = os.stat(bpy.data.filepath)
    return [bpy.data.filepath, bpy.data.is_dirty, images, libraries, saved.st_mtime_ns, saved.st_size]
