"""Watch render engines that are Python: where one raises, Blender keeps a black picture and calls it finished."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Callable, Iterator  # noqa: UP035  (this Python may be 3.10)

import bpy

from farm.methods.inside.trouble import Trouble

_raised: list[Exception] = []


def watch() -> None:
    """Note what engines raise from now on; those that are watched already stay so."""
    for kind in bpy.types.RenderEngine.__subclasses__():
        for step, watched in (("update", _update), ("render", _render)):
            method = vars(kind).get(step)
            if callable(method) and method.__module__ != __name__:
                setattr(kind, step, watched(method))


def check(picture: int) -> None:
    """Raise Trouble if an engine raised since the last check."""
    if _raised:
        first = _raised[0]
        _raised.clear()
        raise Trouble(f"The engine broke off frame {picture}: {type(first).__name__}: {first}")


# Blender passes as many arguments as a method declares, so that these declare what its manual says.
def _update(method: Callable[..., Any]) -> Callable[..., Any]:
    def update(self: Any, data: Any, depsgraph: Any) -> None:
        with _noted():
            method(self, data, depsgraph)

    return update


def _render(method: Callable[..., Any]) -> Callable[..., Any]:
    def render(self: Any, depsgraph: Any) -> None:
        with _noted():
            method(self, depsgraph)

    return render


@contextmanager
def _noted() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # an engine may raise anything; Blender would swallow it
        _raised.append(error)
        raise
