"""Say beforehand what would make a wrong picture, or none."""

from __future__ import annotations

import os
from typing import Any

import bpy

from .relocate import strips
from .trouble import SLAVE, Trouble

SHOWN = 5
"""How many missing files a message names."""


def check(scene: Any, settings: dict[str, Any]) -> None:
    """Raise Trouble if the scene can't be rendered as its artist sees it."""
    if not settings.get("allow_missing"):
        _files()
    _scripts(settings)
    _camera(scene)
    _denoiser(scene)


def renders_edit(scene: Any) -> bool:
    """Tell whether the strips of the sequencer are what is rendered."""
    return bool(scene.render.use_sequencer and strips(scene))


def compositor(scene: Any) -> Any:
    """Return the scene's compositing nodes, if they are used; else None."""
    if not scene.render.use_compositing:
        return None
    if hasattr(scene, "compositing_node_group"):  # 5.0
        return scene.compositing_node_group
    return scene.node_tree if scene.use_nodes else None


def all_nodes(tree: Any, seen: set[Any] | None = None) -> list[Any]:
    """Return the nodes of a tree and of the groups in it."""
    seen = set() if seen is None else seen
    if tree is None or tree in seen:
        return []
    seen.add(tree)
    found = []
    for node in tree.nodes:
        found += [node, *all_nodes(getattr(node, "node_tree", None), seen)]
    return found


def _files() -> None:
    missing = [("library", lib) for lib in bpy.data.libraries if _gone(_place(lib, lib.parent))]
    missing += [("image", im) for im in bpy.data.images if _plain_file(im) and _gone(_place(im, im.library))]
    if missing:
        named = "; ".join(f"{what} {item.name}: {item.filepath}" for what, item in missing[:SHOWN])
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        raise Trouble(f"Files that the .blend uses are missing: {named}{more}.")


def _plain_file(image: Any) -> bool:
    """Sequences and UDIM tiles are not looked at: only what a frame needs may be here."""
    used = image.users > int(image.use_fake_user)
    return used and image.source in ("FILE", "MOVIE") and not image.packed_file and bool(image.filepath)


def _place(item: Any, library: Any) -> str:
    if item.filepath and getattr(item, "packed_file", None) is not None:
        return ""
    return str(bpy.path.abspath(item.filepath, library=library)) if library else str(bpy.path.abspath(item.filepath))


def _gone(path: str) -> bool:
    return bool(path) and not os.path.isfile(path)


def _scripts(settings: dict[str, Any]) -> None:
    if bpy.app.autoexec_fail and not settings.get("scripts"):
        what = bpy.app.autoexec_fail_message or "a script"
        raise Trouble(f"The file needs its Python ({what}), which this farm does not run: the picture would be wrong.")


def _camera(scene: Any) -> None:
    if renders_edit(scene):
        return
    tree = compositor(scene)
    layers = [n for n in all_nodes(tree) if n.bl_idname == "CompositorNodeRLayers" and not n.mute]
    rendered = {n.scene or scene for n in layers} if tree else {scene}
    for one in rendered:
        if one.camera is None and not any(m.camera for m in one.timeline_markers):
            raise Trouble(f"The scene “{one.name}” has no camera.")


def _denoiser(scene: Any) -> None:
    if _has_denoiser():
        return
    cycles = scene.render.engine == "CYCLES" and scene.cycles.use_denoising
    nodes = any(n.bl_idname == "CompositorNodeDenoise" and not n.mute for n in all_nodes(compositor(scene)))
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
