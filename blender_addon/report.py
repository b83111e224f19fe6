"""Write a .blend's report as JSON.

Run `blender -b --factory-startup FILE --python …/blender_addon/report.py -- OUT [FRAMES]`,
or, with the bpy package, `python report.py -- OUT [FRAMES] [FILE]`. FRAMES is a JSON list
of numbers, or `null` for the scene's own.

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


def main(out: str, frames: str = "null", file: str = "") -> None:
    """Collect and write."""
    try:
        if file:
            bpy.ops.wm.open_mainfile(filepath=os.path.abspath(file), use_scripts=False, load_ui=False)
        report: dict[str, Any] = collector().collect(json.loads(frames))
    except Exception as error:  # noqa: BLE001  the caller has only this file to learn from
        traceback.print_exc()
        report = {"error": str(error).strip().removeprefix("Error: "), "kind": type(error).__name__}
    part = f"{out}.part"
    with open(part, "w", encoding="utf-8") as stream:
        json.dump(report, stream)
    os.replace(part, out)


def collector() -> Any:
    """Import the collector beside this file, without importing the add-on around it."""
    name = "distren_collector"
    package: Any = types.ModuleType(name)
    package.__path__ = [HOME]
    sys.modules[name] = package
    return importlib.import_module(f"{name}.collector")


if __name__ == "__main__":
    main(*sys.argv[sys.argv.index("--") + 1 :])
    sys.stdout.flush()
    # Some versions crash in their own clean-up after good work.
    os._exit(0)
