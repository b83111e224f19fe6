"""The scenes, and the reference that they are compared with."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

LAST = 1_000_000
"""Frames of each scene; which of them are rendered, the server draws by lot."""

_HERE = Path(__file__).parent


class Scene(BaseModel):
    """A scene for one render method, and the CPU time that the reference machine takes for a frame of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    sha256: str
    renderer: str
    version: str
    engine: str
    device: str
    settings: dict[str, Any]
    cpu_seconds: float

    @property
    def path(self) -> Path:
        """The scene's file."""
        return _HERE / self.file


class Reference(BaseModel):
    """What a point is: a CPU-minute of this machine. Changing it would change what new points mean; see the docs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    machine: str
    scenes: dict[str, Scene]

    def scene(self, key: str) -> Scene:
        """Return the scene that is rated by a key: a method's, or `METHOD/WAY` for a way to graphics cards."""
        return self.scenes.get(key) or self.scenes[f"{key.partition('/')[0]}/gpu"]


@cache
def reference() -> Reference:
    """Return the reference in force."""
    return Reference.model_validate_json((_HERE / "reference.json").read_bytes())
