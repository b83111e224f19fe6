"""What is on its way to the farm: stop it, go on with it, also with what an earlier Blender left."""

from typing import Any

import bpy

from ..comms.trouble import Trouble
from . import pump
from .accountoperators import told
from .desk import desk


def carried_on(operator: Any) -> set[str]:
    """Let a thread work; in the background, wait for it."""
    pump.start()
    if not bpy.app.background:
        if desk.despatch is not None:
            bpy.ops.distren.stop_with_escape("INVOKE_DEFAULT")
        pump.redraw()
        return {"FINISHED"}
    pump.wait(pump.idle)
    return told(operator, desk.trouble or _objection())


def _objection() -> Trouble | None:
    if not desk.findings:
        return None
    texts = " ".join(finding.text for finding in desk.findings if finding.kind != "note")
    soft = not any(finding.kind == "hard" for finding in desk.findings)
    return Trouble(texts, "Mend it, or say anyway=True." if soft else "Mend it, then send again.", "objections")


class DISTREN_OT_stop(bpy.types.Operator):
    """Stop sending at once; nothing of the job stays on the farm."""

    bl_idname = "distren.stop"
    bl_label = "Stop"

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Tell whether something is being sent."""
        return desk.despatch is not None

    def execute(self, _context: Any) -> set[str]:
        """Stop."""
        desk.stop_sending()
        pump.redraw()
        return {"FINISHED"}


class DISTREN_OT_go_on(bpy.types.Operator):
    """Go on with sending that broke off: what has arrived is not sent again."""

    bl_idname = "distren.go_on"
    bl_label = "Go on"

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Tell whether something broke off."""
        return desk.despatch is not None and desk.despatch.broken

    def execute(self, _context: Any) -> set[str]:
        """Send the same parcel again, to the same job."""
        assert desk.despatch is not None
        desk.send(desk.despatch)
        return carried_on(self)


class _OfAHalf:
    """Works on an upload that an earlier Blender left."""

    bl_options = {"INTERNAL"}
    key: bpy.props.StringProperty(name="Key", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Tell whether there is one, and nothing else is sent."""
        return bool(desk.halves) and desk.despatch is None

    def half(self) -> Any:
        """Return it."""
        return next((half for half in desk.halves if half.key == self.key), desk.halves[0])


class DISTREN_OT_send_rest(_OfAHalf, bpy.types.Operator):
    """Send what an upload that broke off lacks: what has arrived is not sent again."""

    bl_idname = "distren.send_rest"
    bl_label = "Send the rest"

    def execute(self, _context: Any) -> set[str]:
        """Send it."""
        desk.send_half(self.half())
        return carried_on(self)


class DISTREN_OT_forget_rest(_OfAHalf, bpy.types.Operator):
    """Forget an upload that broke off; nothing of it stays on the farm."""

    bl_idname = "distren.forget_rest"
    bl_label = "Forget it"

    def execute(self, _context: Any) -> set[str]:
        """Have it ended."""
        desk.forget_half(self.half())
        return carried_on(self)


class DISTREN_OT_stop_with_escape(bpy.types.Operator):
    """Stop sending when ESC is pressed; everything else works on meanwhile."""

    bl_idname = "distren.stop_with_escape"
    bl_label = "Stop sending with ESC"
    bl_options = {"INTERNAL"}

    def invoke(self, context: Any, _event: Any) -> set[str]:
        """Begin to listen."""
        self._timer = context.window_manager.event_timer_add(0.2, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: Any, event: Any) -> set[str]:
        """Listen to ESC, let all else pass."""
        if desk.despatch is None or desk.despatch.broken:
            context.window_manager.event_timer_remove(self._timer)
            return {"FINISHED", "PASS_THROUGH"}
        if event.type == "ESC" and event.value == "PRESS":
            desk.stop_sending()
            return {"RUNNING_MODAL"}
        return {"PASS_THROUGH"}


CLASSES = (
    DISTREN_OT_stop,
    DISTREN_OT_go_on,
    DISTREN_OT_send_rest,
    DISTREN_OT_forget_rest,
    DISTREN_OT_stop_with_escape,
)
