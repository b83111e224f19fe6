"""The kinds of video, and how ffmpeg makes each."""

from __future__ import annotations

from dataclasses import dataclass

_EVEN = "crop=trunc(iw/2)*2:trunc(ih/2)*2"
"""Colour at half the resolution needs an even width and height: at most one row and column go."""

_COLOURS = "scale=out_color_matrix=bt709:out_range=tv"
_SAID = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
"""What players take for granted that are not told otherwise; and they are told."""

_TOLD = ("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv")


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of video.

    Args:
        suffix: of its files.
        title: for people.
        encoders: those that can make it, the best first.
        options: of all of them.
        of: options of single encoders.
        pixels: the layout of pixels; with alpha the second, if there is one.
        audio: the encoder of sound; empty: it has none.
    """

    suffix: str
    title: str
    encoders: tuple[str, ...]
    options: tuple[str, ...]
    of: dict[str, tuple[str, ...]]
    pixels: tuple[str, ...]
    audio: str = ""

    def picture(self, encoder: str, *, alpha: bool, quality: int | None) -> list[str]:
        """Return ffmpeg's options for the pictures.

        Args:
            encoder: one of its encoders.
            alpha: the pictures are transparent in places.
            quality: the encoder's own number, lower is better; None: as the format has it.
        """
        if self.suffix == ".gif":
            return ["-vf", "split[a][b];[a]palettegen[p];[b][p]paletteuse=dither=sierra2_4a"]
        layout = self.pixels[-1] if alpha else self.pixels[0]
        # Where there is no alpha to keep, what is transparent becomes black.
        flat = ["premultiply=inplace=1"] if alpha and len(self.pixels) == 1 else []
        filters = ",".join([*flat, _EVEN, _COLOURS, f"format={layout}", _SAID])
        own = list(self.of.get(encoder, ()))
        if quality is not None and "-crf" in own:
            own[own.index("-crf") + 1] = str(quality)
        return ["-vf", filters, "-c:v", encoder, *own, *_TOLD, *self.options]


FORMATS = {
    "mp4": Format(
        suffix=".mp4",
        title="H.264, for all browsers and players",
        encoders=("libx264",),
        options=("-movflags", "+faststart"),
        of={"libx264": ("-crf", "18", "-preset", "medium")},
        pixels=("yuv420p",),
        audio="aac",
    ),
    "av1": Format(
        suffix=".mp4",
        title="AV1, smaller; for newer browsers",
        encoders=("libsvtav1", "libaom-av1"),
        options=(
            # Not all versions of the encoders write down what they are told of colours.
            *("-bsf:v", "av1_metadata=color_primaries=1:transfer_characteristics=1:matrix_coefficients=1"),
            *("-movflags", "+faststart"),
        ),
        of={
            "libsvtav1": ("-crf", "28", "-preset", "7"),
            "libaom-av1": ("-crf", "28", "-b:v", "0", "-cpu-used", "6", "-row-mt", "1"),
        },
        pixels=("yuv420p",),
        audio="aac",
    ),
    "prores": Format(
        suffix=".mov",
        title="Apple ProRes, for cutting; with alpha 4444, else 422 HQ",
        encoders=("prores_ks",),
        options=("-vendor", "apl0"),
        of={},
        pixels=("yuv422p10le", "yuva444p10le"),
        audio="pcm_s16le",
    ),
    "webm": Format(
        suffix=".webm",
        title="VP9, for browsers; keeps alpha",
        encoders=("libvpx-vp9",),
        options=(),
        of={"libvpx-vp9": ("-crf", "24", "-b:v", "0", "-deadline", "good", "-cpu-used", "4", "-row-mt", "1")},
        pixels=("yuv420p", "yuva420p"),
        audio="libopus",
    ),
    "gif": Format(suffix=".gif", title="GIF, short loops", encoders=("gif",), options=(), of={}, pixels=("rgb8",)),
}
"""By the names that a job gives them."""
