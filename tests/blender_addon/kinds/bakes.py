"""Kinds of bakes of geometry nodes."""

from __future__ import annotations

from typing import Any

import bpy

from .making import FRAMES, SAVED, at, chosen, grid, kind

LACKING = "" if bpy.app.version >= (4, 1) else "no bakes of geometry nodes, but for all of a file's at once"
CHOICE = bpy.app.version >= (4, 3)
"""Since then bakes lie in the file or in folders; before, in folders."""


@kind(LACKING)
def bake_in_a_folder() -> Any:
    def place(_modifier: Any, bake: Any) -> None:
        if CHOICE:
            bake.bake_target = "DISK"
        bake.use_custom_path, bake.directory = True, at("art", "caches", "growth", "")

    return growing("growth", place), ["caches/growth/meta/00003_00000.json"]


@kind(LACKING)
def bake_beside_the_file() -> Any:
    def place(modifier: Any, bake: Any) -> None:
        if CHOICE:
            modifier.bake_target, bake.bake_target = "DISK", "INHERIT"

    return growing("shoots", place), ["blendcache_shot 01/shoots_shoots/"]


@kind("" if CHOICE else "no bakes in the file itself")
def bake_in_the_file() -> Any:
    def place(_modifier: Any, bake: Any) -> None:
        bake.bake_target = "PACKED"

    return growing("seeds", place), []


def growing(name: Any, place: Any) -> Any:
    """A grid that a simulation zone moves; `place` says where its bake goes."""
    thing = grid(name)
    modifier = thing.modifiers.new(name, "NODES")
    modifier.node_group = bpy.data.node_groups.get("growth") or growth()
    SAVED.append(lambda: bake(thing, modifier, place))
    return thing


def growth() -> Any:
    group = bpy.data.node_groups.new("growth", "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        group.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    nodes, links = group.nodes, group.links
    begin, end = nodes.new("GeometryNodeSimulationInput"), nodes.new("GeometryNodeSimulationOutput")
    begin.pair_with_output(end)
    push = nodes.new("GeometryNodeSetPosition")
    push.inputs["Offset"].default_value = (0.0, 0.25, 0.1)
    into, out = nodes.new("NodeGroupInput"), nodes.new("NodeGroupOutput")
    links.new(into.outputs[0], begin.inputs[0])
    links.new(begin.outputs["Geometry"], push.inputs["Geometry"])
    links.new(push.outputs[0], end.inputs["Geometry"])
    links.new(end.outputs["Geometry"], out.inputs[0])
    return group


def bake(thing: Any, modifier: Any, place: Any) -> None:
    one = modifier.bakes[0]
    one.use_custom_simulation_frame_range = True
    one.frame_start, one.frame_end = FRAMES
    place(modifier, one)
    chosen(thing)
    bpy.ops.object.geometry_node_bake_single(
        session_uid=thing.session_uid, modifier_name=modifier.name, bake_id=one.bake_id
    )
