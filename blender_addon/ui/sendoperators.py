"""The button: pack, send, stop, go on, send anyway."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import bpy

from ..comms.bringing import Errand
from ..comms.folders import user_folder
from ..comms.link import Link
from ..comms.trouble import Trouble
from ..frames import BadFrames
from ..packing import Packed, pack
from ..wishes import Finding, Wish
from . import joblist, preview, pump
from .accountoperators import told
from .desk import Despatch, desk
from .joblist import ENDED
from .preferences import use
from .scenesettings import DEVICES, wish_of

OVERRULED = ("missing", "physics", "paint", "output", "taken", "unfit")
"""Kinds of findings that “Send anyway” overrules."""


class _Ready:
    """Works once a server knows who we are, while nothing else is being sent."""

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Tell whether it can be pressed, and why not."""
        if not desk.connected:
            cls.poll_message_set("Connect to your farm first")  # type: ignore[attr-defined]
            return False
        if desk.despatch is not None:
            cls.poll_message_set("A job is being sent")  # type: ignore[attr-defined]
            return False
        return True


class DISTREN_OT_submit(_Ready, bpy.types.Operator):
    """Send the open file to the farm, unsaved changes included, and fetch its pictures as they finish."""

    bl_idname = "distren.submit"
    bl_label = "Render on Farm"

    test: bpy.props.BoolProperty(
        name="Test frame",
        description="Render the current frame at 25 % to see whether all is right",
        options={"SKIP_SAVE"},
    )
    still: bpy.props.BoolProperty(name="This frame", description="Render the current frame only", options={"SKIP_SAVE"})
    name: bpy.props.StringProperty(name="Name", description="The job's name; empty: the file's")
    frames: bpy.props.StringProperty(name="Frames", description="For example 1-250x2, 300; empty: the scene's")
    device: bpy.props.EnumProperty(name="Device", description="What Cycles renders on", items=DEVICES)
    settings: bpy.props.StringProperty(
        name="Settings", description='The method\'s settings as JSON: {"samples": 64}', default="{}"
    )
    folder: bpy.props.StringProperty(name="Folder", description="Where pictures go; empty: the output path's folder")
    order: bpy.props.StringProperty(name="Order", description="in_order or any, for what simulates and is not baked")
    priority: bpy.props.IntProperty(name="Priority", min=0, max=100, default=50)
    project: bpy.props.StringProperty(name="Project", description="A label to find jobs by")
    comment: bpy.props.StringProperty(name="Comment", description="A note")
    approval: bpy.props.BoolProperty(name="Approval", description="Pause after the first pictures")
    newer: bpy.props.BoolProperty(name="Newer", description="A newer Blender will do")
    paused: bpy.props.BoolProperty(name="Start paused", description="Render nothing before you say so")
    fetch: bpy.props.BoolProperty(name="Fetch", description="Pictures come home as they finish", default=True)
    replace: bpy.props.BoolProperty(name="Replace", description="Replace pictures of the same names")
    keep: bpy.props.BoolProperty(name="Keep", description="Move pictures of the same names into a folder “former”")
    previews: bpy.props.BoolProperty(name="Previews", description="Of OpenEXR files, only small previews come home")
    only_missing: bpy.props.BoolProperty(
        name="Only missing", description="Only frames whose pictures are not in their folder"
    )
    update: bpy.props.IntProperty(
        name="Update",
        description="A job of yours that has ended: it gets the file as it is now, and renders the frames anew",
        min=0,
        options={"SKIP_SAVE"},
    )
    anyway: bpy.props.BoolProperty(name="Anyway", description="Send in spite of what can be overruled")
    wait: bpy.props.BoolProperty(
        name="Wait", description="In the background: return when the job has ended and its pictures are here"
    )

    def invoke(self, context: Any, _event: Any) -> set[str]:
        """Send what the panel says."""
        return self._send(context, self._panel(context.scene))

    def execute(self, context: Any) -> set[str]:
        """Send what the arguments say; what they leave out, the panel's settings of the scene say."""
        given = self.properties.is_property_set
        wish = self._panel(context.scene)
        direct = {n: getattr(self, n) for n in _DIRECT if given(n)}
        members = {**wish.members, **{n: getattr(self, n) for n in _MEMBERS if given(n)}}
        try:
            settings = {**wish.settings, **json.loads(self.settings)}
        except (ValueError, TypeError):
            return told(self, Trouble("settings: this is no JSON object."))
        anyway = frozenset(OVERRULED) if self.anyway else frozenset()
        return self._send(context, replace(wish, **direct, members=members, settings=settings, anyway=anyway))

    def _panel(self, scene: Any) -> Wish:
        wish = replace(wish_of(scene), test=self.test)
        return replace(wish, frames=str(max(0, scene.frame_current))) if self.still else wish

    def _send(self, context: Any, wish: Wish) -> set[str]:
        result = send(self, context, wish)
        if result == {"FINISHED"} and bpy.app.background and self.wait:
            return wait_for(self)
        return result


_DIRECT = (
    "name", "frames", "device", "folder", "order", "newer", "paused", "fetch", "replace", "keep", "previews",
    "only_missing", "update", "test",
)  # fmt: skip
_MEMBERS = ("priority", "project", "comment", "approval")


def send(operator: Any, context: Any, wish: Wish) -> set[str]:
    """Pack the open file, and send it in a thread; in the background, return when it is there."""
    preview.forget()
    if wish.update and not wish.replace:
        wish = replace(wish, keep=True)  # an update's pictures go where the former ones are
    try:
        link = use()
        packed = pack(context.scene, wish)
    except (Trouble, BadFrames) as error:
        desk.trouble = error if isinstance(error, Trouble) else Trouble(str(error))
        return told(operator, desk.trouble)
    except (RuntimeError, OSError) as error:
        desk.trouble = Trouble(f"Blender can't write a copy of the file: {error}".strip(), "Is the disk full?")
        return told(operator, desk.trouble)
    despatch = Despatch(packed.parcel, packed.scratch, wish, _errand(link, packed, wish))
    despatch.findings = packed.findings
    return _despatch(operator, context, despatch)


def _despatch(operator: Any, context: Any, despatch: Despatch) -> set[str]:
    desk.send(despatch)
    pump.start()
    if not bpy.app.background:
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


def _errand(link: Link, packed: Packed, wish: Wish) -> Callable[[int], Errand | None]:
    def made(job: int) -> Errand | None:
        if wish.test:
            return Errand(link.server, job, os.path.join(user_folder("cache"), "tests", str(job)), replace=True)
        if not wish.fetch:
            return None
        how = {"replace": wish.replace, "keep": wish.keep, "previews": wish.previews}
        return Errand(link.server, job, packed.folder, homes=packed.homes, **how)

    return made


def wait_for(operator: Any) -> set[str]:
    """Wait until the job that was just sent has ended, and its pictures are here."""
    assert desk.sent is not None
    number = desk.sent["job"]

    def ended() -> bool:
        if desk.trouble is not None:
            return True
        view = next((job for job in desk.jobs if job["job"] == number), None)
        if view is not None and view.get("pause_reason") in ("fault", "quota"):
            return True
        if view is None or view["state"] not in ENDED or _older(view):
            return False
        fetched = desk.fetched.get(number)
        return number not in desk.errands or bool(fetched and fetched.ended)

    pump.wait(ended)
    view = next((job for job in desk.jobs if job["job"] == number), None)
    if desk.trouble is None and view is not None and view["state"] != "done":
        why = " ".join([view["message"], *desk.failures.get(number, [])])
        return told(operator, Trouble(f"Job {number} is {view['state']}. {why}".strip()))
    return told(operator, desk.trouble)


def _older(view: dict[str, Any]) -> bool:
    """Tell whether this is how a job was before it got the file that was just sent."""
    assert desk.sent is not None
    return bool(view.get("version", 1) < desk.sent.get("version", 1))


class DISTREN_OT_send_anyway(bpy.types.Operator):
    """Send the job in spite of what was found."""

    bl_idname = "distren.send_anyway"
    bl_label = "Send anyway"

    in_order: bpy.props.BoolProperty(
        name="In order", description="One slave simulates and renders from the first frame on"
    )
    taken: bpy.props.EnumProperty(
        name="Pictures there",
        description="What becomes of pictures that are there already",
        items=(
            ("stay", "Stay", "They stay as they are"),
            ("missing", "Only missing", "Only frames whose pictures are missing are rendered"),
            ("keep", "Keep", "They are moved into a folder “former”"),
        ),
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Tell whether there is something to overrule."""
        return desk.wish is not None and overrulable(desk.findings) and desk.despatch is None

    def execute(self, context: Any) -> set[str]:
        """Pack anew, since something may have been mended, and send."""
        assert desk.wish is not None
        if self.taken != "stay":
            chosen = {"only_missing": self.taken == "missing", "keep": self.taken == "keep"}
            return send(self, context, replace(desk.wish, **chosen))
        kinds = frozenset(finding.kind for finding in desk.findings)
        wish = replace(desk.wish, anyway=desk.wish.anyway | kinds)
        if self.in_order:
            wish = replace(desk.wish, order="in_order")
        return send(self, context, wish)


class DISTREN_OT_update(_Ready, bpy.types.Operator):
    """Render frames of a job that has ended anew, with the file as it is now; its former pictures are kept."""

    bl_idname = "distren.update"
    bl_label = "Update job"

    job: bpy.props.IntProperty(name="Job", description="The job's number; 0: the one chosen in the list")
    frames: bpy.props.StringProperty(name="Frames", description="Frames of the job, for example 120-140")

    def invoke(self, context: Any, _event: Any) -> set[str]:
        """Ask which frames."""
        self.job = self.job or joblist.number(context.window_manager)
        self.frames = self.frames or str(max(0, context.scene.frame_current))
        return context.window_manager.invoke_props_dialog(self)  # type: ignore[no-any-return]

    def draw(self, _context: Any) -> None:
        """Draw the question."""
        column = self.layout.column()
        column.label(text=f"Job {self.job} gets the file as it is now, and renders anew:")
        column.prop(self, "frames")

    def execute(self, context: Any) -> set[str]:
        """Send it."""
        job = self.job or joblist.number(context.window_manager)
        frames = self.frames or str(max(0, context.scene.frame_current))
        return send(self, context, replace(wish_of(context.scene), frames=frames, update=job, only_missing=False))


class DISTREN_OT_forget_findings(bpy.types.Operator):
    """Do not send the job."""

    bl_idname = "distren.forget_findings"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}

    def execute(self, _context: Any) -> set[str]:
        """Forget what was found."""
        desk.findings, desk.wish, desk.trouble = [], None, None
        pump.redraw()
        return {"FINISHED"}


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

    def execute(self, context: Any) -> set[str]:
        """Send the same parcel again, to the same job."""
        assert desk.despatch is not None
        return _despatch(self, context, desk.despatch)


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


def overrulable(findings: list[Finding]) -> bool:
    """Tell whether the artist may send in spite of these findings."""
    return bool(findings) and all(finding.kind != "hard" for finding in findings)


CLASSES = (
    DISTREN_OT_submit,
    DISTREN_OT_send_anyway,
    DISTREN_OT_update,
    DISTREN_OT_forget_findings,
    DISTREN_OT_stop,
    DISTREN_OT_go_on,
    DISTREN_OT_stop_with_escape,
)
