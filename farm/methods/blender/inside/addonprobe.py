"""Run inside a Blender, `-- FOLDER NAME…`: enable add-ons one by one, and tell what came of each."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from typing import Any

HOME = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [p for p in sys.path if os.path.abspath(p or ".") != HOME]

import bpy  # noqa: E402, F401  (our modules must not hide those that it imports)


def addons() -> Any:
    """Return our module of this name, without its folder on the path."""
    spec = importlib.util.spec_from_file_location("distren_addons", os.path.join(HOME, "addons.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def say(facts: dict[str, Any]) -> None:
    """Write an answer, so that it survives a crash in the next add-on."""
    os.write(1, ("\n\x1e" + json.dumps(facts) + "\n").encode())


folder, *names = sys.argv[sys.argv.index("--") + 1 :]
module = addons()
for name in names:
    say({"trying": name})
    before = module.engines()
    try:
        version = module.enable(folder, name)
        say({"name": name, "version": version, "engines": [e for e in module.engines() if e not in before]})
    except Exception as error:  # noqa: BLE001  an add-on may raise anything
        say({"name": name, "problem": str(error)})
sys.stdout.flush()
os._exit(0)
