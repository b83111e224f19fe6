"""What can be done with a job of the list."""

import os
from typing import Any

import bpy

from ..comms import errands
from ..comms.errands import Errand
from ..comms.messages import Done
from ..packing import homes, output_folder, pictures
from . import joblist, player, preview, pump
from .accountoperators import ask, carry_out, told
from .desk import desk
from .preferences import use

COMMANDS = (
    ("pause", "Pause", "Start no more frames; what renders is finished"),
    ("resume", "Resume", "Go on with a paused job"),
    ("approve", "Approve", "The first pictures are good: render the rest"),
    ("cancel", "Cancel", "End the job now; its finished pictures stay"),
    ("retry", "Retry", "Render failed and canceled frames again"),
)

SAID = {"pause": "paused", "resume": "resumed", "approve": "approved", "cancel": "canceled", "retry": "retried"}


def chosen(job: int) -> int:
    """Return a job's number: the given one, else that of the list."""
    return job or joblist.number(bpy.context.window_manager)


class _OfAJob:
    """Works on a job: that of the argument, else the one chosen in the list."""

    job: bpy.props.IntProperty(name="Job", description="The job's number; 0: the one chosen in the list")

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Tell whether we are connected."""
        return desk.connected


class DISTREN_OT_command(_OfAJob, bpy.types.Operator):
    """Pause, resume, approve, cancel or retry a job."""

    bl_idname = "distren.command"
    bl_label = "Change the job"

    verb: bpy.props.EnumProperty(name="What", items=COMMANDS)

    @classmethod
    def description(cls, _context: Any, properties: Any) -> str:
        """Return the tooltip of the verb."""
        return next(text for verb, _, text in COMMANDS if verb == properties.verb)

    def execute(self, _context: Any) -> set[str]:
        """Tell the server."""
        job, verb, link = chosen(self.job), self.verb, use()

        def work() -> Done:
            with link.fresh() as own:
                own.call("POST", f"/api/jobs/{job}/{verb}", {})
            return Done(f"Job {job} is {SAID[verb]}.")

        return carry_out(self, work)


class DISTREN_OT_fetch(_OfAJob, bpy.types.Operator):
    """Fetch the job's pictures that are not here yet, and those to come."""

    bl_idname = "distren.fetch"
    bl_label = "Fetch pictures"

    folder: bpy.props.StringProperty(
        name="Folder",
        description="Where they go; empty: where they went before, else the output path's folder",
        subtype="DIR_PATH",
    )
    replace: bpy.props.BoolProperty(name="Replace", description="Replace pictures that differ", options={"SKIP_SAVE"})
    keep: bpy.props.BoolProperty(
        name="Keep", description="Move pictures that differ into a folder “former”", options={"SKIP_SAVE"}
    )
    previews: bpy.props.BoolProperty(
        name="Previews", description="Of OpenEXR files, only small previews", options={"SKIP_SAVE"}
    )

    def invoke(self, context: Any, _event: Any) -> set[str]:
        """Ask before something of the artist's is lost."""
        if self.replace:
            return ask(self, context, "Replace", 380)  # type: ignore[no-any-return]
        return self.execute(context)

    def draw(self, _context: Any) -> None:
        """Say what would be lost."""
        fetched = desk.fetched.get(chosen(self.job))
        count = len(fetched.differing) if fetched else 0
        what = "1 picture" if count == 1 else f"{count} pictures"
        column = self.layout.column(align=True)
        column.label(text=f"The farm's pictures replace {what} of yours, for good.", icon="ERROR")
        column.label(text="“Keep mine as former” would keep them.", icon="BLANK1")

    def execute(self, context: Any) -> set[str]:
        """Fetch in a thread."""
        link, job = use(), chosen(self.job)
        known = next((errand for errand in errands.load(link.server) if errand.job == job), None)
        before = desk.folders.get(job) or (known.folder if known else "")
        folder = bpy.path.abspath(self.folder) if self.folder else before or output_folder(context.scene)
        if not folder:
            self.report({"ERROR"}, "Save the file first, or name a folder: the pictures have none to go to.")
            return {"CANCELLED"}
        homes = known.homes if known else () if self.folder else _homes(context.scene, job)
        how = {"replace": self.replace, "keep": self.keep, "previews": self.previews}
        desk.fetch(Errand(link.server, job, folder, homes=homes, **how))
        pump.start()
        if bpy.app.background:
            pump.wait(lambda: desk.trouble is not None or job in desk.fetched)
            return told(self, desk.trouble)
        return {"FINISHED"}


def _homes(scene: Any, job: int) -> tuple[tuple[str, str], ...]:
    """Return where files of File Output nodes belong, if the open file is the one that the job is of."""
    view = next((view for view in desk.jobs if view["job"] == job), None)
    name = os.path.basename(bpy.data.filepath)
    return homes(scene) if view and name and view["source"].rpartition("/")[2] == name else ()


class DISTREN_OT_refresh(_OfAJob, bpy.types.Operator):
    """Look at the jobs now."""

    bl_idname = "distren.refresh"
    bl_label = "Refresh"
    bl_options = {"INTERNAL"}

    def execute(self, _context: Any) -> set[str]:
        """Look."""
        desk.watch()
        if desk.watcher is not None:
            desk.watcher.look()
        pump.start()
        return {"FINISHED"}


class DISTREN_OT_play(_OfAJob, bpy.types.Operator):
    """Play the scene's pictures that are here, in Blender's player; gaps are left out."""

    bl_idname = "distren.play"
    bl_label = "View animation"

    def execute(self, context: Any) -> set[str]:
        """Play them in a window of its own."""
        scene, folder = context.scene, desk.folders.get(chosen(self.job)) or output_folder(context.scene)
        there = pictures(scene, folder)
        if not there:
            self.report({"WARNING"}, f"No picture of this scene is in {folder} yet. Fetch them first.")
            return {"CANCELLED"}
        render = scene.render
        player.play(there, render.fps, render.fps_base)
        return {"FINISHED"}


class DISTREN_OT_dashboard(_OfAJob, bpy.types.Operator):
    """Open the job's page in the browser."""

    bl_idname = "distren.dashboard"
    bl_label = "Open on the dashboard"

    def execute(self, _context: Any) -> set[str]:
        """Open it."""
        bpy.ops.wm.url_open(url=f"{use().server}/jobs/{chosen(self.job)}")
        return {"FINISHED"}


class DISTREN_OT_show_last(_OfAJob, bpy.types.Operator):
    """Show the newest picture of the job; nothing of it stays in your file."""

    bl_idname = "distren.show_last"
    bl_label = "Show last frame"

    def execute(self, context: Any) -> set[str]:
        """Show it in an image editor."""
        fetched = desk.fetched.get(chosen(self.job))
        if fetched is None or not os.path.isfile(fetched.newest):
            self.report({"WARNING"}, "No picture of this job is here yet. Fetch them first.")
            return {"CANCELLED"}
        preview.show(context, fetched.newest)
        return {"FINISHED"}


CLASSES = (
    DISTREN_OT_command,
    DISTREN_OT_fetch,
    DISTREN_OT_refresh,
    DISTREN_OT_play,
    DISTREN_OT_dashboard,
    DISTREN_OT_show_last,
)
