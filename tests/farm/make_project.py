"""Run inside a Blender: make an artist's folder with small files, good and bad, `-- FOLDER`."""

from __future__ import annotations

import os
import sys
from typing import Any

import bpy

FOLDER = sys.argv[sys.argv.index("--") + 1]


def at(*parts: Any) -> str:
    return os.path.join(FOLDER, *parts)


def paint(path: Any, colour: Any) -> None:
    """A picture of 16 × 16 whose left half is darker, so that turned ones are seen."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    image = bpy.data.images.new("paint", 16, 16)
    image.pixels[:] = [c for _ in range(16) for x in range(16) for c in shade(colour, 0.5 if x < 8 else 1.0)]
    image.filepath_raw, image.file_format = path, "PNG"
    image.save()
    bpy.data.images.remove(image)


def shade(colour: Any, factor: Any) -> list[Any]:
    return [c * factor for c in colour] + [1.0]


def empty(name: Any = "Shot") -> Any:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.filepaths.save_version = 0
    scene = bpy.context.scene
    scene.name = name
    usual(scene)
    return scene


def usual(scene: Any) -> None:
    scene.frame_start, scene.frame_end = 1, 4
    render = scene.render
    render.engine = "CYCLES"
    render.resolution_x, render.resolution_y, render.resolution_percentage = 48, 32, 100
    scene.cycles.samples, scene.cycles.use_denoising = 2, False
    render.filepath = "//../pictures/film_###"


def add_camera(scene: Any) -> None:
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    for frame, place in ((1, 0), (8, 1.5)):
        camera.location = (place, 0, 9)
        camera.keyframe_insert("location", frame=frame)
    scene.collection.objects.link(camera)
    scene.camera = camera


def pane(name: Any, place: Any, picture: Any, scene: Any) -> Any:
    """A square that glows with a picture."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(0, 0, 0), (2, 0, 0), (2, 2, 0), (0, 2, 0)], [], [(0, 1, 2, 3)])
    mesh.uv_layers.new()
    thing = bpy.data.objects.new(name, mesh)
    thing.location = place
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    nodes, links = made.node_tree.nodes, made.node_tree.links
    glow, image = nodes.new("ShaderNodeEmission"), nodes.new("ShaderNodeTexImage")
    image.image = picture
    links.new(image.outputs["Color"], glow.inputs["Color"])
    links.new(glow.outputs[0], nodes["Material Output"].inputs["Surface"])
    mesh.materials.append(made)
    scene.collection.objects.link(thing)
    return image.image_user


def load(*parts: Any, name: Any = "") -> Any:
    image = bpy.data.images.load(at(*parts))
    image.name = name or image.name
    return image


def save(place: Any, absolute: Any = ()) -> None:
    """Save with paths relative to the file, but for some images."""
    path = at(place)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.file.make_paths_relative()
    for name, real in absolute:
        bpy.data.images[name].filepath = real
    bpy.ops.wm.save_as_mainfile(filepath=path, relative_remap=False)


def pictures() -> None:
    paint(at("project", "assets", "wood.png"), (0.2, 0.8, 0.1))
    paint(at("project", "assets", "props", "brass.png"), (0.9, 0.7, 0.1))
    paint(at("elsewhere", "sky.png"), (0.1, 0.3, 1.0))
    for number in range(1, 13):
        paint(at("project", "assets", "wave", f"wave_{number:03d}.png"), (number / 12, 0.1, 1 - number / 12))


def props() -> None:
    scene = empty()
    pane("Prop", (-3, -2, 0), load("project", "assets", "props", "brass.png"), scene)
    group = bpy.data.collections.new("Props")
    group.objects.link(bpy.data.objects["Prop"])
    group.use_fake_user = True
    save("project/assets/props.blend")


def film(place: Any, change: Any = None, frames: Any = (1, 12)) -> None:
    """A shot with a texture, a sequence, a linked library, and a texture from outside of the project."""
    scene = empty()
    scene.frame_start, scene.frame_end = frames
    add_camera(scene)
    pane("Wood", (0, 0, 0), load("project", "assets", "wood.png"), scene)
    pane("Sky", (-3, 0, 0), load("elsewhere", "sky.png"), scene)
    wave = load("project", "assets", "wave", "wave_001.png", name="wave")
    wave.source = "SEQUENCE"
    user = pane("Wave", (0, -2, 0), wave, scene)
    user.frame_start, user.frame_duration, user.use_auto_refresh = 1, 12, True
    with bpy.data.libraries.load(at("project/assets/props.blend"), link=True, relative=False) as (_, wanted):
        wanted.collections = ["Props"]
    holder = bpy.data.objects.new("Props", None)
    holder.instance_type, holder.instance_collection = "COLLECTION", bpy.data.collections["Props"]
    scene.collection.objects.link(holder)
    if change:
        change(scene)
    save(place, absolute=[("sky.png", at("elsewhere", "sky.png"))])


def plain(place: Any, change: Any = None) -> None:
    """A shot that needs nothing but itself and one texture."""
    scene = empty()
    add_camera(scene)
    pane("Wood", (0, 0, 0), load("project", "assets", "wood.png"), scene)
    if change:
        change(scene)
    save(place)


def no_camera(scene: Any) -> None:
    scene.camera = None


def movie(scene: Any) -> None:
    image = scene.render.image_settings
    if hasattr(image, "media_type"):
        image.media_type = "VIDEO"
    image.file_format = "FFMPEG"


def odd_range(scene: Any) -> None:
    """Blender keeps the end behind the start: the test finds this number in the file, and changes it."""
    scene.frame_start = scene.frame_end = 123456


def stepped(scene: Any) -> None:
    scene.frame_start, scene.frame_end, scene.frame_step = 2, 8, 3


def heavy(scene: Any) -> None:
    """A few seconds for a frame, however many cores there are."""
    scene.frame_end = 2
    scene.render.threads_mode, scene.render.threads = "FIXED", 1
    scene.cycles.use_adaptive_sampling = False
    scene.render.resolution_x, scene.render.resolution_y, scene.cycles.samples = 240, 180, 1500


def night(scene: Any) -> None:
    """A second scene, with a range of its own."""
    other = bpy.data.scenes.new("Night")
    usual(other)
    other.frame_start, other.frame_end = 11, 12
    other.render.filepath = "//../pictures/night_###"
    for thing in scene.collection.objects:
        other.collection.objects.link(thing)
    other.camera = scene.camera


def edit(scene: Any) -> None:
    """Strips instead of the 3D view: the sky, then the wood."""
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    strips.new_image("Sky", at("elsewhere", "sky.png"), 1, 1)
    wood = strips.new_image("Wood", at("project", "assets", "wood.png"), 1, 3)
    for strip in strips:
        strip.frame_final_duration = 2
    assert wood.frame_final_end == 5


def stamped(scene: Any) -> None:
    scene.render.use_stamp_filename = True
    scene.render.use_stamp_note, scene.render.stamp_note_text = True, "take 3"


def passes(scene: Any) -> None:
    """EXR, and File Output nodes into folders of the project and of elsewhere."""
    scene.render.image_settings.file_format = "OPEN_EXR"
    for folder in ("//../passes/", at("elsewhere", "passes")):
        add_output(scene, folder, "wood_")


def clash(scene: Any) -> None:
    for _ in range(2):
        add_output(scene, "//../passes/", "wood_")


def add_output(scene: Any, folder: Any, name: Any) -> None:
    if hasattr(scene, "compositing_node_group"):
        tree = scene.compositing_node_group or bpy.data.node_groups.new("Compositing", "CompositorNodeTree")
        scene.compositing_node_group = tree
        layers = tree.nodes.new("CompositorNodeRLayers")
        layers.scene = scene
    else:
        scene.use_nodes = True
        tree = scene.node_tree
        layers = tree.nodes["Render Layers"]
    node = tree.nodes.new("CompositorNodeOutputFile")
    if hasattr(node, "directory"):
        node.format.media_type = "IMAGE"
        node.directory, node.file_name = folder, ""
        node.file_output_items.new("RGBA", name)
    else:
        node.base_path, node.file_slots[0].path = folder, name
    node.format.file_format = "PNG"
    tree.links.new(layers.outputs["Image"], node.inputs[0])


def main() -> None:
    pictures()
    props()
    film("project/shots/film.blend")
    for change in (no_camera, movie, odd_range, stepped, heavy, night, edit, stamped, passes, clash):
        plain(f"project/shots/{change.__name__}.blend", change)
    plain("project/shots/no_texture.blend")
    film("project/shots/no_library.blend")


main()
