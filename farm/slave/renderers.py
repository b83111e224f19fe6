"""The renderers of this machine, and which of them fits a job."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import structlog

from farm.methods.base import MethodConfig, Offered
from farm.methods.registry import METHODS, method
from farm.protocol.slaves import JobSheet, Offer
from farm.slave import devices
from farm.words.errors import BadSetting, NotASetup
from farm.words.settings import SlaveSettings

log = structlog.get_logger(__name__)


def probe(settings: SlaveSettings, cache: Path, installed: Path | None = None) -> list[Offered]:
    """Return the renderers that work here; runs each once, unless the cache file knows it.

    Args:
        settings: slave.conf.
        cache: the file that remembers what was tried.
        installed: the folder of renderers that the slave installed by itself.

    Raises:
        NotASetup: none works.
    """
    found: list[Offered] = []
    environments = (installed,) if installed else ()
    for name in methods_of(settings):
        programs = _programs(settings, name)
        config = MethodConfig(
            programs=tuple(programs),
            search=not programs,
            addons=settings.addons,
            environments=environments,
            cache=cache,
            cards=settings.gpus != [devices.NONE],
        )
        found += method(name).offers(config)
    if not any(one.offer.method in _renderers(settings) for one in found) and not _comes(settings):
        raise NotASetup(
            f"No renderer for {', '.join(_renderers(settings))} was found.",
            hint="Install Blender or POV-Ray, or name its path in slave.conf; `distren doctor` looks again. With "
            "methods = image, video a slave only puts tiles together and makes videos.",
        )
    chosen = devices.selected(found, settings)
    for one in chosen:
        _told(one.offer)
    return chosen


def methods_of(settings: SlaveSettings) -> list[str]:
    """Return the methods to offer; what only waits is for those who ask for it."""
    return settings.methods or [name for name in METHODS if name != "sleep"]


def _renderers(settings: SlaveSettings) -> list[str]:
    """Return the methods of which one must be here: those that render; else those that only combine files."""
    wanted = methods_of(settings)
    return [name for name in wanted if not method(name).describe().combines] or wanted


def _programs(settings: SlaveSettings, name: str) -> Sequence[Path]:
    """Return the renderers of a method that a person named.

    Raises:
        BadSetting: a program is not given with its method.
    """
    named = {
        "blender": (*settings.blender, *settings.bpy),
        "povray": settings.povray,
        "video": settings.ffmpeg,
    }
    pairs = [text.partition("=") for text in settings.programs]
    for kind, found, _ in pairs:
        if not found:
            raise BadSetting(f"programs: “{kind}” names no method.", hint="Write programs = gnuplot=/opt/bin/gnuplot.")
    return (*named.get(name, ()), *(Path(path).expanduser() for kind, _, path in pairs if kind == name))


def _told(offer: Offer) -> None:
    renderer = {"method": offer.method, "version": offer.version}
    facts = {"engines": offer.engines, "cards": offer.devices, "in_software": offer.software}
    log.info("Found a renderer", **renderer, detail=offer.detail, **facts)
    for reason in offer.cannot:
        log.warning("Not offered", **renderer, reason=reason)


def _comes(settings: SlaveSettings) -> bool:
    """Tell whether a renderer may be installed yet."""
    return settings.provision and any(method(name).installs() for name in methods_of(settings))


def choose(offered: list[Offered], sheet: JobSheet, card: str = "") -> Offered:
    """Return the renderer for a job: the wanted version, else the oldest newer one if that will do.

    Args:
        offered: the renderers here.
        sheet: the job.
        card: the graphics card that it is to render on; empty: the processor.

    Raises:
        NotASetup: none fits; the server should not have sent the job.
    """
    fitting = [o for o in offered if _fits(o, sheet) and _has(o, sheet, card)]
    if not fitting:
        wanted = " ".join(filter(None, [sheet.method, sheet.version, sheet.engine]))
        raise NotASetup(f"Job {sheet.called} needs {wanted}, which this slave does not have.")
    if not sheet.version:
        return fitting[0]
    return min(fitting, key=lambda o: (not _same(o.offer.version, sheet.version), _numbers(o.offer.version)))


def _fits(offered: Offered, sheet: JobSheet) -> bool:
    offer = offered.offer
    if offer.lacks(sheet.addons):
        return False
    if offer.method != sheet.method or (sheet.engine and offer.engines and sheet.engine not in offer.engines):
        return False
    if not sheet.version or _same(offer.version, sheet.version):
        return True
    return sheet.newer and _numbers(offer.version) >= _numbers(sheet.version)


def _has(offered: Offered, sheet: JobSheet, card: str) -> bool:
    """Tell whether a renderer reaches a card; only Cycles has to."""
    return not card or not sheet.engine.startswith("CYCLES") or devices.way(offered, card, sheet.device) is not None


def _same(version: str, wanted: str) -> bool:
    numbers = _numbers(wanted)
    return _numbers(version)[: len(numbers)] == numbers


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
