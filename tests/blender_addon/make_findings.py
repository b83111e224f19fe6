"""A scene for make_installed.py: all that is said before a job is sent, in one Blender; no slave renders anything."""

from __future__ import annotations

import importlib
import os
import tempfile
import time
from typing import Any, Callable  # noqa: UP035  (this Python may be 3.10)

import bpy

OPS = bpy.ops.distren


def play(project: Any, server: Any, invite: Any, full: Any) -> Any:
    said: dict[str, Any] = {"offline": offline(server)}
    said["before login"] = refusal(lambda: OPS.submit())
    said["wrong address"] = refusal(lambda: OPS.connect(server="ftp://nowhere"))
    said["no name"] = refusal(lambda: OPS.log_in(server=server, name="", passphrase="correct horse battery"))
    OPS.register_account(server=server, name="mia", passphrase="correct horse battery", invite=invite)
    said["declared"] = sorted(bpy.context.scene.distren_declared.bl_rna.properties.keys())
    bpy.ops.wm.open_mainfile(filepath=f"{project}/shots/no_camera.blend")
    said["no camera"] = refusal(lambda: OPS.submit())
    said |= missing(project)
    bpy.ops.wm.open_mainfile(filepath=f"{project}/shots/film.blend")
    said["backwards"] = refusal(lambda: OPS.submit(frames="9-1"))
    said["no json"] = refusal(lambda: OPS.submit(settings="{"))
    said["no such setting"] = refusal(lambda: OPS.submit(settings='{"colour": 1}', anyway=True))
    said["no such pool"] = refusal(lambda: OPS.submit(frames="1", pool="light", anyway=True))
    said["all said"] = sent(
        frames="1-9x2", name="sunset", settings='{"samples": 7}', priority=80, project="autumn", paused=True,
        comment="for tomorrow", device="gpu", newer=True, order="in_order", approval=True, anyway=True, fetch=False,
        tags="gpu, fast", pool="heavy",
    )  # fmt: skip
    said["test"] = sent(test=True, anyway=True)
    said["panel"] = of_panel()
    said["taken"] = taken(project)
    tempfile.tempdir = full
    said["disk full"] = refusal(lambda: OPS.submit(frames="1"))
    tempfile.tempdir = None
    said |= mended_library(project)
    said["output"] = usual_output()
    said["paint"] = painted()
    said["unsaved"] = never_saved(project)
    said["boost"] = refusal(lambda: OPS.boost(job=1, points=10, boost=3))
    said["only asked"] = refusal(lambda: OPS.boost(job=1, points=10, boost=3, ask=True))
    said["boost ended"] = refusal(lambda: OPS.boost(job=1, points=0))
    OPS.command(job=1, verb="cancel")
    until(lambda: state(1) == "canceled")
    OPS.log_out()
    said["after logout"] = refusal(lambda: OPS.submit())
    return said


def offline(server: Any) -> Any:
    """What is said while Blender may not use the network, and whether it may when that was allowed."""
    if not hasattr(bpy.app, "online_access"):
        return None
    bpy.context.preferences.system.use_online_access = False
    told = refusal(lambda: OPS.connect(server=server))
    OPS.allow_online()
    return [told, bpy.app.online_access]


def refusal(action: Any) -> str:
    try:
        action()
    except RuntimeError as error:
        return str(error)
    return ""


def sent(**arguments: Any) -> int:
    """Send, and return the job's number."""
    before = newest()
    OPS.submit(**arguments)
    until(lambda: newest() > before)
    return newest()


def newest() -> int:
    return max((job.number for job in bpy.context.window_manager.distren_jobs), default=0)


def state(number: int) -> str:
    return next((job.state for job in bpy.context.window_manager.distren_jobs if job.number == number), "")


def until(happened: Callable[[], bool]) -> None:
    """Wait until the watcher has told of something."""
    OPS.refresh()
    pump = importlib.import_module(f"{module()}.ui.pump")
    end = time.monotonic() + 60
    while not happened():
        if time.monotonic() > end:
            raise RuntimeError(
                f"the watcher tells of {[(j.number, j.state) for j in bpy.context.window_manager.distren_jobs]}"
            )
        pump.take()
        time.sleep(0.02)


def module() -> str:
    return next(name for name in bpy.context.preferences.addons.keys() if name.endswith("distren"))  # noqa: SIM118


def missing(project: Any) -> Any:
    """Send a file whose texture is gone."""
    bpy.ops.wm.open_mainfile(filepath=f"{project}/shots/heavy.blend")
    wood = f"{project}/assets/wood.png"
    os.rename(wood, f"{wood}.away")
    told, number = refusal(lambda: OPS.submit(frames="1")), sent(frames="1", anyway=True)
    os.rename(f"{wood}.away", wood)
    return {"missing": told, "anyway": number}


def of_panel() -> int:
    """What the panel says counts where no argument does."""
    scene = bpy.context.scene
    scene.distren.own_frames, scene.distren.frames, scene.distren.project = True, "2-4", "panel"
    scene.distren.tags, scene.distren.pool = "quiet,", "heavy"
    scene.distren_declared.use_samples, scene.distren_declared.samples = True, 3
    number = sent(anyway=True)
    scene.distren.own_frames, scene.distren.tags, scene.distren.pool = False, "", ""
    return number


def taken(project: Any) -> Any:
    os.makedirs(f"{project}/pictures", exist_ok=True)
    with open(f"{project}/pictures/film_001.png", "wb") as stream:
        stream.write(b"another")
    kept = refusal(lambda: OPS.submit())
    replaced = refusal(lambda: OPS.submit(replace=True))
    os.unlink(f"{project}/pictures/film_001.png")
    return [kept, replaced]


def mended_library(project: Any) -> Any:
    """Send a file with a library that lacks a texture; mend the library elsewhere, as an artist would, and reload."""
    film, gates = bpy.data.filepath, f"{project}/assets/gates.blend"
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    gate = bpy.data.materials.new("Gate")
    gate.use_nodes = True
    node = gate.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = bpy.data.images.load(f"{project}/assets/wood.png")
    bpy.data.libraries.write(f"{gates}.mended", {gate}, path_remap="ABSOLUTE")
    node.image.filepath = f"{project}/assets/rust.png"
    bpy.data.libraries.write(gates, {gate}, path_remap="ABSOLUTE")
    bpy.ops.wm.open_mainfile(filepath=film)
    with bpy.data.libraries.load(gates, link=True) as (_, wanted):
        wanted.materials = ["Gate"]
    next(thing for thing in bpy.context.scene.objects if thing.type == "MESH").data.materials[0] = wanted.materials[0]
    lacking = refusal(lambda: OPS.submit(frames="1"))
    os.replace(f"{gates}.mended", gates)
    OPS.reload_libraries()
    mended = refusal(lambda: OPS.submit(frames="1"))
    bpy.ops.wm.open_mainfile(filepath=film)
    return {"in a library": lacking, "reloaded": mended}


def usual_output() -> str:
    """Send a file whose pictures go where Blender puts them if nobody says anything."""
    render = bpy.context.scene.render
    own, render.filepath = render.filepath, "/tmp/"
    told = refusal(lambda: OPS.submit(frames="1"))
    render.filepath = own
    return told


def painted() -> str:
    image = bpy.data.images["wood.png"]
    image.pixels[0] = 0.5
    image.update()
    return refusal(lambda: OPS.submit(frames="1"))


def never_saved(project: Any) -> Any:
    bpy.ops.wm.read_homefile(use_factory_startup=True, app_template="")
    scene = bpy.context.scene
    scene.render.filepath = "//"
    nowhere = refusal(lambda: OPS.submit(frames="1"))
    image = bpy.data.images.load(f"{project}/assets/wood.png")
    image.use_fake_user = False
    material = bpy.data.materials.new("Wood")
    material.use_nodes = True
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    bpy.data.objects["Cube"].data.materials.append(material)
    return [nowhere, sent(frames="1", folder=f"{project}/pictures", anyway=True), bpy.data.filepath]
