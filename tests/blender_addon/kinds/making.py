"""What all kinds are made of: a place in the artist's folder, panes and balls that glow, work for later."""

from __future__ import annotations

import os
import sys
from typing import Any

import bpy

FOLDER, ANSWER, PATHS, LENT = sys.argv[sys.argv.index("--") + 1 :]
OPTIONS = bpy.app.build_options
FRAMES = (1, 3)
KINDS: dict[str, Any] = {}

LATER: list[Any] = []
"""What is done to paths right before saving."""

PLACED: list[Any] = []
"""What is done when all stands in its place."""

SAVED: list[Any] = []
"""What needs a file with a name."""


def kind(lacking: Any = "") -> Any:
    """Register a kind; `lacking` says why this Blender can't make it."""

    def register(make: Any) -> Any:
        KINDS[make.__name__] = (make, lacking)
        return make

    return register


def at(*parts: Any) -> str:
    path = os.path.join(FOLDER, *parts)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path


def paint(path: Any, colour: Any) -> str:
    """A picture of 16 × 16 whose left half is darker."""
    image = bpy.data.images.new("paint", 16, 16)
    shades = [[c * f for c in colour] + [1.0] for f in (0.4, 1.0)]
    image.pixels[:] = [c for _ in range(16) for x in range(16) for c in shades[x // 8]]
    image.filepath_raw, image.file_format = path, "PNG"
    image.save()
    bpy.data.images.remove(image)
    return path


def pane(name: Any, picture: Any = None, parent: Any = None) -> Any:
    """A square of 1.8 that glows with a picture."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(-0.9, -0.9, 0), (0.9, -0.9, 0), (0.9, 0.9, 0), (-0.9, 0.9, 0)], [], [(0, 1, 2, 3)])
    mesh.uv_layers.new()
    return thing_of(name, mesh, glowing(name, picture) if picture else shaped(name), parent)


def thing_of(name: Any, data: Any, material: Any, parent: Any = None) -> Any:
    thing = bpy.data.objects.new(name, data)
    if material is not None:
        data.materials.append(material)
    (parent or bpy.context.scene.collection).objects.link(thing)
    return thing


def tree(name: Any) -> Any:
    """A new material: its nodes, its links, and an emission that is its surface."""
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    nodes, links = made.node_tree.nodes, made.node_tree.links
    glow = nodes.new("ShaderNodeEmission")
    links.new(glow.outputs[0], nodes["Material Output"].inputs["Surface"])
    return made, nodes, links, glow


def glowing(name: Any, picture: Any) -> Any:
    made, nodes, links, glow = tree(name)
    image = nodes.new("ShaderNodeTexImage")
    image.image = picture
    image.interpolation = "Closest"
    links.new(image.outputs["Color"], glow.inputs["Color"])
    return made


def shaped(name: Any) -> Any:
    """Glow by position, so that a shape shows."""
    made, nodes, links, glow = tree(name)
    geometry, waves = nodes.new("ShaderNodeNewGeometry"), nodes.new("ShaderNodeVectorMath")
    waves.operation = "FRACTION"
    scale = nodes.new("ShaderNodeVectorMath")
    scale.operation, scale.inputs[1].default_value = "MULTIPLY", (3.3, 3.7, 9.1)
    links.new(geometry.outputs["Position"], scale.inputs[0])
    links.new(scale.outputs[0], waves.inputs[0])
    links.new(waves.outputs[0], glow.inputs["Color"])
    return made


def ball(name: Any) -> Any:
    bpy.ops.mesh.primitive_uv_sphere_add(radius=0.8, segments=12, ring_count=8)
    thing = bpy.context.object
    thing.name = name
    thing.data.materials.append(shaped(name))
    return thing


def grid(name: Any) -> Any:
    bpy.ops.mesh.primitive_grid_add(size=1.6, x_subdivisions=6, y_subdivisions=6)
    thing = bpy.context.object
    thing.name = name
    thing.data.materials.append(shaped(name))
    return thing


def load(path: Any) -> Any:
    return bpy.data.images.load(path)


def chosen(thing: Any) -> None:
    bpy.ops.object.select_all(action="DESELECT")
    thing.select_set(True)
    bpy.context.view_layer.objects.active = thing


def cube(name: Any, half: Any) -> Any:
    bpy.ops.mesh.primitive_cube_add(size=2 * half)
    bpy.context.object.name = name
    return bpy.context.object


def moving(name: Any) -> Any:
    """A ball whose shape moves."""
    thing = ball(name)
    thing.shape_key_add(name="Basis")
    key = thing.shape_key_add(name="flat")
    for point in key.data:
        point.co.y *= 0.3
    for frame, value in ((1, 0.0), (3, 1.0)):
        key.value = value
        key.keyframe_insert("value", frame=frame)
    return thing
