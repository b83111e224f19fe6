"""Run inside a Blender: install the add-on as an artist would, then run a scene, `-- ZIP SCENE ANSWER [ARGUMENT…]`.

SCENE is a Python file with a function `play(*arguments)`; what it returns is written to ANSWER as JSON.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import traceback
from typing import Any

import bpy


def install(archive: Any) -> str:
    if hasattr(bpy.ops, "extensions") and bpy.app.version >= (4, 2):
        bpy.context.preferences.system.use_online_access = True
        bpy.ops.extensions.package_install_files(
            filepath=archive, repo="user_default", enable_on_install=True, overwrite=True
        )
        return "bl_ext.user_default.distren"
    bpy.ops.preferences.addon_install(filepath=archive)
    bpy.ops.preferences.addon_enable(module="distren")
    return "distren"


def main(archive: Any, scene: Any, answer: Any, *arguments: Any) -> None:
    try:
        module = install(archive)
        said = {"answer": runpy.run_path(scene, {"ADDON": module})["play"](*arguments)}
        bpy.ops.preferences.addon_disable(module=module)
    except Exception as error:  # noqa: BLE001  the test has only this file to learn from
        traceback.print_exc()
        said = {"error": f"{type(error).__name__}: {error}"}
    with open(answer, "w", encoding="utf-8") as stream:
        json.dump(said, stream)
    sys.stdout.flush()
    os._exit(0)


main(*sys.argv[sys.argv.index("--") + 1 :])
