"""The renderers of this machine, and which of them fits a job."""

from __future__ import annotations

from pathlib import Path

import structlog

from farm.methods.base import MethodConfig, Offered
from farm.methods.registry import method
from farm.protocol.slaves import JobSheet
from farm.words.errors import NotASetup
from farm.words.settings import SlaveSettings

log = structlog.get_logger(__name__)


def probe(settings: SlaveSettings, cache: Path) -> list[Offered]:
    """Return the renderers that work here; runs each once, unless the cache file knows it.

    Raises:
        NotASetup: none works.
    """
    found: list[Offered] = []
    for name in settings.methods:
        programs = (*settings.blender, *settings.bpy) if name == "blender" else ()
        config = MethodConfig(programs=tuple(programs), search=not programs, cache=cache)
        found += method(name).offers(config)
    for one in found:
        log.info("Found a renderer", method=one.offer.method, version=one.offer.version, detail=one.offer.detail)
    if not found:
        raise NotASetup(
            f"No renderer for {', '.join(settings.methods)} was found.",
            hint="Install Blender, or name its path as `blender` in slave.conf; `distren doctor` looks again.",
        )
    return found


def choose(offered: list[Offered], sheet: JobSheet) -> Offered:
    """Return the renderer for a job: the wanted version, else the oldest newer one if that will do.

    Raises:
        NotASetup: none fits; the server should not have sent the job.
    """
    fitting = [o for o in offered if _fits(o, sheet)]
    if not fitting:
        wanted = " ".join(filter(None, [sheet.method, sheet.version, sheet.engine]))
        raise NotASetup(f"Job {sheet.job} needs {wanted}, which this slave does not have.")
    if not sheet.version:
        return fitting[0]
    return min(fitting, key=lambda o: (not _same(o.offer.version, sheet.version), _numbers(o.offer.version)))


def _fits(offered: Offered, sheet: JobSheet) -> bool:
    offer = offered.offer
    if offer.method != sheet.method or (sheet.engine and offer.engines and sheet.engine not in offer.engines):
        return False
    if not sheet.version or _same(offer.version, sheet.version):
        return True
    return sheet.newer and _numbers(offer.version) >= _numbers(sheet.version)


def _same(version: str, wanted: str) -> bool:
    numbers = _numbers(wanted)
    return _numbers(version)[: len(numbers)] == numbers


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
