"""Between renderer and outbox: check the pictures, make the thumbnail, pack the tar."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from farm.package.hashing import hash_file
from farm.package.results import pack
from farm.pictures.checker import Checker
from farm.pictures.facts import Facts
from farm.protocol.slaves import Finished
from farm.slave.fault import trouble
from farm.slave.held import Held
from farm.slave.opened import Done, Shape
from farm.slave.outbox import Outbox, Ready
from farm.words.states import FailureClass

log = structlog.get_logger(__name__)

Looked = dict[str, Facts]
"""What is known of a frame's files, by name."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A frame that left the renderer.

    Args:
        folder: the attempt's own folder; removed with everything in it when the frame is done.
        log: the end of what the renderer said.
        looked: what is known of its files, if somebody looked already.
        device: what Cycles rendered it on, as jobs name it; empty: another engine did.
    """

    frame: Held
    done: Done
    folder: Path
    log: str
    looked: Looked | None = None
    device: str = ""


async def look(checker: Checker, done: Done, folder: Path) -> Looked:
    """Look at all files of a frame, its pictures first.

    Its preview gets the thumbnail, or else the first picture that can be shown.

    Args:
        checker: decodes.
        done: the frame.
        folder: where the thumbnail goes.
    """
    thumbnail = folder / "thumbnail.webp"
    shown = await checker.check(done.preview, thumbnail) if done.preview else None
    looked: Looked = {}
    for name in sorted(done.files, key=lambda name: (name not in done.pictures, name.count("/"), name)):
        made = (shown and shown.thumbnail) or any(f.thumbnail for f in looked.values())
        facts = await checker.check(done.files[name], None if made else thumbnail)
        if shown and shown.ok and not looked:
            facts = replace(facts, thumbnail=shown.thumbnail, uniform=shown.uniform)
        looked[name] = _shaped(facts, done.pictures.get(name))
    return looked


def _shaped(facts: Facts, shape: Shape | None) -> Facts:
    """Return the facts, with what is wrong with a picture's size or channels."""
    if shape is None or not facts.ok or not facts.width:
        return facts
    wrong = shape.objection(facts.width, facts.height, facts.channels)
    return replace(facts, ok=False, message=wrong) if wrong else facts


def check(looked: Looked, rendered: Rendered) -> None:
    """Refuse a frame with a bad file.

    Raises:
        RendererFailed: names the file.
    """
    for name, facts in looked.items():
        if not facts.ok:
            message = f"{rendered.frame.title} has a bad file “{name}”: {facts.message}"
            raise trouble(message, FailureClass.SLAVE, rendered.log)


async def finish(rendered: Rendered, looked: Looked, outbox: Outbox) -> Ready:
    """Pack a checked frame into the outbox.

    A thread can't be stopped: a result that it still packs while the slave ends is kept for the next start,
    one that nobody wants any more goes as soon as it is there.
    """
    frame = rendered.frame
    keeping = asyncio.create_task(asyncio.to_thread(_keep, rendered, looked, outbox))
    try:
        ready = await asyncio.shield(keeping)
    except asyncio.CancelledError:
        keeping.add_done_callback(_unheard)
        if frame.revoked:
            keeping.add_done_callback(lambda _: outbox.remove(frame.attempt))
        raise
    outbox.add(ready)
    return ready


def _unheard(keeping: asyncio.Task[Ready]) -> None:
    """Take note of an error that matters to nobody: the result's file may have been taken from under the thread."""
    if not keeping.cancelled() and (error := keeping.exception()):
        log.debug("A result that nobody waits for was not kept", reason=repr(error))


def _keep(rendered: Rendered, looked: Looked, outbox: Outbox) -> Ready:
    frame, done = rendered.frame, rendered.done
    target = outbox.place(frame.attempt)
    try:
        sha256, size = _pack(target, rendered, looked)
    except OSError:
        target.unlink(missing_ok=True)
        raise
    main = next(iter(looked.values()), None)
    finished = Finished(
        attempt=frame.attempt,
        sha256=sha256,
        seconds=done.seconds,
        cpu_seconds=done.cpu_seconds,
        load_seconds=done.load_seconds,
        peak_memory_bytes=done.memory_bytes,
        pixels=_pixels(looked),
        uniform=main.uniform if main else False,
        device=rendered.device,
    )
    ready = Ready(frame.job, frame.number, size, finished, outbox.path(frame.attempt), frame.called, trace=frame.trace)
    outbox.keep(ready)
    return ready


def _pack(target: Path, rendered: Rendered, looked: Looked) -> tuple[str, int]:
    thumbnail = rendered.folder / "thumbnail.webp"
    log = rendered.folder / "log.txt"
    log.write_text(rendered.log, encoding="utf-8")
    with target.open("wb") as stream:
        made = any(f.thumbnail for f in looked.values())
        pack(stream, rendered.done.files, thumbnail if made else None, log if rendered.log else None)
    return hash_file(target)


def _pixels(looked: Looked) -> str | None:
    """Return one hash for all pictures of a frame; of a single one its own."""
    known = {name: f.pixels for name, f in sorted(looked.items()) if f.pixels}
    if len(known) <= 1:
        return next(iter(known.values()), None)
    return hashlib.sha256(repr(known).encode()).hexdigest()
