"""The button: pack, send, stop, go on, send anyway."""

import json
import os
from dataclasses import replace
from typing import Any

import bpy

from ..comms import failing
from ..comms.errands import Errand
from ..comms.folders import user_folder
from ..comms.trouble import Trouble
from ..frames import BadFrames
from ..packing import Packed, pack
from ..wishes import Finding, Wish, listed
from . import joblist, modified, preview, pump
from .accountoperators import ask, told
from .desk import desk
from .despatch import Despatch
from .joblist import ENDED
from .preferences import use
from .scenesettings import DEVICES, ORDERS, VIDEOS, chosen, wish_of
from .uploadoperators import carried_on

OVERRULED = ("missing", "physics", "paint", "addons", "output", "taken", "unfit")
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
    order: bpy.props.StringProperty(
        name="Order", description="in_order, bake or any, for what simulates and is not baked"
    )
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
    tiles: bpy.props.StringProperty(
        name="Tiles", description="Render each picture in tiles: 4x4, or auto; whole: as one"
    )
    video: bpy.props.EnumProperty(name="Video", description="Make a video of the pictures", items=VIDEOS)
    tags: bpy.props.StringProperty(name="Tags", description="Only slaves with all these tags, for example gpu, fast")
    pool: bpy.props.StringProperty(name="Pool", description="Only slaves of this pool")
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
        direct |= {n: chosen(getattr(self, n)) for n in ("tiles", "video") if given(n)}
        direct |= {"tags": listed(self.tags)} if given("tags") else {}
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
    "only_missing", "pool", "update", "test",
)  # fmt: skip
_MEMBERS = ("priority", "project", "comment", "approval")


def send(operator: Any, context: Any, wish: Wish) -> set[str]:
    """Pack the open file, and send it in a thread; in the background, return when it is there."""
    preview.forget()
    wish = replace(wish, studio=desk.info.get("profile") == "studio")
    if wish.update and not wish.replace:
        wish = replace(wish, keep=True)  # an update's pictures go where the former ones are
    try:
        link = use()
        with modified.kept():
            packed = pack(context.scene, wish)
    except (Trouble, BadFrames) as error:
        desk.trouble = error if isinstance(error, Trouble) else Trouble(str(error))
        return told(operator, desk.trouble)
    except (RuntimeError, OSError) as error:
        desk.trouble = Trouble(f"Blender can't write a copy of the file: {error}".strip(), "Is the disk full?")
        return told(operator, desk.trouble)
    despatch = Despatch(packed.parcel, packed.scratch, wish, _errand(link.server, packed, wish))
    despatch.findings = packed.findings
    return _despatch(operator, despatch)


def _despatch(operator: Any, despatch: Despatch) -> set[str]:
    desk.send(despatch)
    return carried_on(operator)


def _errand(server: str, packed: Packed, wish: Wish) -> Errand | None:
    """Return where the pictures go; the job has no number yet. None: they stay on the farm."""
    if wish.test:
        key = packed.parcel.submission["key"]
        return Errand(server, 0, os.path.join(user_folder("cache"), "tests", key), replace=True)
    if not wish.fetch:
        return None
    how = {"replace": wish.replace, "keep": wish.keep, "previews": wish.previews}
    return Errand(server, 0, packed.folder, homes=packed.homes, **how)


def wait_for(operator: Any) -> set[str]:
    """Wait until what was just sent has ended, and its pictures are here."""
    pump.wait(lambda: desk.trouble is not None or all(map(_is_over, desk.wanted)))
    views = [view for view in map(_view, desk.wanted) if view is not None and view["state"] != "done"]
    if desk.trouble is None and views:
        number = views[0]["job"]
        why = " ".join(failing.reasons(views[0], desk.failures.get(number, [])))
        return told(operator, Trouble(f"Job {number} is {views[0]['state']}. {why}".strip()))
    return told(operator, desk.trouble)


def _view(number: int) -> dict[str, Any] | None:
    return next((job for job in desk.jobs if job["job"] == number), None)


def _is_over(number: int) -> bool:
    """Tell whether a job has ended and its pictures are here, or it waits for a person."""
    view = _view(number)
    if view is not None and view.get("pause_reason") in ("fault", "quota"):
        return True
    if view is None or view["state"] not in ENDED or _older(view):
        return False
    fetched = desk.fetched.get(number)
    return number not in desk.errands or bool(fetched and fetched.ended)


def _older(view: dict[str, Any]) -> bool:
    """Tell whether this is how a job was before it got the file that was just sent."""
    sent = desk.sent or {}
    return bool(view["job"] == sent.get("job") and view.get("version", 1) < sent.get("version", 1))


class DISTREN_OT_send_anyway(bpy.types.Operator):
    """Send the job in spite of what was found."""

    bl_idname = "distren.send_anyway"
    bl_label = "Send anyway"

    order: bpy.props.EnumProperty(
        name="Order", description="For what simulates and is not baked", items=ORDERS, options={"SKIP_SAVE"}
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
        if self.order != "ask":
            wish = replace(desk.wish, order=self.order)
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
        return ask(self, context, "Render", 300)  # type: ignore[no-any-return]

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


def overrulable(findings: list[Finding]) -> bool:
    """Tell whether the artist may send in spite of these findings."""
    return bool(findings) and all(finding.kind != "hard" for finding in findings)


CLASSES = (
    DISTREN_OT_submit,
    DISTREN_OT_send_anyway,
    DISTREN_OT_update,
    DISTREN_OT_forget_findings,
)
