"""The add-on's preferences: which server. Tokens are elsewhere, in a file of the user's."""

from typing import Any

import bpy

from ..comms import logins
from ..comms.link import Link, tidy
from ..version import VERSION
from .desk import desk

ADDON = __package__.rpartition(".")[0]
"""The add-on's name here: Blender puts extensions into packages of their repository."""


def _moved(_self: Any, _context: Any) -> None:
    """Forget the server that was there before: another address is another farm."""
    desk.trouble = None
    if desk.link is not None and not desk.busy:
        desk.leave()


class DistrenPreferences(bpy.types.AddonPreferences):
    """What is kept between two starts of Blender."""

    bl_idname = ADDON

    server: bpy.props.StringProperty(
        name="Server",
        description="The address of the farm's server, for example http://render.local:8282",
        update=_moved,
    )
    certificate: bpy.props.StringProperty(
        name="Certificate",
        description="A certificate to trust (PEM), if the server made its own; empty: those that the system trusts",
        subtype="FILE_PATH",
    )

    def draw(self, context: Any) -> None:
        """Draw them, with what the server says."""
        from .connection import draw

        draw(self.layout, context, self)


def preferences() -> Any:
    """Return the preferences; the defaults where Blender keeps none for us."""
    addon = bpy.context.preferences.addons.get(ADDON)
    return addon.preferences if addon is not None and addon.preferences is not None else Defaults


class Defaults:
    """What counts where Blender keeps no preferences of ours (`--addons`)."""

    server = ""
    certificate = ""


def server() -> str:
    """Return the address of the server that is meant, as it was written; empty: none is known."""
    return str(preferences().server or logins.current())


def online() -> bool:
    """Tell whether Blender allows add-ons to use the network; those before 4.2 do not ask."""
    return bool(getattr(bpy.app, "online_access", True))


def link() -> Link:
    """Return a link to the server that is meant, with the saved login for it.

    Raises:
        Trouble: its address can't be one.
    """
    address = tidy(server())
    login = logins.find(address)
    return Link(address, login.token if login else "", bpy.path.abspath(preferences().certificate), VERSION)


def use() -> Link:
    """Make the desk talk to that server; return the link.

    Raises:
        Trouble: its address can't be one.
    """
    made = link()
    if desk.link is None or (desk.link.server, desk.link.token, desk.link.certificate) != (
        made.server,
        made.token,
        made.certificate,
    ):
        desk.use(made)
    assert desk.link is not None
    return desk.link
