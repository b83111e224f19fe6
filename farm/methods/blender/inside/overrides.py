"""Apply a job's settings to the open file."""

from __future__ import annotations

import re
from typing import Any

import bpy

from farm.methods.inside.trouble import Trouble

from .properties import set_property

MOVIES = ("FFMPEG", "AVI_JPEG", "AVI_RAW", "FRAMESERVER")

_VIDEO = re.compile(r"\.(mp4|m4v|mkv|avi|mov|webm|ogv|ogg|mpe?g|dv|flv|vob|m2ts?|ts)$", re.IGNORECASE)


def chosen_scene(settings: dict[str, Any]) -> Any:
    """Return the scene to render, and make it the window's."""
    name = settings.get("scene")
    scene = bpy.data.scenes.get(name) if name else bpy.context.scene
    if scene is None:
        raise Trouble(f"The file has no scene “{name}”. It has: {', '.join(s.name for s in bpy.data.scenes)}.")
    if bpy.context.window is not None:
        bpy.context.window.scene = scene
    return scene


def apply(scene: Any, settings: dict[str, Any]) -> list[str]:
    """Set what the job says; return warnings for the log."""
    render = scene.render
    _engine(render, settings.get("engine"))
    for name in ("resolution_x", "resolution_y", "resolution_percentage"):
        if settings.get(name) is not None:
            setattr(render, name, int(settings[name]))
    _camera(scene, settings.get("camera"))
    _samples(scene, settings.get("samples"))
    if settings.get("denoising") is not None:
        _denoising(scene, bool(settings["denoising"]))
    layer = _view_layer(scene, settings.get("view_layer"))
    for path in sorted(name for name in settings if "." in name):
        set_property(scene, layer, path, settings[path])
    # Each frame has an empty folder of its own: the file's rules against overwriting are for the artist's.
    render.use_overwrite, render.use_placeholder = True, False
    return _format(render, settings.get("format"))


def _engine(render: Any, engine: str | None) -> None:
    if engine:
        try:
            render.engine = engine
        except TypeError:
            raise Trouble(f"This Blender ({bpy.app.version_string}) has no engine {engine}.") from None


def _camera(scene: Any, name: str | None) -> None:
    if not name:
        return
    camera = bpy.data.objects.get(name)
    if camera is None or camera.type != "CAMERA":
        cameras = ", ".join(o.name for o in bpy.data.objects if o.type == "CAMERA") or "none"
        raise Trouble(f"The file has no camera “{name}”. It has: {cameras}.")
    scene.camera = camera
    for marker in scene.timeline_markers:  # a marker's camera would win over the chosen one
        marker.camera = None


def _view_layer(scene: Any, name: str | None) -> Any:
    """Return the view layer that is rendered, alone if it is named."""
    if not name:
        return scene.view_layers[0]
    if name not in scene.view_layers:
        raise Trouble(
            f"The scene “{scene.name}” has no view layer “{name}”. It has: {', '.join(scene.view_layers.keys())}."
        )
    for layer in scene.view_layers:
        layer.use = layer.name == name
    return scene.view_layers[name]


def _samples(scene: Any, samples: int | None) -> None:
    if samples is None:
        return
    if scene.render.engine == "CYCLES":
        scene.cycles.samples = int(samples)
    elif scene.render.engine.startswith("BLENDER_EEVEE"):
        scene.eevee.taa_render_samples = int(samples)


def _denoising(scene: Any, on: bool) -> None:
    if hasattr(scene, "cycles"):
        scene.cycles.use_denoising = on


def _format(render: Any, wanted: str | None) -> list[str]:
    image = render.image_settings
    movie = image.file_format in MOVIES or render.is_movie_format
    new = wanted or ("PNG" if movie else None)
    if new is None:
        return []
    if hasattr(image, "media_type"):  # 5.0 sorts the formats into kinds
        image.media_type = "MULTI_LAYER_IMAGE" if new == "OPEN_EXR_MULTILAYER" else "IMAGE"
    try:
        image.file_format = new
    except TypeError:
        raise Trouble(f"This Blender ({bpy.app.version_string}) can't write {new}.") from None
    if movie:
        render.filepath = _still(render.filepath)
    if wanted is None:
        render.use_file_extension = True
        return ["The file's output is a video; its frames are rendered as PNG pictures."]
    return []


def _still(path: str) -> str:
    """Return what the names of a video's single frames begin with, as the client says: `film_` for `film.mp4`."""
    cut = _VIDEO.sub("", path)
    name = re.split(r"[/\\]", cut)[-1]
    return f"{cut}_" if cut != path and name and "#" not in name and name[-1] not in "_-. " else cut
