"""How the connection is drawn, in preferences and panel: what is missing, and the one button that mends it."""

from __future__ import annotations

from typing import Any

from ..comms import logins
from ..version import VERSION
from . import preferences
from .desk import desk
from .words import other_version, paragraph


def draw(layout: Any, context: Any, where: Any) -> None:
    """Draw the connection.

    Args:
        layout: where.
        context: Blender's.
        where: the preferences, to be edited.
    """
    if not preferences.online():
        draw_offline(layout, context)
        return
    draw_server(layout)
    column = layout.column()
    column.use_property_split, column.use_property_decorate = True, False
    column.prop(where, "certificate")
    if desk.connected:
        _draw_login(layout, context)
    else:
        draw_connect(layout, context)
        draw_nearby(layout)
    draw_trouble(layout, context)


def draw_nearby(layout: Any) -> None:
    """Offer to look for servers on the local network, and those that were found."""
    row = layout.row()
    row.enabled = not desk.busy
    row.operator("distren.look_nearby", icon="VIEWZOOM")
    for server in desk.nearby:
        label = f"{server.name}: {server.url}" + (f" (DistRen {server.version})" if server.version else "")
        row = layout.row()
        row.enabled = not desk.busy
        row.operator("distren.connect", text=label, icon="WORLD").server = server.url
    if desk.said:
        layout.label(text=desk.said, icon="INFO")


def draw_offline(layout: Any, context: Any) -> None:
    """Say that Blender may not use the network, with the button that allows it."""
    box = layout.box()
    text = "Blender may not use the network. Rendering on a farm needs it; nothing is contacted before you connect."
    paragraph(box, context, text, icon="ERROR")
    box.operator("distren.allow_online", icon="CHECKMARK")


def draw_server(layout: Any) -> None:
    """Draw the field with the server's address."""
    where = preferences.preferences()
    if where is preferences.Defaults:
        return
    column = layout.column()
    column.use_property_split, column.use_property_decorate = True, False
    column.prop(where, "server")


def draw_connect(layout: Any, context: Any) -> None:
    """Offer to connect; once the server has answered, to log in."""
    if not desk.info:
        row = layout.row()
        row.enabled = bool(preferences.server()) and not desk.busy
        row.operator("distren.connect", text="Connecting …" if desk.busy else "Connect", icon="LINKED")
        return
    layout.label(text=f"{desk.info['name']} answers (DistRen {desk.info['version']}).", icon="CHECKMARK")
    row = layout.row(align=True)
    row.enabled = not desk.busy
    row.operator("distren.log_in", icon="USER")
    if desk.info.get("registration") != "closed":
        row.operator("distren.register_account", icon="ADD")


def draw_trouble(layout: Any, context: Any) -> None:
    """Draw what went wrong last."""
    trouble = desk.trouble or desk.away
    if trouble is None:
        return
    box = layout.box()
    paragraph(box, context, trouble.message, icon="ERROR")
    if trouble.hint:
        paragraph(box, context, trouble.hint, icon="BLANK1")


def draw_version(layout: Any, context: Any) -> None:
    """Say that the server is of another version, if it is."""
    if told := other_version(VERSION, str(desk.info.get("version", VERSION))):
        paragraph(layout, context, told, icon="ERROR")


def _draw_login(layout: Any, context: Any) -> None:
    row = layout.row()
    row.label(text=f"Logged in to {desk.info['name']} as {desk.user}.", icon="CHECKMARK")
    row.operator("distren.log_out", icon="UNLINKED")
    draw_version(layout, context)
    layout.label(text=f"The login is kept in {logins.file()}", icon="BLANK1")
