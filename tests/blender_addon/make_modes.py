"""A scene for make_installed.py: send a file that was never saved, in the middle of editing and sculpting.

What is sent is kept beside for the comparison, and so is what it was before.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

import bmesh
import bpy


def play(server: Any, invite: Any, before: Any, after: Any) -> Any:
    bpy.ops.distren.register_account(server=server, name="mia", passphrase="correct horse battery", invite=invite)
    small()
    secrets()
    edited, sculpted = ball("edited", -1.2), ball("sculpted", 1.2)
    sculpted.modifiers.new("wires", "WIREFRAME").thickness = 0.1
    bpy.ops.wm.save_as_mainfile(filepath=before, copy=True)
    sculpt(sculpted)
    edit(edited)
    was = state()
    bpy.ops.distren.submit(frames="1", device="cpu", folder=f"{before}.pictures", fetch=False, anyway=True)
    now = state()
    # Leaving these modes writes into the meshes what was done in them.
    for thing in (edited, sculpted):
        alone(thing)
        bpy.ops.object.mode_set(mode="OBJECT")
    bpy.ops.wm.save_as_mainfile(filepath=after, copy=True)
    desk = importlib.import_module(f"{ADDON}.ui.desk").desk  # type: ignore[name-defined]  # noqa: F821
    return [desk.sent["job"], was, now]


def secrets() -> None:
    """Lay down what a file without a folder must not lead to, where Blender might look for it."""
    for place in ("secret.png", os.path.join("blendcache_untitled", "secret_000001_00.bphys")):
        path = os.path.join(os.path.expanduser("~"), place)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "w").close()
    image = bpy.data.images.new("secret", 1, 1)
    image.source, image.filepath = "FILE", "//secret.png"
    world = bpy.data.worlds.new("secret")
    world.use_nodes = True
    world.node_tree.nodes.new("ShaderNodeTexEnvironment").image = image
    bpy.context.scene.world = world


def state() -> Any:
    modes = [bpy.data.objects[name].mode for name in ("edited", "sculpted")]
    return [bpy.data.filepath, bpy.data.is_saved, bpy.data.is_dirty, *modes]


def small() -> None:
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True, app_template="")
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.seed = 2, False, 7
    scene.render.resolution_x, scene.render.resolution_y = 64, 32
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.type, camera.data.ortho_scale, camera.location.z = "ORTHO", 5, 9
    scene.collection.objects.link(camera)
    scene.camera = camera


def ball(name: Any, x: Any) -> Any:
    """A ball that glows by position."""
    bpy.ops.mesh.primitive_uv_sphere_add(segments=16, ring_count=8, location=(x, 0, 0))
    bpy.context.object.name = name
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    nodes, links = made.node_tree.nodes, made.node_tree.links
    glow, place = nodes.new("ShaderNodeEmission"), nodes.new("ShaderNodeNewGeometry")
    links.new(place.outputs["Normal"], glow.inputs["Color"])
    links.new(glow.outputs[0], nodes["Material Output"].inputs["Surface"])
    bpy.context.object.data.materials.append(made)
    return bpy.context.object


def alone(thing: Any) -> None:
    """Make a thing the only one that is selected: others would change into its mode, too."""
    for other in bpy.context.scene.objects:
        other.select_set(other == thing)
    bpy.context.view_layer.objects.active = thing


def edit(thing: Any) -> None:
    """Pull half of a ball, in Edit mode."""
    alone(thing)
    bpy.ops.object.mode_set(mode="EDIT")
    mesh = bmesh.from_edit_mesh(thing.data)
    for vertex in mesh.verts:
        if vertex.co.y > 0:
            vertex.co.y *= 1.8
    bmesh.update_edit_mesh(thing.data)


def sculpt(thing: Any) -> None:
    """Let Sculpt mode cut a ball into triangles, which it keeps apart from the mesh; wires show them."""
    alone(thing)
    bpy.ops.object.mode_set(mode="SCULPT")
    bpy.ops.sculpt.dynamic_topology_toggle()
