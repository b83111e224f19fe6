"""Render on Farm, in the output properties."""

import os
from typing import Any

import bpy

from ..boosts import amount
from ..comms import failing
from ..comms.folders import user_folder
from . import boosts, connection, declared, findmissing, joblist, preferences, thumbnails
from .desk import desk
from .despatch import span
from .scenesettings import count
from .sendoperators import overrulable
from .words import paragraph

ICONS = {"hard": "CANCEL", "note": "INFO"}
"""The icons of findings; the others can be overruled."""

FIXES = {
    "physics": ("distren.bake", "Bake now", "PHYSICS"),
    "paint": ("image.save_all_modified", "Save All Images", "FILE_TICK"),
}
"""What mends a finding of a kind: operators. What is missing has its own."""


class _InOutput:
    bl_space_type = "PROPERTIES"
    bl_region_type = "WINDOW"
    bl_context = "output"


class DISTREN_PT_farm(_InOutput, bpy.types.Panel):
    """The button, and what it needs to be seen beside it."""

    bl_label = "Render on Farm"
    bl_idname = "DISTREN_PT_farm"
    bl_order = 0

    def draw(self, context: Any) -> None:
        """Draw the state that there is."""
        layout = self.layout
        if not preferences.online():
            connection.draw_offline(layout, context)
        elif not desk.connected:
            connection.draw_server(layout)
            connection.draw_connect(layout, context)
            connection.draw_trouble(layout, context)
        elif desk.despatch is not None:
            draw_despatch(layout, context)
        elif desk.findings:
            draw_findings(layout, context)
        else:
            draw_button(layout, context)


def draw_button(layout: Any, context: Any) -> None:
    """Draw name, frames, device and the button."""
    connection.draw_version(layout, context)
    draw_halves(layout, context)
    said = context.scene.distren
    column = layout.column()
    column.use_property_split, column.use_property_decorate = True, False
    column.prop(said, "job_name")
    column.prop(said, "own_frames")
    if said.own_frames:
        column.prop(said, "frames")
    column.prop(said, "device")
    row = layout.row()
    row.scale_y = 1.6
    row.operator("distren.submit", icon="RENDER_ANIMATION").test = False
    row = layout.row(align=True)
    row.operator("distren.submit", text="Test frame (25 %)", icon="RENDER_STILL").test = True
    row.operator("distren.submit", text="This frame", icon="IMAGE_DATA").still = True
    layout.label(text=f"{count(context.scene)}; time and points: after first frames", icon="TIME")
    if desk.said:
        paragraph(layout, context, desk.said, icon="CHECKMARK")
    connection.draw_trouble(layout, context)


def draw_halves(layout: Any, context: Any) -> None:
    """Offer to go on with uploads that an earlier Blender left."""
    for half in desk.halves:
        box = layout.box()
        paragraph(box, context, f"An upload of “{half.name}” was broken off.", icon="EXPORT")
        row = box.row(align=True)
        row.operator("distren.send_rest", icon="PLAY").key = half.key
        row.operator("distren.forget_rest", icon="X").key = half.key


def draw_despatch(layout: Any, context: Any) -> None:
    """Draw how far sending is, or why it broke off."""
    despatch = desk.despatch
    assert despatch is not None
    if despatch.broken:
        connection.draw_trouble(layout, context)
        row = layout.row(align=True)
        row.operator("distren.go_on", icon="PLAY")
        row.operator("distren.stop", text="Give up", icon="X")
        return
    manager = context.window_manager
    paragraph(layout, context, despatch.status, icon="EXPORT")
    bar = layout.row(align=True)
    shown = bar.row(align=True)
    shown.enabled = False
    shown.prop(manager, "distren_percent", slider=True)
    bar.operator("distren.stop", text="", icon="X")


def draw_findings(layout: Any, context: Any) -> None:
    """Draw what is to be said before the job is sent: one list, what mends it, and the way on."""
    box = layout.box()
    for finding in desk.findings:
        paragraph(box, context, finding.text, icon=ICONS.get(finding.kind, "ERROR"))
    kinds = list(dict.fromkeys(finding.kind for finding in desk.findings))
    findmissing.draw(layout, [finding for finding in desk.findings if finding.kind == "missing"])
    for kind in (kind for kind in kinds if kind in FIXES):
        operator, text, icon = FIXES[kind]
        layout.operator(operator, text=text, icon=icon)
    if "physics" in kinds and overrulable(desk.findings):
        row = layout.row(align=True)
        row.operator("distren.send_anyway", text="Bake on the farm", icon="PHYSICS").order = "bake"
        row.operator("distren.send_anyway", text="One slave, in order", icon="SORTTIME").order = "in_order"
    missing = next((finding.missing for finding in desk.findings if finding.kind == "taken"), "")
    if missing and overrulable(desk.findings):
        row = layout.row(align=True)
        row.operator("distren.send_anyway", text=f"Only missing ({missing})", icon="ADD").taken = "missing"
        row.operator("distren.send_anyway", text="Keep former ones", icon="DUPLICATE").taken = "keep"
    row = layout.row(align=True)
    again = row.operator("distren.submit", text="Check again", icon="FILE_REFRESH")
    again.test = bool(desk.wish and desk.wish.test)
    if overrulable(desk.findings):
        row.operator("distren.send_anyway", icon="EXPORT")
    row.operator("distren.forget_findings", icon="X")


class _Child(_InOutput):
    bl_parent_id = "DISTREN_PT_farm"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Show it to whom is connected."""
        return desk.connected


class DISTREN_PT_more(_Child, bpy.types.Panel):
    """What is seldom changed."""

    bl_label = "More"
    bl_idname = "DISTREN_PT_more"

    def draw(self, context: Any) -> None:
        """Draw it."""
        layout, said = self.layout, context.scene.distren
        layout.use_property_split, layout.use_property_decorate = True, False
        pictures = layout.column(heading="Pictures")
        pictures.prop(said, "fetch")
        below = pictures.column()
        below.enabled = said.fetch
        below.prop(said, "replace")
        below.prop(said, "keep")
        below.prop(said, "previews")
        layout.prop(said, "tiles")
        layout.prop(said, "video")
        layout.column(heading="Frames").prop(said, "only_missing")
        start = layout.column(heading="Start")
        start.prop(said, "paused")
        start.prop(said, "approval")
        start.prop(said, "newer")
        layout.prop(said, "order")
        layout.prop(said, "tags")
        layout.prop(said, "pool")
        layout.prop(said, "priority")
        layout.prop(said, "project")
        layout.prop(said, "comment")


class DISTREN_PT_settings(_Child, bpy.types.Panel):
    """The method's settings."""

    bl_label = "Other than in the file"
    bl_parent_id = "DISTREN_PT_more"

    def draw(self, context: Any) -> None:
        """Draw those that the server declares."""
        declared.draw(self.layout.column(), context.scene)


class DISTREN_PT_jobs(_Child, bpy.types.Panel):
    """My jobs."""

    bl_label = "My Jobs"
    bl_options = set()

    def draw_header_preset(self, _context: Any) -> None:
        """Draw the button that looks anew."""
        self.layout.operator("distren.refresh", text="", icon="FILE_REFRESH", emboss=False)

    def draw(self, context: Any) -> None:
        """Draw the list, and the job chosen in it."""
        layout, manager = self.layout, context.window_manager
        if desk.away is not None:
            paragraph(layout, context, f"{desk.away.message} Trying again.", icon="ERROR")
        if not desk.jobs:
            layout.label(text="No jobs yet.", icon="INFO")
            return
        layout.template_list("DISTREN_UL_jobs", "", manager, "distren_jobs", manager, "distren_job", rows=3)
        number = joblist.number(manager)
        view = next((job for job in desk.jobs if job["job"] == number), None)
        if view is not None:
            draw_job(layout, context, view)


def draw_thumbnails(layout: Any, number: int) -> None:
    """Draw a job's latest pictures: the last one large, those before it in a row, each with its frame."""
    icons = thumbnails.icons(number)
    if not icons:
        return
    *before, (_, latest) = icons
    layout.template_icon(icon_value=latest, scale=6.0)
    row = layout.row(align=True)
    for frame, icon in before:
        column = row.column(align=True)
        column.template_icon(icon_value=icon, scale=3.0)
        below = column.row()
        below.alignment = "CENTER"
        below.label(text=str(frame))


def draw_job(layout: Any, context: Any, view: dict[str, Any]) -> None:
    """Draw the chosen job: picture, words, commands."""
    number = view["job"]
    for text, icon in lines(view):
        paragraph(layout, context, text, icon=icon)
    draw_thumbnails(layout, number)
    commands = layout.row(align=True)
    for verb, text, icon in _verbs(view):
        made = commands.operator("distren.command", text=text, icon=icon)
        made.verb, made.job = verb, number
    pictures = layout.row(align=True)
    fetched = desk.fetched.get(number)
    pictures.operator("distren.fetch", text="Fetch", icon="IMPORT").job = number
    if fetched and fetched.newest:
        pictures.operator("distren.show_last", text="Show last", icon="IMAGE_DATA").job = number
    pictures.operator("distren.play", text="Play", icon="PLAY").job = number
    if fetched and fetched.differing:
        there = layout.row(align=True)
        kept = there.operator("distren.fetch", text="Keep mine as former", icon="DUPLICATE")
        kept.job, kept.keep = number, True
        over = there.operator("distren.fetch", text="Replace …", icon="FILE_REFRESH")
        over.job, over.replace = number, True
    further = layout.row(align=True)
    if view["state"] in joblist.ENDED:
        further.operator("distren.update", text="Update …", icon="FILE_REFRESH").job = number
    elif view["state"] != "receiving":
        further.operator("distren.boost", text="Boost …", icon="SORTTIME").job = number
    further.operator("distren.dashboard", text="Dashboard", icon="URL").job = number
    boosts.draw(layout, context, number)


def lines(view: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what there is to say of a job, with icons."""
    number, counts = view["job"], view["counts"]
    version = f", version {view['version']}" if view.get("version", 1) > 1 else ""
    canceled = f", {counts['canceled']} canceled" if counts["canceled"] else ""
    done = f"{counts['done']} of {sum(counts.values())} frames{canceled}{version}"
    said = [(f"{view['state'].capitalize()}: {done}", "INFO")]
    if view["state"] == "rendering" and view.get("eta_seconds"):
        said.append((f"{span(view['eta_seconds'])}", "TIME"))
    said += _points(view)
    if view.get("pause_reason"):
        said.append((f"Paused: {_REASONS.get(view['pause_reason'], view['pause_reason'])}.", "PAUSE"))
    said += [(text, "ERROR") for text in failing.reasons(view, desk.failures.get(number, []))]
    if counts["ready"] and not counts["leased"] and not view.get("pause_reason"):
        said += [(text, "TIME") for text in view.get("waiting", [])[:2]]
    fetched = desk.fetched.get(number)
    if fetched is not None and fetched.count:
        said.append((_whereabouts(fetched.count, desk.folders.get(number, "")), "FILE_FOLDER"))
    if fetched is not None and fetched.differing:
        said.append((f"{_pictures(len(fetched.differing), 'other ')} in their places.", "ERROR"))
    return said


def _points(view: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what the rest of a job is worth, as soon as a frame has told, and its boost."""
    counts, each = view["counts"], view.get("frame_milli")
    left = counts["blocked"] + counts["ready"] + counts["leased"]
    said = []
    if each is not None and left:
        said.append((f"The rest is worth about {amount(round(each * left, -1))} points.", "SOLO_ON"))
    if view.get("boost"):
        said.append((f"Boosted by {view['boost']}.", "SORTTIME"))
    return said


def _whereabouts(count: int, folder: str) -> str:
    """Return where pictures are, in words."""
    if folder.startswith(os.path.join(user_folder("cache"), "tests")):
        return "The test picture is here: press Show last."
    return f"{_pictures(count)} in {folder or 'their folder'}."


def _pictures(count: int, which: str = "") -> str:
    return f"1 {which}picture is" if count == 1 else f"{count} {which}pictures are"


_REASONS = {
    "user": "somebody paused it",
    "approval": "look at the first pictures, then approve",
    "fault": "the first frames failed by the file's own fault",
    "quota": "your quota is used up",
}


def _verbs(view: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return the commands that a job takes in its state."""
    found = []
    if view["state"] == "paused" and view.get("pause_reason") == "approval":
        found.append(("approve", "Approve", "CHECKMARK"))
    elif view["state"] == "paused":
        found.append(("resume", "Resume", "PLAY"))
    if view["state"] in ("queued", "rendering"):
        found.append(("pause", "Pause", "PAUSE"))
    if view["state"] not in joblist.ENDED:
        found.append(("cancel", "Cancel", "X"))
    if view["counts"]["failed"] or view["counts"]["canceled"]:
        found.append(("retry", "Retry", "FILE_REFRESH"))
    return found


def draw_menu(self: Any, _context: Any) -> None:
    """Draw the entries of the Render menu, beside Render Animation."""
    layout = self.layout
    layout.separator()
    layout.operator("distren.submit", text="Render Animation on Farm", icon="RENDER_ANIMATION").still = False
    layout.operator("distren.submit", text="Render This Frame on Farm", icon="RENDER_STILL").still = True


CLASSES = (DISTREN_PT_farm, DISTREN_PT_more, DISTREN_PT_settings, DISTREN_PT_jobs)
