"""What of a scene is rendered: its strips, or its compositor's nodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy


def strips(scene: Any) -> list[Any]:
    """Return all strips of a scene, under either name that Blender gave the collection."""
    editor = scene.sequence_editor
    if editor is None:
        return []
    found: Any = editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all
    return list(found)


def renders_edit(scene: Any) -> bool:
    """Tell whether the strips of the sequencer are what is rendered."""
    return bool(scene.render.use_sequencer and strips(scene))


def compositor(scene: Any) -> Any:
    """Return the scene's compositing nodes, if they are used; else None."""
    if not scene.render.use_compositing:
        return None
    if hasattr(scene, "compositing_node_group"):  # 5.0
        return scene.compositing_node_group
    return scene.node_tree if scene.use_nodes else None


def nodes_of(tree: Any, seen: set[Any] | None = None) -> list[Any]:
    """Return the nodes of a tree and of the groups in it."""
    seen = set() if seen is None else seen
    if tree is None or tree in seen:
        return []
    seen.add(tree)
    found = []
    for node in tree.nodes:
        found += [node, *nodes_of(getattr(node, "node_tree", None), seen)]
    return found


def all_nodes() -> Iterator[tuple[Any, Any]]:
    """Yield every node of the open file, and what its tree is part of."""
    owners = [*bpy.data.materials, *bpy.data.worlds, *bpy.data.lights, *bpy.data.scenes]
    trees = [(owner, getattr(owner, "node_tree", None)) for owner in owners]
    for owner, tree in [*trees, *((group, group) for group in bpy.data.node_groups)]:
        for node in tree.nodes if tree is not None else ():
            yield node, owner
