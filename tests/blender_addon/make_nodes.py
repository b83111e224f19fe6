"""A scene for make_installed.py: send a file that is moved by the nodes of another add-on.

What it looks like at home, with the add-on, is rendered beside; and the file is kept, for a render without.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

import bpy

ADDON_SOURCE = """
import bpy
from . import parts

bl_info = {"name": "Mover", "blender": (3, 0, 0), "version": (2, 1)}

class MoverTree(bpy.types.NodeTree):
    bl_idname = bl_label = "MoverTree"
    bl_icon = "NODETREE"

class Flat(bpy.types.RenderEngine):
    bl_idname, bl_label = "MOVER_FLAT", "Flat"

    def render(self, depsgraph):
        render = depsgraph.scene.render
        result = self.begin_result(0, 0, render.resolution_x, render.resolution_y)
        colour = [parts.place(depsgraph.scene.frame_current), 0.5, 0, 1]
        result.layers[0].passes["Combined"].rect = [colour] * (render.resolution_x * render.resolution_y)
        self.end_result(result)

def move(scene, *_):
    for tree in bpy.data.node_groups:
        if tree.bl_idname == "MoverTree":
            bpy.data.objects["square"].location.x = parts.place(scene.frame_current)

def register():
    bpy.utils.register_class(MoverTree)
    bpy.utils.register_class(Flat)
    bpy.app.handlers.frame_change_pre.append(bpy.app.handlers.persistent(move))

def unregister():
    bpy.app.handlers.frame_change_pre.clear()
    bpy.utils.unregister_class(Flat)
    bpy.utils.unregister_class(MoverTree)
"""


def play(server: Any, invite: Any, blend: Any, picture: Any) -> Any:
    bpy.ops.distren.register_account(server=server, name="mia", passphrase="correct horse battery", invite=invite)
    install()
    small()
    tree = bpy.data.node_groups.new("Motion", "MoverTree")
    tree.use_fake_user = True
    bpy.ops.wm.save_as_mainfile(filepath=blend)
    job = sent(picture)
    desk = own_desk()
    desk.info = {**desk.info, "profile": "open"}
    told = refusal()
    desk.info = {**desk.info, "profile": "studio"}
    bpy.data.node_groups.remove(tree)
    bpy.context.scene.render.engine = "MOVER_FLAT"
    return [job, told, sent(f"{picture}.flat.png")]


def sent(picture: Any) -> Any:
    """Render the picture here, then send the job; return its number."""
    scene = bpy.context.scene
    scene.frame_set(2)
    scene.render.filepath = picture
    bpy.ops.render.render(write_still=True)
    scene.render.filepath = "//film_###"
    bpy.ops.distren.submit(frames="2", device="cpu", fetch=False, anyway=True)
    return own_desk().sent["job"]


def refusal() -> str:
    try:
        bpy.ops.distren.submit(frames="2", device="cpu", fetch=False)
    except RuntimeError as error:
        return str(error)
    return ""


def own_desk() -> Any:
    return importlib.import_module(f"{ADDON}.ui.desk").desk  # type: ignore[name-defined]  # noqa: F821


def install() -> None:
    """Put the add-on where an artist's are, with what is no part of it."""
    home = os.path.join(bpy.utils.user_resource("SCRIPTS", path="addons", create=True), "mover")
    os.makedirs(os.path.join(home, ".git"))
    for name, text in (
        ("__init__.py", ADDON_SOURCE), ("parts.py", "def place(frame):\n    return frame / 2\n"), (".git/secret", ""),
    ):  # fmt: skip
        with open(os.path.join(home, name), "w", encoding="utf-8") as stream:
            stream.write(text)
    bpy.ops.preferences.addon_refresh()
    bpy.ops.preferences.addon_enable(module="mover")


def small() -> None:
    """A square that glows, seen from above."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True, app_template="")
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.seed = 2, False, 7
    scene.render.resolution_x, scene.render.resolution_y = 48, 32
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.type, camera.data.ortho_scale, camera.location.z = "ORTHO", 5, 9
    scene.collection.objects.link(camera)
    scene.camera = camera
    bpy.ops.mesh.primitive_plane_add(size=1)
    bpy.context.object.name = "square"
    made = bpy.data.materials.new("glow")
    made.use_nodes = True
    nodes = made.node_tree.nodes
    glow = nodes.new("ShaderNodeEmission")
    made.node_tree.links.new(glow.outputs[0], nodes["Material Output"].inputs["Surface"])
    bpy.context.object.data.materials.append(made)
