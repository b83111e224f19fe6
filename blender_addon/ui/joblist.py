"""The jobs as a list of Blender's: what UILists want."""

from typing import Any

import bpy

from .despatch import span

ENDED = ("done", "failed", "canceled")

ICONS = {
    "receiving": "IMPORT",
    "queued": "TIME",
    "rendering": "RENDER_STILL",
    "paused": "PAUSE",
    "done": "CHECKMARK",
    "failed": "ERROR",
    "canceled": "X",
}


class DistrenJob(bpy.types.PropertyGroup):
    """One line of the list."""

    number: bpy.props.IntProperty()
    title: bpy.props.StringProperty()
    state: bpy.props.StringProperty()
    done: bpy.props.IntProperty()
    total: bpy.props.IntProperty()
    failed: bpy.props.IntProperty()
    left: bpy.props.StringProperty()


class DISTREN_UL_jobs(bpy.types.UIList):
    """This user's jobs, newest first."""

    def draw_item(
        self,
        _context: Any,
        layout: Any,
        _data: Any,
        item: Any,
        _icon: Any,
        _active_data: Any,
        _active_property: Any,
        _index: int = 0,
        _flag: int = 0,
    ) -> None:
        """Draw a job."""
        split = layout.split(factor=0.62)
        split.label(text=f"{item.number}  {item.title}", icon=ICONS.get(item.state, "QUESTION"))
        more = f"{item.failed} failed" if item.failed else item.left
        split.label(text=f"{item.done}/{item.total}" + (f", {more}" if more else ""))


def show(manager: Any, jobs: list[dict[str, Any]], fresh: int = 0) -> bool:
    """Show these jobs; the chosen one stays chosen.

    Args:
        manager: Blender's window manager.
        jobs: as the server tells them.
        fresh: a job to be chosen instead; 0: none.

    Returns:
        Whether the fresh one is there by now.
    """
    items, chosen = manager.distren_jobs, fresh or number(manager)
    while len(items) > len(jobs):
        items.remove(len(items) - 1)
    while len(items) < len(jobs):
        items.add()
    for item, job in zip(items, jobs, strict=True):
        counts = job["counts"]
        item.number, item.title, item.state = job["job"], job["name"], job["state"]
        item.done, item.failed, item.total = counts["done"], counts["failed"], sum(counts.values())
        item.left = span(job["eta_seconds"]) if job["state"] == "rendering" and job.get("eta_seconds") else ""
    found = [index for index, job in enumerate(jobs) if job["job"] == chosen]
    if found and manager.distren_job != found[0]:
        manager.distren_job = found[0]
    return bool(found) and chosen == fresh


def number(manager: Any) -> int:
    """Return the number of the job that is chosen in the list; 0: none."""
    items = manager.distren_jobs
    return items[manager.distren_job].number if 0 <= manager.distren_job < len(items) else 0
