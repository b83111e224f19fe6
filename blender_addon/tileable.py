"""Why a scene's pictures can't be put together from tiles without a seam."""

from __future__ import annotations

from typing import Any

from .scene_nodes import compositor, nodes_of, renders_edit

FORMATS = ("PNG", "TIFF", "BMP", "TARGA", "TARGA_RAW", "OPEN_EXR", "OPEN_EXR_MULTILAYER")
"""Those whose tiles can be put together without loss; videos are rendered as PNG."""

_PLAIN_NODES = (
    "CompositorNodeRLayers",
    "CompositorNodeComposite",
    "CompositorNodeViewer",
    "NodeGroupOutput",
    "NodeGroupInput",
    "NodeReroute",
    "NodeFrame",
)
"""Nodes that change nothing."""


def reasons(scene: Any) -> list[tuple[str, str]]:
    """Return the reasons, each with the setting of a job that may help: `engine`; or none.

    Args:
        scene: it, as it will be rendered.
    """
    if scene.render.engine != "CYCLES":
        text = f"Only Cycles renders in tiles: those of {scene.render.engine} differ, or cost as much as the whole."
        return [("engine", text)]
    return [("", text) for text in (*_others(scene), *_beyond(scene))]


def finishing(scene: Any, movie: bool = False) -> list[str]:
    """Return what has to be done with the whole picture once its tiles are put together.

    Args:
        scene: it, as it will be rendered.
        movie: its output is a video, and its frames are PNG.

    Returns:
        Some of `denoising`, `compositor`, `format`; none: the picture is ready.
    """
    image = scene.render.image_settings
    joined = movie or (image.file_format in FORMATS and not (image.file_format == "TIFF" and image.color_depth != "8"))
    needed = {
        "denoising": scene.render.engine == "CYCLES" and scene.cycles.use_denoising,
        "compositor": bool(_active(scene)),
        "format": not joined,
    }
    return [name for name, is_so in needed.items() if is_so]


def _active(scene: Any) -> list[Any]:
    """Return the nodes of the compositor that change something."""
    return [n for n in nodes_of(compositor(scene)) if n.bl_idname not in _PLAIN_NODES and not n.mute]


def _beyond(scene: Any) -> list[str]:
    """Return what can't be made of a picture and its passes alone."""
    layers = [n for n in nodes_of(compositor(scene)) if n.bl_idname == "CompositorNodeRLayers" and not n.mute]
    caught = any(getattr(thing, "is_shadow_catcher", False) for thing in scene.objects)
    counted = any(layer.cycles.pass_debug_sample_count for layer in scene.view_layers)
    wrong = {
        "The compositor reads layers of another scene, which has no tiles.": any(
            n.scene not in (None, scene) for n in layers
        ),
        "Shadow catchers are denoised by what tiles don't keep.": caught and scene.cycles.use_denoising,
        "The pass “Debug Sample Count” counts in parts of a tile's most samples: switch it off.": counted,
    }
    return [text for text, is_so in wrong.items() if is_so]


def _others(scene: Any) -> list[str]:
    render = scene.render
    wrong = {
        "The scene renders its sequencer strips, which have no tiles.": renders_edit(scene),
        "The scene renders a region only (Render Region): switch it off.": render.use_border and not _ours(render),
        "Pictures of two eyes have no tiles.": render.use_multiview,
        "Burned-in metadata would be that of a tile: switch it off.": render.use_stamp,
        "Freestyle draws over a tile's edge.": render.use_freestyle,
    }
    return [text for text, is_so in wrong.items() if is_so]


def _ours(render: Any) -> bool:
    """Tell whether the region is a whole picture: then it changes nothing."""
    edges = (render.border_min_x, render.border_min_y, render.border_max_x, render.border_max_y)
    return edges == (0.0, 0.0, 1.0, 1.0)
