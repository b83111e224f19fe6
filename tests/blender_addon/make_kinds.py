"""Run inside a Blender: a folder with a thing of each kind that a .blend may depend on.

`-- FOLDER ANSWER PATHS LENT`: each thing stands in a cell of its own of one picture, so that a file that does
not reach the farm shows there. ANSWER gets the .blend's path, the files that each kind must bring along, its
cell in pixels (left, top, right, bottom), and the kinds that this Blender can't make, with the reason. PATHS is
`relative` or `absolute`. LENT is such a folder of a Blender that can bake smoke; empty: this one can.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
from typing import Any

import bpy

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

from kinds import bakes, caches, files, pictures  # noqa: F401  (each registers kinds)
from kinds.making import ANSWER, FOLDER, FRAMES, KINDS, LATER, PATHS, PLACED, SAVED, at, load, paint, pane, thing_of

COLUMNS, CELL = 6, 24
"""Cells beside each other, and their width in pixels."""

ROWS = math.ceil(len(KINDS) / COLUMNS)


def empty() -> Any:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.filepaths.save_version = 0
    return bpy.context.scene


def make_library(place: Any, colour: Any, texture: Any, inner: Any = "") -> None:
    """A library with a collection of its name; its texture lies beside it."""
    empty()
    name = os.path.basename(place)
    group = bpy.data.collections.new(name)
    group.use_fake_user = True
    pane(name, load(paint(at("art", "libs", texture), colour)), group)
    if inner:
        with bpy.data.libraries.load(at("art", "libs", f"{inner}.blend"), link=True, relative=False) as (_, wanted):
            wanted.objects = [os.path.basename(inner)]
        group.objects.link(wanted.objects[0])
        group.objects[name].scale.x = 0.5
        group.objects[name].location.z = 0.5
    save(at("art", "libs", f"{place}.blend"))


def save(path: Any) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=path)
    if PATHS == "relative":
        bpy.ops.file.make_paths_relative()
    for change in LATER:
        change()
    bpy.ops.wm.save_as_mainfile(filepath=path, relative_remap=False)


def usual(scene: Any) -> None:
    scene.frame_start, scene.frame_end = FRAMES
    render = scene.render
    render.engine = "CYCLES"
    render.resolution_x, render.resolution_y = COLUMNS * CELL, ROWS * CELL
    scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.use_adaptive_sampling = 4, False, False
    scene.cycles.seed, scene.cycles.use_animated_seed = 7, False
    render.filepath = "//../../pictures/film_###"
    if "OCIO" in os.environ:
        scene.view_settings.view_transform = "Studio"


def keep_secrets() -> None:
    """Lay beside each kind what must not travel, under names that are nearly right."""
    for folder, _, names in list(os.walk(at("art"))):
        if os.path.basename(folder) == "meta":
            names = []  # 4.2 ends itself at a name there that is no number
        for name in ("secret.txt", *(f"secret {name}" for name in names)):
            open(os.path.join(folder, name), "w").close()
    beside = "shots/ünï cödé/blendcache_shot 01"
    for place in (
        "wave/wave.0009.secret.png", "udim/skin.secret.png", "caches/points/secret_000001_00.bphys",
        "caches/smoke/secret/fluid_data_0001.vdb", "caches/sea/secret_0001.exr", f"{beside}/secret_000001_00.bphys",
        "caches/growth/secret/00001_00000.json", ".secret/spot.ies",
    ):  # fmt: skip
        open(at("art", *place.split("/")), "w").close()
    for number, place in ((9, "wave/wave.{:04d}.png"), (1009, "udim/skin.{}.png"), (9, "caches/vdb/cloud_{:04d}.vdb")):
        open(at("art", *place.format(number).split("/")), "w").close()
    os.symlink(at("elsewhere"), at("art", "caches", "smoke", "data", "secret"))
    paint(at("elsewhere", "fluid_data_0001.vdb"), (0, 0, 0))


def main() -> None:
    make_library("deep/cloth", (0.9, 0.8, 0.1), "deep/tex/cloth.png")
    make_library("chairs", (0.1, 0.8, 0.8), "chairs.png", "deep/cloth")
    make_library("lamps", (0.8, 0.4, 0.4), "lamps.png")
    scene = empty()
    usual(scene)
    needed, lacking, cells = {}, {}, {}
    for number, (name, (make, reason)) in enumerate(KINDS.items()):
        if reason:
            lacking[name] = reason
            continue
        thing, needed[name] = make()
        if thing is not None:
            column, row = number % COLUMNS, number // COLUMNS
            thing.location = (2 * column, 2 * row, 0)
            cells[name] = [n * CELL for n in (column, ROWS - row - 1, column + 1, ROWS - row)]
    camera = bpy.data.cameras.new("camera")
    camera.type, camera.ortho_scale = "ORTHO", 2 * max(COLUMNS, ROWS)
    scene.camera = thing_of("camera", camera, None)
    scene.camera.location = (COLUMNS - 1, ROWS - 1, 10)
    for work in PLACED:
        work()
    path = at("art", "shots", "ünï cödé", "shot 01.blend")
    save(path)
    for work in SAVED:
        work()
    save(path)
    shutil.rmtree(os.path.join(FOLDER, "scratch"))
    keep_secrets()
    with open(ANSWER, "w", encoding="utf-8") as stream:
        json.dump({"blend": path, "needed": needed, "cells": cells, "lacking": lacking}, stream)
    sys.stdout.flush()
    os._exit(0)


main()
