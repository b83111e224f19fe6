"""What a client wants to know of the scenes in the open file."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import bpy

from .physics import unbaked
from .scene_nodes import compositor, nodes_of, renders_edit, strips
from .tileable import finishing, reasons
from .writes import writes

MOVIES = ("FFMPEG", "AVI_JPEG", "AVI_RAW", "FRAMESERVER")


def scene_facts(scene: Any) -> dict[str, Any]:
    """Return the facts of one scene; plain JSON values."""
    render = scene.render
    movie = bool(render.is_movie_format) or render.image_settings.file_format in MOVIES
    example, error = _example(scene)
    return {
        "name": scene.name,
        "engine": render.engine,
        "frame_start": scene.frame_start,
        "frame_end": scene.frame_end,
        "frame_step": scene.frame_step,
        "fps": render.fps / render.fps_base,
        "resolution_x": render.resolution_x,
        "resolution_y": render.resolution_y,
        "resolution_percentage": render.resolution_percentage,
        "format": render.image_settings.file_format,
        "movie": movie,
        "camera": scene.camera.name if scene.camera else "",
        "needs_camera": needs_camera(scene),
        "edit": renders_edit(scene),
        "denoised": denoised(scene),
        "samples": samples(scene),
        "device": scene.cycles.device.lower() if hasattr(scene, "cycles") else "",
        "physics": unbaked(scene),
        "output": render.filepath,
        "output_example": example,
        "output_error": error,
        "sound": bool(scene.sequence_editor and any(strip.type == "SOUND" for strip in strips(scene)))
        or any(thing.type == "SPEAKER" for thing in scene.objects),
        "untileable": [list(reason) for reason in reasons(scene)],
        "finishing": finishing(scene, movie),
        "written": [asdict(written) for written in writes(scene, movie)],
    }


def _example(scene: Any) -> tuple[str, str]:
    """Return the path of the first picture; or, if Blender does not understand it, why."""
    try:
        return scene.render.frame_path(frame=scene.frame_start), ""
    except RuntimeError as error:
        return "", " ".join(str(error).removeprefix("Error: ").split())


def needs_camera(scene: Any) -> bool:
    """Tell whether a camera is needed and missing, here or in a scene that the compositor reads."""
    if renders_edit(scene):
        return False
    tree = compositor(scene)
    layers = [n for n in nodes_of(tree) if n.bl_idname == "CompositorNodeRLayers" and not n.mute]
    rendered = {n.scene or scene for n in layers} if tree else {scene}
    return any(s.camera is None and not any(m.camera for m in s.timeline_markers) for s in rendered)


def denoised(scene: Any) -> bool:
    """Tell whether a picture needs OpenImageDenoise."""
    cycles: Any = getattr(scene, "cycles", None)
    final = cycles is not None and scene.render.engine == "CYCLES" and cycles.use_denoising
    # A build without OpenImageDenoise does not even know its name: the property reads empty.
    final = final and cycles.denoiser != "OPTIX"
    nodes = any(n.bl_idname == "CompositorNodeDenoise" and not n.mute for n in nodes_of(compositor(scene)))
    return bool(final or nodes)


def samples(scene: Any) -> int | None:
    """Return the samples per pixel; None for engines that have none."""
    if scene.render.engine == "CYCLES" and hasattr(scene, "cycles"):
        return int(scene.cycles.samples)
    if scene.render.engine.startswith("BLENDER_EEVEE"):
        return int(scene.eevee.taa_render_samples)
    return None


def current_scene() -> Any:
    """Return the scene that the artist has in front."""
    return bpy.context.scene
