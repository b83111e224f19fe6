"""The session child: run inside a Blender, it opens one .blend and renders its frames.

Orders come as JSON lines on stdin, events leave as JSON lines on stdout; the words are
in `docs/reference/session-wire.md`. Standard library and bpy only, Python ≥ 3.10.
"""

from __future__ import annotations

import importlib
import os
import sys
import types
from typing import Any


def start() -> None:
    """Begin, with this folder as a package of a name of its own, and what it shares with others under their names.

    No folder of ours goes on `sys.path`: our modules would hide others of their names.
    """
    home = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [p for p in sys.path if os.path.abspath(p or ".") != home]
    # What renderer and add-on must see alike stands once, in the add-on, which lies beside `farm` wherever that is.
    desk = os.path.join(home, *[os.pardir] * 4, "blender_addon")
    shared = os.path.join(home, os.pardir, os.pardir, "inside")
    folders = {
        "distren_inside": home,
        "blender_addon": desk,
        "farm": "",
        "farm.methods": "",
        "farm.methods.inside": shared,
    }
    for name, folder in folders.items():
        package: Any = types.ModuleType(name)
        package.__path__ = [os.path.normpath(folder)] if folder else []
        sys.modules[name] = package
    importlib.import_module("distren_inside.session").main()


start()
