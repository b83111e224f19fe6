"""The render methods that this version has."""

from __future__ import annotations

from farm.methods.base import Method
from farm.methods.blender.method import BlenderMethod
from farm.methods.image.method import ImageMethod
from farm.methods.povray.method import PovrayMethod
from farm.methods.sleep.method import SleepMethod
from farm.methods.video.method import VideoMethod
from farm.words.errors import BadSetting

_KNOWN: tuple[Method, ...] = (BlenderMethod(), PovrayMethod(), ImageMethod(), VideoMethod(), SleepMethod())

METHODS: dict[str, Method] = {method.name: method for method in _KNOWN}
"""Every method by its name."""


def method(name: str) -> Method:
    """Return the method with this name.

    Raises:
        BadSetting: there is none.
    """
    try:
        return METHODS[name]
    except KeyError:
        raise BadSetting(f"There is no render method “{name}”.", hint=f"Use one of: {', '.join(METHODS)}.") from None
