"""A small scene inside a Blender, and the ways to say what it writes: what `make_outputs` makes its files of."""

from __future__ import annotations

from typing import Any

import bpy

NEW = bpy.app.version >= (5, 0)


def empty(name: Any = "Shot") -> Any:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.filepaths.save_version = 0
    scene = bpy.context.scene
    scene.name = name
    setup(scene)
    return scene


def setup(scene: Any) -> None:
    scene.frame_start, scene.frame_end, scene.frame_step = 9, 11, 2
    render = scene.render
    render.engine, render.threads_mode, render.threads = "CYCLES", "FIXED", 1
    render.resolution_x, render.resolution_y, render.resolution_percentage = 64, 36, 100
    scene.cycles.samples, scene.cycles.use_denoising = 1, False
    render.filepath = "//../pictures/shot_"
    bpy.ops.mesh.primitive_plane_add(size=1.5)
    plane = bpy.context.object
    scene.collection.objects.link(plane) if plane.name not in scene.collection.objects else None
    world = bpy.data.worlds.new("Sky")
    scene.world = world
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs[0].default_value = (0.2, 0.5, 2.0, 1)
    scene.camera = camera(scene, "Camera", 0)


def camera(scene: Any, name: Any, x: Any) -> Any:
    made = bpy.data.objects.new(name, bpy.data.cameras.new(name))
    made.location = (x, 0, 5)
    made.keyframe_insert("location", frame=9)
    made.location = (x + 1, 0, 5)
    made.keyframe_insert("location", frame=12)
    scene.collection.objects.link(made)
    return made


def written_as(image: Any, kind: Any, **more: Any) -> None:
    if hasattr(image, "media_type"):
        video, layers = kind == "FFMPEG", kind == "OPEN_EXR_MULTILAYER"
        image.media_type = "VIDEO" if video else "MULTI_LAYER_IMAGE" if layers else "IMAGE"
    image.file_format = kind
    for name, value in more.items():
        setattr(image, name, value)


def tree_of(scene: Any) -> Any:
    """Return the scene's compositing nodes, with its layers and what is shown."""
    if NEW:
        tree = scene.compositing_node_group = bpy.data.node_groups.new("Compositing", "CompositorNodeTree")
        layers, shown = tree.nodes.new("CompositorNodeRLayers"), tree.nodes.new("NodeGroupOutput")
        layers.name = "Render Layers"
        layers.scene = scene
        tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
        tree.links.new(layers.outputs["Image"], shown.inputs[0])
        return tree
    scene.use_nodes = True
    return scene.node_tree


def output_node(tree: Any, source: Any, folder: Any, *slots: Any, kind: Any = "PNG", **more: Any) -> Any:
    node = tree.nodes.new("CompositorNodeOutputFile")
    written_as(node.format, kind, **more)
    if NEW:
        node.directory = folder
        node.file_name = slots[0] if kind == "OPEN_EXR_MULTILAYER" else ""
        for slot in slots:
            node.file_output_items.new("RGBA", slot)
        sockets = list(node.inputs)[: len(slots)]
    else:
        node.base_path = folder
        node.file_slots.clear()
        kept = node.layer_slots if kind == "OPEN_EXR_MULTILAYER" else node.file_slots
        kept.clear()
        for slot in slots:
            kept.new(slot)
        if kind == "OPEN_EXR_MULTILAYER":
            node.base_path = folder + slots[0]
        sockets = list(node.inputs)
    for socket in sockets:
        tree.links.new(source, socket)
    return node


def layers_of(tree: Any) -> Any:
    return tree.nodes["Render Layers"]
