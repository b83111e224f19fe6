"""Write the sound of a scene, strips and speakers, as a FLAC file.

Run like :mod:`report`: `… --python mixdown.py -- OUT SCENE FIRST LAST [FILE]`. Without a sound nothing is written.
"""

from __future__ import annotations

import os
import sys
import traceback

import bpy


def main(out: str, scene: str, first: str, last: str, file: str = "") -> None:
    """Open the file if it is not, and mix."""
    if file:
        bpy.ops.wm.open_mainfile(filepath=os.path.abspath(file), use_scripts=False, load_ui=False)
    chosen = bpy.data.scenes[scene]
    if bpy.context.window is not None:
        bpy.context.window.scene = chosen
    chosen.frame_start, chosen.frame_end = int(first), int(last)
    with bpy.context.temp_override(scene=chosen):
        bpy.ops.sound.mixdown(filepath=out, container="FLAC", codec="FLAC", format="S16", check_existing=False)


if __name__ == "__main__":
    try:
        main(*sys.argv[sys.argv.index("--") + 1 :])
    except Exception:  # noqa: BLE001  the caller sees that there is no file
        traceback.print_exc()
    sys.stdout.flush()
    # Some versions crash in their own clean-up after good work.
    os._exit(0)
