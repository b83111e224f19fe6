"""The render methods: each folder here that has a `method.py`, and those of other packages.

A folder's or package's module has `METHOD`, an object with the face of :class:`farm.methods.base.Method`.
Packages name it as an entry point of the group `distren.methods`.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import structlog

import farm.methods
from farm.methods.base import Method
from farm.words.errors import BadSetting

GROUP = "distren.methods"
"""The group of entry points."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")

log = structlog.get_logger(__name__)


def _folders() -> Iterator[Method]:
    for place in farm.methods.__path__:
        for found in pkgutil.iter_modules([place]):
            if (Path(place) / found.name / "method.py").is_file():
                yield importlib.import_module(f"farm.methods.{found.name}.method").METHOD


def _packages() -> Iterator[Method]:
    """Yield the methods of other packages; what is wrong with one is said, and takes no other along."""
    for entry in sorted(importlib.metadata.entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value)):
        try:
            found: Method = entry.load()
            fits = _NAME.fullmatch(found.name) and found.describe().name == found.name
        except Exception as error:  # noqa: BLE001  a stranger's package may raise anything
            log.warning("A render method does not work", package=entry.value, reason=f"{type(error).__name__}: {error}")
            continue
        if fits:
            yield found
        else:
            log.warning("A render method is not called as it says", package=entry.value, name=found.name)


def _all() -> dict[str, Method]:
    known = {found.name: found for found in _folders()}
    for found in _packages():
        if found.name in known:
            log.warning("A render method of this name is here already", name=found.name)
        known.setdefault(found.name, found)
    return known


METHODS: dict[str, Method] = _all()
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
