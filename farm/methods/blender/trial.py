"""Try a Blender by rendering with it, and remember what came of it."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import structlog

from farm.methods.base import Device, Launch, Launcher
from farm.methods.blender.command import command
from farm.methods.blender.drivers import drivers

PROBE = Path(__file__).parent / "inside" / "probe.py"
SECONDS = 60.0
"""The longest that a trial may take: a cold start from a slow disk, not more."""

CARD_SECONDS = 600.0
"""The same with a graphics card: its driver may compile the renderer's kernels first."""

MARK = "\x1e"
FORMAT = 5
"""Raised when the meaning of the remembered answers changes."""

SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swiftshader", "software")
"""What drivers call themselves that draw on the processor, in lower case."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of trying a Blender; `problem` is empty if it works.

    Args:
        engines: those that rendered.
        drawer: what draws for EEVEE and Workbench, with its version; empty: nothing does.
        build: tells builds of one version apart.
        cards: the graphics cards that rendered with Cycles.
        cannot: what does not work here, and why, a sentence each.
    """

    version: str = ""
    engines: tuple[str, ...] = ()
    denoiser: bool = False
    drawer: str = ""
    cards: tuple[Device, ...] = ()
    cannot: tuple[str, ...] = ()
    problem: str = ""
    build: str = ""

    @property
    def software(self) -> bool:
        """EEVEE and Workbench are drawn on the processor."""
        return any(word in self.drawer.lower() for word in SOFTWARE)


def try_it(launcher: Launcher, cache: Path | None = None, *, cards: bool = False) -> Answer:
    """Run a Blender, ask for its version and engines, and render a few pixels with each.

    Args:
        launcher: what may be a Blender.
        cache: a file of earlier answers, by path, time of change, graphics cards and their drivers.
        cards: try graphics cards too.
    """
    remembered = _read(cache)
    key = _key(launcher, cards=cards)
    if key in remembered:
        return _answer(remembered[key])
    answer = _ask(launcher, cards=cards)
    if not answer.problem:
        _remember(cache, {**remembered, key: asdict(answer)})
    return answer


def _answer(known: dict[str, Any]) -> Answer:
    lists = {name: tuple(known[name]) for name in ("engines", "cannot")}
    return Answer(**{**known, **lists, "cards": tuple(Device(**card) for card in known["cards"])})


def _ask(launcher: Launcher, *, cards: bool) -> Answer:
    answers, said = _run(launcher)
    facts = answers[-1] if answers else {}
    if "version" not in facts:
        log.info("This is no Blender that works here", program=str(launcher.program), said=said[-300:])
        return Answer(problem=said or "It said nothing.")
    tried = _engines(launcher, facts["engines"])
    worked, refused = _cards(launcher, facts["cards"] if cards else [])
    return Answer(
        version=".".join(map(str, facts["version"])),
        engines=tuple(engine for engine in facts["engines"] if not tried.reasons.get(engine)),
        denoiser=bool(facts["denoiser"]),
        drawer=tried.drawer,
        cards=tuple(worked),
        build=str(facts.get("build", "")),
        cannot=(*(f"{engine}: {reason}" for engine, reason in tried.reasons.items()), *_lacking(facts), *refused),
    )


def _lacking(facts: dict[str, Any]) -> list[str]:
    return [] if facts["denoiser"] else ["Denoising: this Blender was built without OpenImageDenoise."]


@dataclass(slots=True)
class _Tried:
    """Why engines don't work; what draws."""

    reasons: dict[str, str]
    drawer: str = ""


def _engines(launcher: Launcher, engines: list[str]) -> _Tried:
    """Render with each engine.

    EEVEE on the processor compiles its shaders for up to a minute, for the same drawing as
    Workbench's: there, Workbench stands for both.
    """
    eevee = [engine for engine in engines if engine.startswith("BLENDER_EEVEE")]
    tried = _Tried({})
    _render(launcher, [engine for engine in engines if engine not in eevee], tried)
    broken = tried.reasons.get("BLENDER_WORKBENCH", "")
    if broken:
        tried.reasons |= dict.fromkeys(eevee, broken)
    elif not Answer(drawer=tried.drawer).software:
        _render(launcher, eevee, tried)
    return tried


def _render(launcher: Launcher, engines: list[str], tried: _Tried) -> None:
    """Try engines in one process, and what is left in another one if an engine takes the process along."""
    while engines:
        answers, said = _run(launcher, "--try", *engines)
        for answer in answers:
            if "tried" in answer:
                engines = [engine for engine in engines if engine != answer["tried"]]
                tried.drawer = tried.drawer or answer["gl"]
                if not answer["drawn"]:
                    tried.reasons[answer["tried"]] = answer["reason"] or "It rendered nothing."
        if engines:
            tried.reasons[engines.pop(0)] = _last_line(said)


def _cards(launcher: Launcher, listed: list[dict[str, str]]) -> tuple[list[Device], list[str]]:
    """Render with Cycles on each card by each of its kinds; return those that work, and what does not."""
    worked, refused = [], []
    for device in (Device(**card) for card in listed):
        reason = try_card(launcher, device)
        if reason:
            refused.append(f"{device}: {reason}")
        else:
            worked.append(device)
    return worked, refused


def try_card(launcher: Launcher, device: Device) -> str:
    """Render a few pixels with Cycles on a card; return why that does not work, else an empty text."""
    return _reason(*_run(launcher, *card_trial(device), seconds=CARD_SECONDS))


def try_engine(launcher: Launcher, folder: Path, addon: str, engine: str) -> str:
    """Render a few pixels with an add-on's engine; return why that does not work, else an empty text."""
    return _reason(*_run(launcher, "--addon", str(folder.absolute()), addon, "--try", engine))


def card_trial(device: Device) -> tuple[str, ...]:
    """Return the probe's arguments that try a card."""
    return "--card", device.kind, device.id


def try_launch(launch: Launch) -> str:
    """Run a trial of a card as sessions are run here; return why that does not work, else an empty text."""
    return _reason(*_answered(launch.argv, launch.env, launch.cwd, CARD_SECONDS))


def _reason(answers: list[dict[str, Any]], said: str) -> str:
    for answer in answers:
        if "tried" in answer:
            return "" if answer["drawn"] else answer["reason"] or "It rendered nothing."
    return _last_line(said)


def _last_line(said: str) -> str:
    return (said.strip().splitlines() or ["It ended without a word."])[-1][:200]


def _run(launcher: Launcher, *arguments: str, seconds: float = SECONDS) -> tuple[list[dict[str, Any]], str]:
    return ask(launcher, PROBE, *arguments, seconds=seconds)


def ask(
    launcher: Launcher, script: Path, *arguments: str, seconds: float = SECONDS
) -> tuple[list[dict[str, Any]], str]:
    """Run a script of ours in a Blender; return its answers, and all that was said, else how it ended."""
    with tempfile.TemporaryDirectory(prefix="distren-probe-") as home:
        env = {
            **os.environ,
            "BLENDER_USER_RESOURCES": home,
            "BLENDER_USER_CONFIG": home,
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return _answered(command(launcher, script, arguments), env, Path(home), seconds)


def _answered(argv: list[str], env: dict[str, str], cwd: Path, seconds: float) -> tuple[list[dict[str, Any]], str]:
    try:
        done = subprocess.run(argv, capture_output=True, timeout=seconds, cwd=cwd, env=env, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as error:
        return _answers(error.stdout or b""), str(error)
    except OSError as error:
        return [], str(error)
    said = (done.stdout + done.stderr).decode(errors="replace").strip()
    return _answers(done.stdout), said or f"It ended with code {done.returncode}."


def _answers(output: bytes) -> list[dict[str, Any]]:
    text = output.decode(errors="replace")
    return [json.loads(line[1:]) for line in text.split("\n") if line.startswith(MARK)]


def _key(launcher: Launcher, *, cards: bool) -> str:
    stat = launcher.program.stat()
    # For bpy, the interpreter never changes: the folder where packages are installed does.
    home = launcher.program.parent.parent
    packages = [*home.glob("lib/python3*/site-packages/bpy"), *home.glob("Lib/site-packages/bpy")]
    times = (
        [stat.st_mtime_ns, *(p.stat().st_mtime_ns for p in packages)] if launcher.kind == "bpy" else [stat.st_mtime_ns]
    )
    machine = [cards, drivers()]
    return json.dumps([FORMAT, launcher.kind, str(launcher.program.absolute()), stat.st_size, *times, *machine])


def _read(cache: Path | None) -> dict[str, Any]:
    try:
        known = json.loads(cache.read_text()) if cache else {}
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _remember(cache: Path | None, known: dict[str, Any]) -> None:
    if cache is None:
        return
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        part = cache.with_name(f"{cache.name}.{os.getpid()}")
        part.write_text(json.dumps(known))
        part.replace(cache)
    except OSError as error:
        log.warning("What was found out about the Blenders here can't be kept", file=str(cache), error=str(error))
