"""Scripts of shaders (OSL) that lie in files of their own.

Cycles writes what it makes of such a file beside it, and takes what lies there already if that looks
newer. A job's folder can't be written, and its times say nothing: so each is compiled anew, elsewhere.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from typing import Any

import bpy

from blender_addon.paths import absolute
from blender_addon.scene_nodes import all_nodes
from farm.methods.inside.trouble import SLAVE, Trouble


def compile_all() -> None:
    """Compile the scripts that the open file names; only a renderer that has OSL can use them.

    Raises:
        Trouble: Cycles was built without OSL, or does not understand a script.
    """
    found = list(_external()) if _wanted() else []
    if not found:
        return
    import _cycles

    if not getattr(_cycles, "with_osl", False):
        text = "The file has shaders of Open Shading Language, without which this Blender was built."
        raise Trouble(f"{text} Let a slave with a Blender from blender.org or PyPI render it.", SLAVE)
    folder = tempfile.mkdtemp(prefix="shaders-")
    for number, (node, source) in enumerate(found):
        made = os.path.join(folder, f"{number}.oso")
        if not _cycles.osl_compile(source, made):
            raise Trouble(f"The shader script {os.path.basename(source)} can't be compiled.")
        node.filepath = made


def _wanted() -> bool:
    """Tell whether a scene is shaded by OSL; elsewhere Cycles passes its nodes over."""
    return any(getattr(getattr(scene, "cycles", None), "shading_system", False) for scene in bpy.data.scenes)


def _external() -> Iterator[tuple[Any, str]]:
    for node, owner in all_nodes():
        if node.bl_idname == "ShaderNodeScript" and node.mode == "EXTERNAL":
            source = absolute(node.filepath, owner.library)
            if source.endswith(".osl") and os.path.isfile(source):
                yield node, source
