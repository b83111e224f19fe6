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


def reasons(scene: Any, movie: bool = False) -> list[tuple[str, str]]:
    """Return the reasons, each with the setting of a job that may help: `engine`, `denoising`, `format`; or none.

    Args:
        scene: it, as it will be rendered.
        movie: its output is a video, and its frames are PNG.
    """
    render, found = scene.render, []
    if render.engine != "CYCLES":
        found.append(("engine", f"{render.engine} draws effects that reach over a tile's edge: only Cycles has tiles."))
    elif scene.cycles.use_denoising:
        text = "The denoiser looks over a tile's edge: switch it off (--set denoising=off), and denoise the EXR."
        found.append(("denoising", text))
    image = render.image_settings
    if not movie and (image.file_format not in FORMATS or (image.file_format == "TIFF" and image.color_depth != "8")):
        text = f"{image.file_format} can't be put together without loss: choose --format PNG or OPEN_EXR."
        found.append(("format", text))
    return found + [("", text) for text in _others(scene)]


def _others(scene: Any) -> list[str]:
    render = scene.render
    active = [n for n in nodes_of(compositor(scene)) if n.bl_idname not in _PLAIN_NODES and not n.mute]
    wrong = {
        "The compositor looks over a tile's edge: composite the whole pictures in a job of its own.": bool(active),
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
