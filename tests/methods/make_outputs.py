"""Run inside a Blender: make files that write in all the ways that Blender can, `-- FOLDER`.

Their folders at home are `pictures/` beside their own, `elsewhere/` by an absolute path, and a share.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import bpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from output_scene import NEW, camera, empty, layers_of, output_node, setup, tree_of, written_as

FOLDER = sys.argv[sys.argv.index("--") + 1]
TEMPLATES = bpy.app.version >= (4, 5)
OLD = bpy.app.version < (4, 2)
"""Later EEVEEs compile shaders for half a minute."""


# Each of these is a file.


def plain(scene: Any) -> None:
    written_as(scene.render.image_settings, "PNG", color_mode="RGBA", color_depth="16")


def padded(scene: Any) -> None:
    scene.render.filepath = "//../pictures/a_##_b_####_x.v2"


def long_padded(scene: Any) -> None:
    scene.render.filepath = "//../pictures/##/########"


def bare(scene: Any) -> None:
    scene.render.filepath = "//../pictures/"


def no_extension(scene: Any) -> None:
    scene.render.use_file_extension = False
    scene.render.filepath = "//../pictures/shot_###.picture"


def other_extension(scene: Any) -> None:
    written_as(scene.render.image_settings, "JPEG")
    scene.render.filepath = "//../pictures/shot.png"


def same_extension(scene: Any) -> None:
    scene.render.filepath = "//../pictures/shot_####.png"


def backslashes(scene: Any) -> None:
    scene.render.filepath = "//..\\pictures\\shot_"


def absolute(scene: Any) -> None:
    scene.render.filepath = f"{FOLDER}/elsewhere/deep/shot_"


def kept(scene: Any) -> None:
    scene.render.use_overwrite, scene.render.use_placeholder = False, True


def jpeg(scene: Any) -> None:
    written_as(scene.render.image_settings, "JPEG", quality=80)


def tiff(scene: Any) -> None:
    written_as(scene.render.image_settings, "TIFF", color_depth="16", color_mode="RGBA")


def webp(scene: Any) -> None:
    written_as(scene.render.image_settings, "WEBP")


def bmp(scene: Any) -> None:
    written_as(scene.render.image_settings, "BMP", color_mode="RGB")


def targa(scene: Any) -> None:
    written_as(scene.render.image_settings, "TARGA")


def hdr(scene: Any) -> None:
    written_as(scene.render.image_settings, "HDR")


def iris(scene: Any) -> None:
    written_as(scene.render.image_settings, "IRIS")


def jpeg2000(scene: Any) -> None:
    written_as(scene.render.image_settings, "JPEG2000")


def dpx(scene: Any) -> None:
    written_as(scene.render.image_settings, "DPX", color_mode="RGB")


def exr(scene: Any) -> None:
    written_as(scene.render.image_settings, "OPEN_EXR", color_depth="16", use_preview=True)


def layers(scene: Any) -> None:
    written_as(scene.render.image_settings, "OPEN_EXR_MULTILAYER", color_depth="16", exr_codec="ZIP")
    scene.view_layers.new("Second").use_pass_normal = True
    scene.view_layers[0].use_pass_z = True


def cryptomatte(scene: Any) -> None:
    layers(scene)
    layer = scene.view_layers[0]
    layer.use_pass_cryptomatte_object = layer.use_pass_cryptomatte_material = True
    tree = tree_of(scene)
    source = layers_of(tree)
    node = output_node(
        tree, source.outputs["Image"], "//../passes/", "matte", *CRYPTO, kind="OPEN_EXR_MULTILAYER", color_depth="32"
    )
    for name, socket in zip(CRYPTO, list(node.inputs)[1:4], strict=True):
        tree.links.new(source.outputs[name], socket)


CRYPTO = ("CryptoObject00", "CryptoObject01", "CryptoObject02")


def stereo(scene: Any) -> None:
    scene.render.use_multiview = True


def stereo_padded(scene: Any) -> None:
    stereo(scene)
    scene.render.filepath = "//../pictures/shot_##.x"


def stereo_picture(scene: Any) -> None:
    stereo(scene)
    written_as(scene.render.image_settings, "PNG", views_format="STEREO_3D")
    scene.render.image_settings.stereo_3d_format.display_mode = "SIDEBYSIDE"


def stereo_exr(scene: Any) -> None:
    stereo(scene)
    written_as(scene.render.image_settings, "OPEN_EXR", views_format="MULTIVIEW")


def stereo_exrs(scene: Any) -> None:
    stereo(scene)
    written_as(scene.render.image_settings, "OPEN_EXR_MULTILAYER", views_format="INDIVIDUAL")


def views(scene: Any) -> None:
    stereo(scene)
    scene.render.views_format = "MULTIVIEW"
    scene.render.views["left"].camera_suffix = "_A"
    scene.render.views["right"].camera_suffix = "_B"
    scene.render.views["right"].file_suffix = ".right"
    scene.render.views.new("third").camera_suffix = "_C"
    scene.camera.name = "Rig_A"
    camera(scene, "Rig_B", 0.5)
    camera(scene, "Rig_C", 1.5)


def stereo_nodes(scene: Any) -> None:
    stereo(scene)
    tree = tree_of(scene)
    output_node(tree, layers_of(tree).outputs["Image"], "//../passes/", "alone_##", "all_")
    output_node(
        tree, layers_of(tree).outputs["Image"], "//../passes/", "both", kind="OPEN_EXR_MULTILAYER",
        views_format="MULTIVIEW",
    )  # fmt: skip


def nodes(scene: Any) -> None:
    """Several slots, a name in a folder, formats of their own, several places."""
    tree = tree_of(scene)
    source = layers_of(tree)
    node = output_node(tree, source.outputs["Image"], "//../passes/", "beauty_##_x", "deep/alpha_")
    slot = (node.file_output_items if NEW else node.file_slots)[1]
    tree.links.new(source.outputs["Alpha"], node.inputs[1])
    if NEW:
        slot.override_node_format = True
    else:
        slot.use_node_format = False
    written_as(slot.format, "JPEG")
    output_node(tree, source.outputs["Image"], f"{FOLDER}/elsewhere/passes", "shot_")
    output_node(tree, source.outputs["Image"], "\\\\nas\\films\\passes\\", "shot_")
    output_node(tree, source.outputs["Image"], "C:\\films\\passes", "shot_")
    output_node(tree, source.outputs["Image"], "//", "beside_")
    output_node(tree, source.outputs["Image"], "//../passes/muted", "muted_").mute = True
    output_node(tree, source.outputs["Image"], "//../passes/", "layered", "second", kind="OPEN_EXR_MULTILAYER")


def groups(scene: Any) -> None:
    """A node in a group in a group; the outer one is there twice."""
    inner, outer = (bpy.data.node_groups.new(n, "CompositorNodeTree") for n in ("Inner", "Outer"))
    tree = tree_of(scene)
    for group in (inner, outer):
        if hasattr(group, "interface"):
            group.interface.new_socket("Image", in_out="INPUT", socket_type="NodeSocketColor")
        else:
            group.inputs.new("NodeSocketColor", "Image")
    entry = inner.nodes.new("NodeGroupInput")
    output_node(inner, entry.outputs[0], "//../passes/", "inner_")
    for holder, held, source in (
        (outer, inner, outer.nodes.new("NodeGroupInput").outputs[0]),
        (tree, outer, layers_of(tree).outputs["Image"]),
    ):
        node = holder.nodes.new("CompositorNodeGroup")
        node.node_tree = held
        holder.links.new(source, node.inputs[0])


def linked(scene: Any) -> None:
    """A node in a group of a library; its path counts from the file that is rendered."""
    made = bpy.data.node_groups.new("Linked", "CompositorNodeTree")
    if hasattr(made, "interface"):
        made.interface.new_socket("Image", in_out="INPUT", socket_type="NodeSocketColor")
    else:
        made.inputs.new("NodeSocketColor", "Image")
    output_node(made, made.nodes.new("NodeGroupInput").outputs[0], "//../passes/", "linked_")
    library = f"{FOLDER}/library/groups.blend"
    os.makedirs(os.path.dirname(library), exist_ok=True)
    bpy.data.libraries.write(library, {made}, fake_user=True)
    bpy.data.node_groups.remove(made)
    with bpy.data.libraries.load(library, link=True) as (_, wanted):
        wanted.node_groups = ["Linked"]
    tree = tree_of(scene)
    node = tree.nodes.new("CompositorNodeGroup")
    node.node_tree = bpy.data.node_groups["Linked"]
    tree.links.new(layers_of(tree).outputs["Image"], node.inputs[0])


def cameras(scene: Any) -> None:
    for number, x in ((9, -0.5), (11, 0.5)):
        scene.timeline_markers.new(f"cut {number}", frame=number).camera = camera(scene, f"Cut{number}", x)


def border(scene: Any) -> None:
    render = scene.render
    render.use_border = True
    render.border_min_x, render.border_max_x, render.border_min_y, render.border_max_y = 0.25, 0.75, 0.2, 0.9


def cropped(scene: Any) -> None:
    border(scene)
    scene.render.use_crop_to_border = True


def cropped_exr(scene: Any) -> None:
    cropped(scene)
    exr(scene)


def half(scene: Any) -> None:
    scene.render.resolution_percentage = 50


def clashes(scene: Any) -> None:
    """One name in several words; who is muted writes nothing."""
    tree = tree_of(scene)
    source = layers_of(tree).outputs["Image"]
    output_node(tree, source, "//../passes/deep", "a_").name = "One"
    inner = bpy.data.node_groups.new("Inner", "CompositorNodeTree")
    if hasattr(inner, "interface"):
        inner.interface.new_socket("Image", in_out="INPUT", socket_type="NodeSocketColor")
    else:
        inner.inputs.new("NodeSocketColor", "Image")
    slot = "a_####" if NEW else "deep/a_####"
    folder = "//../passes/deep/" if NEW else "//../passes/"
    output_node(inner, inner.nodes.new("NodeGroupInput").outputs[0], folder, slot).name = "Two"
    group = tree.nodes.new("CompositorNodeGroup")
    group.name, group.node_tree = "Group", inner
    tree.links.new(source, group.inputs[0])
    output_node(tree, source, f"{FOLDER}/pictures", "shot_").name = "Three"
    output_node(tree, source, f"{FOLDER}/pictures", "shot_").mute = True


def video(scene: Any) -> None:
    scene.render.filepath = "//../pictures/film.mkv"
    written_as(scene.render.image_settings, "FFMPEG")


def edit(scene: Any) -> None:
    """Strips of a scene with an output node of its own."""
    other = bpy.data.scenes.new("Cut")
    bpy.context.window.scene = other
    setup(other)
    tree = tree_of(other)
    output_node(tree, layers_of(tree).outputs["Image"], "//../passes/", "cut_")
    bpy.context.window.scene = scene
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    strips.new_scene("cut", other, 1, 9)


def two_scenes(scene: Any) -> None:
    """The compositor reads the layers of another scene."""
    other = bpy.data.scenes.new("Behind")
    bpy.context.window.scene = other
    setup(other)
    bpy.context.window.scene = scene
    tree = tree_of(scene)
    second = tree.nodes.new("CompositorNodeRLayers")
    second.scene = other
    output_node(tree, second.outputs["Image"], "//../passes/", "behind_")


def templates(scene: Any) -> None:
    part = "{blend_name}_{resolution_x:####}_{{x}}" if not NEW else "{scene_name}/{camera_name}_{{x}}"
    scene.render.filepath = "//../pictures/" + part + "_###"
    tree = tree_of(scene)
    part = "{blend_name}/{fps}" if not NEW else "{blend_name}/{node_name}"
    output_node(tree, layers_of(tree).outputs["Image"], "//../passes/" + part, "t_{resolution_y}_")
    cameras(scene)


def overscan(scene: Any) -> None:
    """EEVEE renders beyond the picture's edges, for what it computes from its neighbourhood; the picture stays."""
    scene.render.engine = "BLENDER_EEVEE"
    scene.eevee.use_overscan, scene.eevee.overscan_size = True, 20
    scene.eevee.use_bloom, scene.eevee.taa_render_samples = True, 1


def unknown(scene: Any) -> None:
    scene.render.filepath = "//../pictures/{shot}_"


def places(scene: Any) -> None:
    scene.render.filepath = "{blend_dir}/../pictures/shot_"


def plain_name(scene: Any) -> None:
    scene.render.filepath = "shot_"


def unused(scene: Any) -> None:
    """A compositor that is not asked."""
    nodes(scene)
    scene.render.use_compositing = False


ALL = (
    plain, padded, long_padded, bare, no_extension, other_extension, same_extension, backslashes, absolute, kept,
    jpeg, tiff, webp, bmp, targa, hdr, iris, jpeg2000, dpx, exr, layers, cryptomatte, stereo, stereo_padded,
    stereo_picture, stereo_exr, stereo_exrs, views, stereo_nodes, nodes, groups, linked, cameras, border, cropped,
    cropped_exr, half, clashes, video, edit, two_scenes, unused,
)  # fmt: skip

for make in (
    *ALL,
    *((templates, unknown) if TEMPLATES else ()),
    *((places,) if NEW else ()),
    *((overscan,) if OLD else ()),
):
    make(empty())
    path = os.path.join(FOLDER, "shots", f"{make.__name__}.blend")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    bpy.ops.wm.save_as_mainfile(filepath=path)
