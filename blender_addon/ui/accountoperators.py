"""Connect, log in, register, log out."""

from collections.abc import Callable
from typing import Any

import bpy

from ..comms import account, nearby
from ..comms.link import tidy
from ..comms.messages import Nearby
from ..comms.trouble import Trouble
from . import preferences, pump
from .desk import desk


def carry_out(operator: Any, work: Callable[[], Any]) -> set[str]:
    """Do something in a thread; in the background wait for it, and raise what went wrong as Blender's error."""
    desk.run(work)
    pump.start()
    if not bpy.app.background:
        return {"FINISHED"}
    pump.wait(pump.idle)
    return told(operator, desk.trouble)


def told(operator: Any, trouble: Trouble | None) -> set[str]:
    """End an operator: with an error if there is trouble."""
    if trouble is None:
        return {"FINISHED"}
    operator.report({"ERROR"}, str(trouble))
    return {"CANCELLED"}


def ask(operator: Any, context: Any, confirm: str, width: int = 360) -> Any:
    """Show an operator's properties in a dialog; its button says what it does, where Blender lets it (4.1)."""
    named = {"confirm_text": confirm} if bpy.app.version >= (4, 1) else {}
    return context.window_manager.invoke_props_dialog(operator, width=width, **named)


class _Online:
    """Works only where Blender allows the network."""

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Tell whether it can be pressed, and why not."""
        if preferences.online():
            return True
        cls.poll_message_set("Blender may not use the network: allow it first")  # type: ignore[attr-defined]
        return False


class DISTREN_OT_allow_online(bpy.types.Operator):
    """Let Blender use the network (Preferences, System, Network)."""

    bl_idname = "distren.allow_online"
    bl_label = "Allow"
    bl_options = {"INTERNAL"}

    def execute(self, _context: Any) -> set[str]:
        """Allow it."""
        bpy.context.preferences.system.use_online_access = True
        pump.redraw()
        if not preferences.online():
            return told(self, Trouble("Blender was started with --offline-mode.", "Start it without."))
        return {"FINISHED"}


class DISTREN_OT_connect(_Online, bpy.types.Operator):
    """Test the server's address, and the login for it."""

    bl_idname = "distren.connect"
    bl_label = "Connect"

    server: bpy.props.StringProperty(
        name="Server", description="The server's address; empty: that of the preferences", options={"SKIP_SAVE"}
    )

    def execute(self, _context: Any) -> set[str]:
        """Ask the server who it is, and who we are."""
        try:
            remember(self.server)
            link = preferences.use()
        except Trouble as trouble:
            desk.trouble = trouble
            return told(self, trouble)
        return carry_out(self, lambda: account.connect(link))


class DISTREN_OT_look_nearby(_Online, bpy.types.Operator):
    """Look for servers that announce themselves on the local network; none of them hears of it."""

    bl_idname = "distren.look_nearby"
    bl_label = "Look for servers"

    def execute(self, _context: Any) -> set[str]:
        """Ask the network."""
        return carry_out(self, lambda: Nearby(nearby.look()))


class _Entry(_Online):
    """What logging in and registering share."""

    server: bpy.props.StringProperty(name="Server", options={"SKIP_SAVE", "HIDDEN"})
    name: bpy.props.StringProperty(name="Name", description="Your name on the server", options={"SKIP_SAVE"})
    passphrase: bpy.props.StringProperty(
        name="Passphrase", description="At least 8 characters", subtype="PASSWORD", options={"SKIP_SAVE"}
    )

    def invoke(self, context: Any, _event: Any) -> set[str]:
        """Ask for name and passphrase."""
        return ask(self, context, self.bl_label)

    def execute(self, _context: Any) -> set[str]:
        """Get a token; it goes into a file of the user's, and nowhere else."""
        try:
            link = self._link()
        except Trouble as trouble:
            desk.trouble = trouble
            return told(self, trouble)
        # The operator is gone when the thread runs.
        return carry_out(self, self._work(link))

    def _link(self) -> Any:
        remember(self.server)
        if not (self.name.strip() and self.passphrase):
            raise Trouble("Type your name and your passphrase.")
        return preferences.use().with_token("")

    def _work(self, link: Any) -> Callable[[], Any]:
        raise NotImplementedError


class DISTREN_OT_log_in(_Entry, bpy.types.Operator):
    """Log in to the farm."""

    bl_idname = "distren.log_in"
    bl_label = "Log in"
    # Not REGISTER: Blender would show the passphrase in its Info editor.
    bl_options = {"INTERNAL"}

    def _work(self, link: Any) -> Callable[[], Any]:
        name, passphrase = self.name, self.passphrase
        return lambda: account.log_in(link, name, passphrase)


class DISTREN_OT_register_account(_Entry, bpy.types.Operator):
    """Make an account on the farm, and log in."""

    bl_idname = "distren.register_account"
    bl_label = "Register"
    bl_options = {"INTERNAL"}

    invite: bpy.props.StringProperty(
        name="Invite", description="The code that an admin gave you", options={"SKIP_SAVE"}
    )

    def _work(self, link: Any) -> Callable[[], Any]:
        name, passphrase, invite = self.name, self.passphrase, self.invite
        return lambda: account.register(link, name, passphrase, invite)


class DISTREN_OT_log_out(_Online, bpy.types.Operator):
    """Log out: the login becomes void, here and on the server."""

    bl_idname = "distren.log_out"
    bl_label = "Log out"

    def execute(self, _context: Any) -> set[str]:
        """Void the token."""
        try:
            link = preferences.use()
        except Trouble as trouble:
            return told(self, trouble)
        return carry_out(self, lambda: account.log_out(link))


def remember(server: str) -> None:
    """Keep a server's address that was given; in no file but Blender's own preferences.

    Raises:
        Trouble: it can't be one.
    """
    if server:
        preferences.preferences().server = tidy(server)


CLASSES = (
    DISTREN_OT_allow_online,
    DISTREN_OT_connect,
    DISTREN_OT_look_nearby,
    DISTREN_OT_log_in,
    DISTREN_OT_register_account,
    DISTREN_OT_log_out,
)
