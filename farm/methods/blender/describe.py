"""The settings of a Blender job. None always means: as the .blend says."""

from __future__ import annotations

from farm.methods.tiles import TILES
from farm.protocol.methods import MethodDescription, SettingDescription

FORMATS = ["PNG", "OPEN_EXR", "OPEN_EXR_MULTILAYER", "JPEG", "TIFF", "WEBP", "BMP", "TARGA", "HDR"]
ENGINES = ["CYCLES", "BLENDER_EEVEE", "BLENDER_EEVEE_NEXT", "BLENDER_WORKBENCH"]

_RENDER = (
    "border_max_x border_max_y border_min_x border_min_y dither_intensity film_transparent filter_size hair_subdiv "
    "hair_type line_thickness line_thickness_mode motion_blur_position motion_blur_shutter pixel_aspect_x "
    "pixel_aspect_y simplify_child_particles_render simplify_subdivision_render simplify_volumes use_border "
    "use_compositing use_crop_to_border use_freestyle use_high_quality_normals use_motion_blur use_sequencer "
    "use_simplify use_stamp"
)
_IMAGE = "color_depth color_mode compression exr_codec quality tiff_codec"
_COLOURS = "exposure gamma look view_transform"
PATHS = [
    "scene.cycles.*",
    "scene.eevee.*",
    *(f"scene.render.{name}" for name in _RENDER.split()),
    *(f"scene.render.image_settings.{name}" for name in _IMAGE.split()),
    *(f"scene.view_settings.{name}" for name in _COLOURS.split()),
    "scene.display.shading.*",
    "scene.world.light_settings.*",
    "view_layer.*",
    "view_layer.cycles.*",
]
"""What may be set of a scene by its RNA path, numbers and words only; what a file names or the farm decides is not."""

_SETTINGS = [
    SettingDescription(
        name="scene",
        title="Scene",
        type="text",
        help="The scene to render. The others stay in the file: compositors and strips read them.",
    ),
    SettingDescription(
        name="camera", title="Camera", type="text", help="The name of the camera object to render through."
    ),
    SettingDescription(
        name="view_layer", title="View layer", type="text", help="The only view layer to render; usually all in use."
    ),
    SettingDescription(
        name="resolution_x",
        title="Width",
        type="integer",
        unit="px",
        minimum=4,
        maximum=65_536,
        help="Width of the picture before the percentage.",
    ),
    SettingDescription(
        name="resolution_y",
        title="Height",
        type="integer",
        unit="px",
        minimum=4,
        maximum=65_536,
        help="Height of the picture before the percentage.",
    ),
    SettingDescription(
        name="resolution_percentage",
        title="Resolution scale",
        type="integer",
        unit="%",
        minimum=1,
        maximum=1000,
        help="Scale of width and height.",
    ),
    SettingDescription(
        name="samples",
        title="Samples",
        type="integer",
        unit="samples",
        minimum=1,
        maximum=1_000_000,
        help="Samples per pixel, of Cycles or EEVEE.",
    ),
    SettingDescription(
        name="engine", title="Engine", type="choice", choices=ENGINES, whole=True, help="The render engine."
    ),
    SettingDescription(
        name="format",
        title="File format",
        type="choice",
        choices=FORMATS,
        help="The picture's file format. Files that say “video” are rendered as PNG frames.",
    ),
    SettingDescription(
        name="denoising",
        title="Denoising",
        type="boolean",
        help="Cycles' denoising. A Blender that was built without the denoiser refuses a file that wants it.",
    ),
    SettingDescription(
        name="allow_missing",
        title="Allow missing files",
        type="boolean",
        default=False,
        whole=True,
        help="Render although files, linked data, nodes or colour views that the .blend names are missing "
        "(missing pictures become magenta).",
    ),
    SettingDescription(
        name="viewed",
        title="Also as seen",
        type="boolean",
        default=False,
        whole=True,
        help="Beside each OpenEXR or HDR picture a PNG through the scene's view transform, for videos.",
    ),
    *TILES,
    SettingDescription(
        name="stage",
        title="Stage",
        type="choice",
        choices=["render", "finish"],
        whole=True,
        help="`render`: passes only, without denoiser and compositor, as OpenEXR. `finish`: renders nothing, but "
        "denoises and composites the passes of the one frame that each waits for. `submit --tiles` chooses.",
    ),
    SettingDescription(
        name="bake",
        title="Bake",
        type="boolean",
        default=False,
        whole=True,
        help="No picture: simulate up to the frame's number, and bring the baked .blend with its caches, for a job "
        "that lays them over its own files.",
    ),
    SettingDescription(
        name="relocate",
        title="Old places",
        type="text",
        whole=True,
        help="The client fills this in: a JSON object, folder on the artist's machine → folder in the job.",
    ),
    SettingDescription(
        name="colours",
        title="Colour configuration",
        type="text",
        help="The client fills this in: the place in the job of the artist's own OpenColorIO configuration.",
    ),
    SettingDescription(
        name="sent_addons",
        title="Add-ons sent along",
        type="text",
        whole=True,
        help="The client fills this in: the add-ons that come with the job (folder `distren-addons`), with commas.",
    ),
    SettingDescription(
        name="outputs",
        title="Places at home",
        type="text",
        whole=True,
        help="The client fills this in: a JSON object. `places`: a list of `path` (a folder as the file names it), "
        "`folder` (which stands for it among a frame's files), `home` (the folder on the artist's machine); "
        "`video`: the file's format, if that is one.",
    ),
]


def description() -> MethodDescription:
    """Return what the method says of itself."""
    return MethodDescription(
        name="blender",
        title="Blender",
        help="Renders the frames of a .blend with Cycles, EEVEE or Workbench.",
        source_suffixes=[".blend"],
        settings=_SETTINGS,
        paths=PATHS,
    )
