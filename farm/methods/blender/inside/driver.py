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
    """Begin, with this folder as a package under a name of its own.

    No folder of ours goes on `sys.path`: our modules would hide others of their names.
    """
    home = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [p for p in sys.path if os.path.abspath(p or ".") != home]
    package: Any = types.ModuleType("distren_inside")
    package.__path__ = [home]
    sys.modules["distren_inside"] = package
    importlib.import_module("distren_inside.session").main()


start()
