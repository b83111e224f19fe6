"""The `video` render method: encodes the pictures of other frames by ffmpeg."""

from __future__ import annotations

from farm.methods.base import MethodConfig, Offered
from farm.methods.combining import CombiningMethod
from farm.methods.video.find import find
from farm.methods.video.formats import FORMATS
from farm.protocol.methods import MethodDescription, SettingDescription

_SETTINGS = [
    SettingDescription(
        name="format",
        title="Kind of video",
        type="choice",
        choices=list(FORMATS),
        default="mp4",
        help="; ".join(f"{name}: {form.title}" for name, form in FORMATS.items()) + ".",
    ),
    SettingDescription(
        name="fps",
        title="Frame rate",
        type="number",
        unit="1/s",
        default=24.0,
        minimum=0.01,
        maximum=1000,
        help="Pictures per second.",
    ),
    SettingDescription(
        name="quality",
        title="Quality",
        type="integer",
        minimum=0,
        maximum=63,
        help="The encoder's number (CRF): lower is better and larger. H.264 18, VP9 24, AV1 28 if nobody says.",
    ),
    SettingDescription(name="name", title="Name", type="text", help="The video's name, before its suffix."),
]


class VideoMethod(CombiningMethod):
    """Makes videos, where there is an ffmpeg."""

    name = "video"

    def describe(self) -> MethodDescription:
        """Return the name, help and declared settings."""
        return MethodDescription(
            name=self.name,
            title="Video",
            help="Encodes the pictures of the frames that a frame waits for, in the order of their numbers. The "
            "job's source, if there is one, is the sound.",
            source_suffixes=[],
            combines=True,
            settings=_SETTINGS,
        )

    def offers(self, found: MethodConfig) -> list[Offered]:
        """Return the ffmpegs that work here."""
        return find(found)


METHOD = VideoMethod()
