"""Run inside a Blender: make a scene with a sound strip and OpenEXR pictures; nothing, if it knows no sounds."""

from __future__ import annotations

import math
import struct
import sys
import wave
from pathlib import Path

import bpy

if not bpy.app.build_options.audaspace:
    sys.exit()
folder = Path(sys.argv[-1])
with wave.open(str(folder / "tone.wav"), "wb") as tone:
    tone.setnchannels(1)
    tone.setsampwidth(2)
    tone.setframerate(22_050)
    tone.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(n / 10))) for n in range(22_050)))
scene = bpy.context.scene
editor = scene.sequence_editor_create()
strips = editor.strips if hasattr(editor, "strips") else editor.sequences
strips.new_sound("tone", str(folder / "tone.wav"), 1, 1)
scene.render.use_sequencer = False
scene.render.engine = "CYCLES"
scene.cycles.samples, scene.cycles.use_denoising = 1, False
scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 64, 48, 100
scene.render.fps, scene.frame_start, scene.frame_end = 10, 1, 4
scene.render.image_settings.file_format = "OPEN_EXR"
scene.render.filepath = "//out/shot_"
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
