"""The add-ons that a job needs, in words."""

from __future__ import annotations

from farm.protocol.jobs import Requirement


def words(requires: Requirement) -> str:
    """Return the add-ons that a job needs, to end a phrase with: ` and the add-on studio_rig 2.1.0`."""
    names = [addon.replace("=", " ") for addon in requires.addons]
    return f" and the add-on{'s' if len(names) > 1 else ''} {', '.join(names)}" if names else ""
