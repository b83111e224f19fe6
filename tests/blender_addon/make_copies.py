"""Run inside a Blender: a small file, plain and compressed, `-- FOLDER`."""

from __future__ import annotations

import os
import sys

import bpy

FOLDER = sys.argv[sys.argv.index("--") + 1]
for name in ("plain", "compressed"):
    path = os.path.join(FOLDER, f"{name}.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path, copy=True, compress=name == "compressed")
sys.stdout.flush()
os._exit(0)
