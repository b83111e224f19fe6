"""What the panel asks of a scene's job; it is saved with the file."""

import bpy

from .. import frames
from ..wishes import Wish, listed
from . import declared

LABEL, COMMENT = 200, 2000
"""Bytes of texts that every server takes."""

DEVICES = (
    ("file", "As the file says", "All frames are rendered on what the file says for Cycles"),
    ("cpu", "Processors", "All frames are rendered on processors"),
    ("gpu", "Graphics cards", "All frames are rendered on graphics cards"),
    ("any", "Whatever is free", "Some frames here, some there: their noise differs"),
)

ORDERS = (
    ("ask", "Ask if it matters", "Ask before sending if something simulates and is not baked"),
    ("in_order", "In order, on one slave", "One slave simulates and renders from the first frame on"),
    ("bake", "Bake on the farm", "One slave bakes it first, then all slaves render it"),
    ("any", "In any order", "Send it as it is: what is not baked would come out wrong"),
)

TILES = (
    ("whole", "Whole pictures", "Each picture is rendered by one slave"),
    ("auto", "Automatic", "Tiles of about half a minute, by what the newest job of this name took"),
    *(
        (f"{n}x{n}", f"{n} × {n} tiles", "All slaves render tiles of a picture, which are put together")
        for n in (2, 3, 4, 6, 8)
    ),
)

VIDEOS = (
    ("none", "None", "Pictures only"),
    ("mp4", "MP4 (H.264)", "Browsers and players show it"),
    ("av1", "MP4 (AV1)", "Smaller; newer browsers show it"),
    ("webm", "WebM (VP9)", "For browsers; keeps transparency"),
    ("prores", "ProRes", "For cutting"),
    ("gif", "GIF", "Short loops without sound"),
)


class DistrenScene(bpy.types.PropertyGroup):
    """A scene's job."""

    job_name: bpy.props.StringProperty(
        name="Name", description="What the job is called; empty: as the file", maxlen=LABEL
    )
    own_frames: bpy.props.BoolProperty(
        name="Other frames", description="Render other frames than the scene's range", default=False
    )
    frames: bpy.props.StringProperty(
        name="Frames", description="Frames to render, for example 1-250x2, 300", default="1-250"
    )
    device: bpy.props.EnumProperty(name="Device", description="What Cycles renders on", items=DEVICES)
    order: bpy.props.EnumProperty(name="Order", description="For what simulates and is not baked", items=ORDERS)
    paused: bpy.props.BoolProperty(name="Start paused", description="Render nothing before you say so")
    fetch: bpy.props.BoolProperty(
        name="Fetch pictures",
        description="Pictures come to the scene's output path as frames finish",
        default=True,
    )
    replace: bpy.props.BoolProperty(
        name="Replace pictures there",
        description="Pictures that lie in the output path under the same names are replaced",
    )
    keep: bpy.props.BoolProperty(
        name="Keep former ones",
        description="Pictures that lie there under the same names are moved into a folder “former”",
    )
    previews: bpy.props.BoolProperty(
        name="Of OpenEXR only previews",
        description="Fetch small previews instead of OpenEXR files; fetch these later by the job's button",
    )
    tiles: bpy.props.EnumProperty(
        name="Tiles", description="Render each picture in tiles, on all slaves at once", items=TILES
    )
    video: bpy.props.EnumProperty(
        name="Video", description="Make a video of the pictures, with the scene's sound", items=VIDEOS
    )
    only_missing: bpy.props.BoolProperty(
        name="Only missing frames", description="Render only frames whose pictures are not in the output path"
    )
    approval: bpy.props.BoolProperty(
        name="Ask after first pictures",
        description="Pause after the first, the middle and the last frame until you approve of them",
    )
    newer: bpy.props.BoolProperty(
        name="A newer Blender will do", description="Slaves may render it with a newer Blender than this one"
    )
    tags: bpy.props.StringProperty(
        name="Slaves' tags", description="Only slaves that have all these tags render it, for example gpu, fast"
    )
    pool: bpy.props.StringProperty(name="Pool", description="Only slaves of this pool render it; empty: all that may")
    priority: bpy.props.IntProperty(
        name="Priority", description="Among jobs, higher is sooner", min=0, max=100, default=50
    )
    project: bpy.props.StringProperty(name="Project", description="A label to find jobs by", maxlen=LABEL)
    comment: bpy.props.StringProperty(name="Comment", description="A note for those who see the job", maxlen=COMMENT)


def chosen(value: str) -> str:
    """Return a choice of tiles or video; empty if it is none."""
    return "" if value in ("whole", "none") else value.strip()


def wish_of(scene: bpy.types.Scene) -> Wish:
    """Return what the panel says."""
    said = scene.distren
    return Wish(
        name=said.job_name.strip(),
        frames=said.frames if said.own_frames else "",
        settings=declared.values(scene),
        device=said.device,
        order="" if said.order == "ask" else said.order,
        newer=said.newer,
        paused=said.paused,
        fetch=said.fetch,
        replace=said.replace,
        keep=said.keep,
        previews=said.previews,
        only_missing=said.only_missing,
        tiles=chosen(said.tiles),
        video=chosen(said.video),
        tags=listed(said.tags),
        pool=said.pool.strip(),
        members={
            "priority": said.priority,
            "project": said.project.strip(),
            "comment": said.comment.strip(),
            "approval": said.approval,
        },
    )


def count(scene: bpy.types.Scene) -> str:
    """Return how many frames are to be rendered, in words."""
    said = scene.distren
    try:
        if said.own_frames:
            number = len(frames.numbers(said.frames))
        else:
            number = len(range(max(0, scene.frame_start), scene.frame_end + 1, max(1, scene.frame_step)))
    except frames.BadFrames as error:
        return str(error)
    return "1 frame" if number == 1 else f"{number:,} frames"
