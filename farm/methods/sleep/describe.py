"""What the `sleep` method says of itself."""

from __future__ import annotations

from farm.protocol.methods import MethodDescription, SettingDescription


def description() -> MethodDescription:
    """Return the name, help and declared settings."""
    return MethodDescription(
        name="sleep",
        title="Sleep",
        help="Waits instead of rendering, and writes a small picture per frame. To try a farm, and its faults.",
        source_suffixes=[],
        settings=_numbers() + [_frames(*facts) for facts in _FAULTS],
    )


_FAULTS = (
    ("fail_frames", "Frames that fail", "Frames that fail as by the job's own fault, e.g. 3,7."),
    ("crash_frames", "Frames that crash", "Frames at which the renderer's process kills itself."),
    ("hang_frames", "Frames that hang", "Frames that never end."),
    ("hungry_frames", "Frames that need memory", "Frames that need 1 GB of memory."),
    ("flat_frames", "Frames of one colour", "Frames whose picture has one colour only."),
    ("drift_frames", "Frames that drift", "Frames whose picture is another one in a session that rendered before."),
)


def _numbers() -> list[SettingDescription]:
    seconds = SettingDescription(
        name="seconds", title="Seconds", type="number", unit="s", default=1.0, minimum=0, maximum=86400,
        help="How long each frame takes.",
    )  # fmt: skip
    spread = SettingDescription(
        name="spread", title="Spread", type="number", default=0.0, minimum=0, maximum=1,
        help="By which part of the seconds frames differ, up and down.",
    )  # fmt: skip
    size = SettingDescription(
        name="output_bytes", title="Output size", type="integer", unit="bytes", default=0, minimum=0, maximum=10**9,
        help="How large the picture's file is at least.",
    )  # fmt: skip
    return [seconds, spread, size]


def _frames(name: str, title: str, text: str) -> SettingDescription:
    return SettingDescription(name=name, title=title, type="text", help=text, default="")
