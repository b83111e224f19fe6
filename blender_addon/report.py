"""Write a .blend's report as JSON.

Run `blender -b --factory-startup FILE --python …/blender_addon/report.py -- OUT [FRAMES]`,
or, with the bpy package, `python report.py -- OUT [FRAMES] [FILE]`. FRAMES is a JSON list
of numbers, or `null` for the scene's own. With `bake` behind FILE, what simulates there is
baked first, and the file saved; lines of JSON behind a record separator tell how far it is.

OUT gets the report, or `{"error": …}`: exit codes of Blender are not to be trusted.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
import types
from typing import Any

HOME = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [p for p in sys.path if os.path.abspath(p or ".") != HOME]

import bpy  # noqa: E402  (our modules must not hide those that it imports)


def main(out: str, frames: str = "null", file: str = "", bake: str = "") -> None:
    """Collect and write."""
    try:
        if file:
            bpy.ops.wm.open_mainfile(filepath=os.path.abspath(file), use_scripts=False, load_ui=False)
        if bake:
            bake_and_save()
        report: dict[str, Any] = neighbour("collector").collect(json.loads(frames))
    except Exception as error:  # noqa: BLE001  the caller has only this file to learn from
        traceback.print_exc()
        report = {"error": str(error).strip().removeprefix("Error: "), "kind": type(error).__name__}
    part = f"{out}.part"
    with open(part, "w", encoding="utf-8") as stream:
        json.dump(report, stream)
    os.replace(part, out)


def bake_and_save() -> None:
    """Bake what simulates in all scenes of the open file, and save it under its name.

    Raises:
        RuntimeError: the file needs its Python, which does not run here: the bake would be wrong.
    """
    if bpy.app.autoexec_fail:
        raise RuntimeError("The file needs its Python: open it in Blender, and bake it there.")
    for scene in bpy.data.scenes:
        neighbour("baking").bake(scene, _tell)
    bpy.ops.wm.save_mainfile()


def _tell(frame: int, last: int) -> None:
    os.write(1, ("\n\x1e" + json.dumps({"frame": frame, "last": last}) + "\n").encode())


def neighbour(name: str) -> Any:
    """Import a module beside this file, without importing the add-on around it."""
    package: Any = types.ModuleType("distren_desk")
    package.__path__ = [HOME]
    sys.modules.setdefault("distren_desk", package)
    return importlib.import_module(f"distren_desk.{name}")


if __name__ == "__main__":
    main(*sys.argv[sys.argv.index("--") + 1 :])
    sys.stdout.flush()
    # Some versions crash in their own clean-up after good work.
    os._exit(0)
