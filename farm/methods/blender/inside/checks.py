"""Say beforehand what would make a wrong picture, or none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import bpy

from blender_addon.scene_nodes import compositor, nodes_of, renders_edit
from farm.methods.inside.trouble import SLAVE, Trouble

from .missing import missing

_NO_ENGINE = re.compile(r"Engine '(.*)' not available for scene '(.*)'")

SHOWN = 12
"""How many missing things a message names."""


def check(scene: Any, settings: dict[str, Any], said: Iterable[str] = ()) -> None:
    """Raise Trouble if the scene can't be rendered as its artist sees it.

    Args:
        scene: what is rendered.
        settings: the job's.
        said: the lines that Blender printed while it opened the file.
    """
    lines = list(said)
    _engine(scene, settings, lines)
    loaded(settings, lines)
    _camera(scene)
    _denoiser(scene)


def loaded(settings: dict[str, Any], said: Iterable[str]) -> None:
    """Raise Trouble if something of the file is not here, or did not run."""
    if not settings.get("allow_missing"):
        _missing(said)
    scripts(settings)


def _missing(said: Iterable[str]) -> None:
    found = missing(said)
    if found:
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise Trouble(
            f"What the .blend uses is missing: {'; '.join(found[:SHOWN])}{more}. "
            "Mend it, or accept it with --set allow_missing=true."
        )


def scripts(settings: dict[str, Any]) -> None:
    """Raise Trouble if Python of the file was needed so far, and did not run.

    Some drivers are asked for the first time while a frame renders.
    """
    if bpy.app.autoexec_fail and not settings.get("scripts"):
        named = list(_python()) or [bpy.app.autoexec_fail_message or "a script"]
        what = "; ".join(named[:SHOWN])
        raise Trouble(f"The file needs its Python ({what}), which this farm does not run: the picture would be wrong.")


def _python() -> Iterator[str]:
    """Yield the registered texts and the drivers that need Python."""
    for text in bpy.data.texts:
        if text.use_module:
            yield f"text {text.name}"
    for thing in bpy.data.user_map():
        animated = getattr(thing, "animation_data", None)
        for curve in animated.drivers if animated else ():
            driver = curve.driver
            if driver.type == "SCRIPTED" and not driver.is_simple_expression:
                yield f"driver of {thing.name}, {curve.data_path}: {driver.expression}"


def _engine(scene: Any, settings: dict[str, Any], said: list[str]) -> None:
    """Raise Trouble if a scene is of an engine that is not here: Blender would render it with EEVEE."""
    told = [found for found in map(_NO_ENGINE.search, said) if found]
    lost = {found[2]: found[1] for found in told}
    if settings.get("engine"):
        lost.pop(scene.name, None)
    for one in _rendered(scene):
        if one.name in lost:
            raise Trouble(
                f"The scene “{one.name}” is rendered by {lost[one.name]}, which this Blender "
                f"({bpy.app.version_string}) does not have: it may be an add-on's, to be listed with --addon."
            )


def _rendered(scene: Any) -> set[Any]:
    """Return the scenes whose layers are rendered: the compositor may ask for others."""
    tree = compositor(scene)
    layers = [n for n in nodes_of(tree) if n.bl_idname == "CompositorNodeRLayers" and not n.mute]
    return {n.scene or scene for n in layers} if tree else {scene}


def _camera(scene: Any) -> None:
    if renders_edit(scene):
        return
    for one in _rendered(scene):
        if one.camera is None and not any(m.camera for m in one.timeline_markers):
            raise Trouble(f"The scene “{one.name}” has no camera.")


def _denoiser(scene: Any) -> None:
    if _has_denoiser():
        return
    cycles = scene.render.engine == "CYCLES" and scene.cycles.use_denoising
    nodes = any(n.bl_idname == "CompositorNodeDenoise" and not n.mute for n in nodes_of(compositor(scene)))
    # A build without it does not even know its name: the property reads empty.
    if (cycles and scene.cycles.denoiser != "OPTIX") or nodes:
        raise Trouble(
            f"The scene “{scene.name}” is denoised with OpenImageDenoise, without which this Blender "
            f"({bpy.app.version_string}) was built. Switch denoising off, "
            "or let a slave with a Blender from blender.org or PyPI render it.",
            SLAVE,
        )


def _has_denoiser() -> bool:
    try:
        import _cycles
    except ImportError:
        return False
    return bool(getattr(_cycles, "with_openimagedenoise", False))
