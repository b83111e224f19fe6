"""Who plays an image sequence, and how."""

from __future__ import annotations

from typing import Any

import bpy

from .scene_nodes import compositor, nodes_of
from .sequences import Use


def uses(image: Any) -> list[Use] | None:
    """Return how the shot plays an image sequence; None if that is not known for sure.

    Then every file of it goes to every frame: too much is right, too little is magenta.
    """
    users = _all_users()
    mine = [user for whose, user in users if whose == image]
    if not mine or any(not user.use_auto_refresh for user in mine) or len(mine) < _expected(image):
        return None
    return [Use(u.frame_start, u.frame_duration, u.frame_offset, u.use_cyclic) for u in mine]


def _expected(image: Any) -> int:
    return int(image.users) - int(image.use_fake_user)


def _all_users() -> list[tuple[Any, Any]]:
    """Return image and image user of every place that plays one."""
    found = [(t.image, t.image_user) for t in bpy.data.textures if t.type == "IMAGE"]
    found += [(n.image, _user_of(n)) for n in _nodes() if getattr(n, "image", None) is not None]
    for camera in bpy.data.cameras:
        found += [(b.image, b.image_user) for b in camera.background_images if b.source == "IMAGE"]
    found += [(o.data, o.image_user) for o in bpy.data.objects if o.type == "EMPTY" and o.empty_display_type == "IMAGE"]
    return [(image, user) for image, user in found if image is not None]


def _user_of(node: Any) -> Any:
    # Compositor nodes carry the image user's members themselves.
    return getattr(node, "image_user", None) or node


def _nodes() -> list[Any]:
    owners = [*bpy.data.materials, *bpy.data.worlds, *bpy.data.lights, *bpy.data.textures]
    trees = [o.node_tree for o in owners if getattr(o, "node_tree", None) is not None]
    trees += [compositor(s) for s in bpy.data.scenes]
    found = [n for tree in trees if tree is not None for n in tree.nodes]
    groups = [n for group in bpy.data.node_groups for n in group.nodes if group not in trees]
    return [n for n in [*found, *groups] if n.bl_idname in _KINDS]


_KINDS = ("ShaderNodeTexImage", "ShaderNodeTexEnvironment", "CompositorNodeImage")


def nodes_in(scene: Any) -> list[Any]:
    """Return the compositing nodes of a scene."""
    return nodes_of(compositor(scene))
