"""Checking what strangers' slaves return: a part of it is rendered once more elsewhere, by a job of the farm's own.

That job is one like others: leased by the same rules, after the same turns, to slaves that are named by it. Its owner
is a user whom nobody can log in as, so that it takes a turn of its own from nobody, and who renders it earns for it.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import Connection, Row, insert, literal, select, update

from blender_addon import tiling
from farm.database import numbers
from farm.database.handle import Database
from farm.database.memory import memory
from farm.database.schema import (
    attempts,
    frames,
    job_files,
    jobs,
    possessions,
    result_files,
    spot_checks,
)
from farm.files.store import BlobStore
from farm.jobs import checkers, doubts, itself
from farm.jobs.files import insert_once
from farm.pictures.checker import Checker
from farm.protocol.jobs import Requirement
from farm.scheduler import bulk, jobrow, jobstate, tally
from farm.scheduler.checkrules import DAMAGED, Drawn, Picture, comparable, ruling, tie
from farm.scheduler.checks import PATIENCE
from farm.scheduler.fairness import LAST
from farm.scheduler.frames import insert_frames
from farm.words.checks import CheckState
from farm.words.ranges import FrameRange
from farm.words.states import JOB_ENDED, AttemptState, JobState

GRID = "4x4"
"""A check renders one of so many tiles, where that can be."""

AT_ONCE = 20
"""Checks that are begun at once."""

_LOSSLESS = (".png", ".exr", ".tif", ".tiff", ".bmp", ".tga")
_PICTURES = (*_LOSSLESS, ".jpg", ".jpeg", ".webp", ".jp2", ".sgi", ".rgb")
_TILED = ("blender", "povray")
_COPIED = ("revision", "requires", "pinned", "limits", "source", "priority", "sets")


@dataclass(frozen=True, slots=True)
class Ended:
    """A check whose job has ended: what is to be compared."""

    check: Any
    job_state: JobState
    attempt: int = 0
    slave: int | None = None
    picture: bytes | None = None


async def work(database: Database, store: BlobStore, checker: Checker, at: int, *, strangers: bool) -> None:
    """Go on with all checks: compare what was rendered, and have more rendered.

    Args:
        database: where they are.
        store: the pictures.
        checker: decodes these.
        at: now, µs.
        strangers: users don't know each other; else peers' slaves alone are checked, and only by slaves that idle.
    """
    for one in await database.read(_ended):
        both = [await _picture_of(store, checker, one.check, hashed) for hashed in (one.check.picture, one.picture)]
        await database.write(partial(settle, one=one, checked=both[0], drawn=both[1], at=at))
    if await database.read(_any_open):
        await database.write(partial(withdraw, at=at, strangers=strangers))
        await database.write(partial(reconsider, at=at, strangers=strangers))
        await database.write(partial(begin, at=at, strangers=strangers))


async def _picture_of(store: BlobStore, checker: Checker, check: Any, hashed: bytes | None) -> Picture:
    """Return a part of a picture; what can't be decoded has a hash that no picture has."""
    if hashed is None:
        return Picture("")
    facts = await checker.part(await asyncio.to_thread(store.local, hashed.hex()), check.tile)
    return Picture(facts.pixels or "", facts.sketch, facts.grain) if facts.ok else Picture(DAMAGED)


def _ended(conn: Connection) -> Sequence[Ended]:
    query = select(spot_checks, jobs.c.state.label("job_state")).join(jobs, jobs.c.number == spot_checks.c.work)
    over = jobs.c.state.in_([state.value for state in JOB_ENDED])
    rows = conn.execute(query.where(spot_checks.c.state == CheckState.RENDERING.value, over).limit(AT_ONCE))
    return [_with_picture(conn, row) for row in rows]


def _with_picture(conn: Connection, row: Row[Any]) -> Ended:
    won = attempts.c.job == row.work, attempts.c.state == AttemptState.WON.value
    found = conn.execute(select(attempts.c.id, attempts.c.slave).where(*won)).first()
    if found is None:
        return Ended(row, JobState(row.job_state))
    return Ended(row, JobState(row.job_state), found.id, found.slave, _picture(conn, found.id, row.name))


def _pictures(conn: Connection, attempt: int) -> dict[str, bytes]:
    """Return what an attempt rendered: its pictures by name, or all of its files if none of these is known as one."""
    c = result_files.c
    query = select(c.name, c.hash).where(c.attempt == attempt, c.role == "output").order_by(c.name)
    found = {row.name: row.hash for row in conn.execute(query)}
    pictures = {name: hashed for name, hashed in found.items() if PurePosixPath(name).suffix.lower() in _PICTURES}
    return pictures or found


def _picture(conn: Connection, attempt: int, name: str) -> bytes | None:
    """Return one of an attempt's pictures; a tile's is its only one, however it is called."""
    found = _pictures(conn, attempt)
    return found.get(name) or (next(iter(found.values())) if len(found) == 1 else None)


def settle(conn: Connection, one: Ended, checked: Picture, drawn: Picture, at: int) -> None:
    """Rule on a check after one more slave has drawn its part.

    Args:
        conn: the writer's.
        one: the check.
        checked: what is checked.
        drawn: what was drawn now.
        at: now, µs.
    """
    check = one.check
    untiled = one.job_state is JobState.FAILED or (one.job_state is JobState.DONE and not checked.pixels)
    if check.build and not (one.slave and comparable(checked, drawn)):
        _become(conn, check, CheckState.DOUBTED, said="A slave of its build could not render it again.")
    elif check.tile and untiled:  # it can't be rendered in tiles, or not be cut: an EXR with losses
        _become(conn, check, CheckState.DUE, tile="", drawn="[]")
    elif one.job_state is not JobState.DONE or one.slave is None or not comparable(checked, drawn):
        why = "Nothing in it can be compared." if one.job_state is JobState.DONE else "It could not be rendered again."
        _become(conn, check, CheckState.UNDECIDED, said=why)
    else:
        _rule(conn, one, checked, drawn, at)
    if one.job_state is not JobState.DELETED:
        bulk.delete(conn, check.work, at)


def _rule(conn: Connection, one: Ended, checked: Picture, picture: Picture, at: int) -> None:
    check, requires = one.check, doubts.requirement(conn, one.check.job)
    # Radiosity and photons differ from render to render, and scenes with these can't be rendered in tiles.
    steady = requires.method != "povray" or bool(check.tile)
    assert one.slave is not None
    drawn = [*map(Drawn.read, json.loads(check.drawn)), _drawn(conn, one, picture, requires, steady=steady)]
    again = bool(check.build) and doubts.build_of(conn, one.slave, requires) == check.build
    state = ruling(checked, drawn, steady=steady, again=again)
    values: dict[str, Any] = {"said": tie(checked, drawn) if state is CheckState.UNDECIDED else ""}
    if state is CheckState.DOUBTED:
        build = check.build or doubts.build_of(conn, check.slave, requires) or requires.method
        values = {"build": build, "other": one.picture, "said": "A slave of its build drew otherwise, too." * again}
        if doubts.trusts(conn, check.slave, build) and not any(each.kin or each.like for each in drawn):
            state, values = CheckState.UNDECIDED, {"said": doubts.TRUSTED}
        else:
            doubts.tell(conn, check, build, at)
    _become(conn, check, state, drawn=json.dumps([asdict(each) for each in drawn]), **values)


def _become(conn: Connection, check: Any, state: CheckState, **values: Any) -> None:
    if state not in (CheckState.DUE, CheckState.RENDERING, CheckState.DOUBTED):
        values |= {"picture": None, "other": None}
    where = spot_checks.c.attempt == check.attempt, spot_checks.c.state == check.state
    conn.execute(update(spot_checks).where(*where).values(state=state.value, **values))


def _drawn(conn: Connection, one: Ended, drawn: Picture, requires: Requirement, *, steady: bool) -> Drawn:
    """Return what was drawn, and whether it must be the same as what is checked, as far as is known."""
    both = (conn, one.attempt, one.check.attempt, requires)
    like, kin = steady and checkers.alike(*both), steady and checkers.kin(*both)
    assert one.slave is not None
    return Drawn(one.slave, drawn.pixels, like, drawn.sketch, drawn.grain, kin)


def _any_open(conn: Connection) -> bool:
    opened = spot_checks.c.state.in_([CheckState.DUE.value, CheckState.RENDERING.value, CheckState.DOUBTED.value])
    return conn.execute(select(spot_checks.c.attempt).where(opened).limit(1)).first() is not None


def _some(conn: Connection, state: CheckState) -> Sequence[Any]:
    """Return some checks in a state: each time those after the last ones, so that none keeps others waiting."""
    seen: dict[CheckState, int] = memory(conn).shelf.setdefault("checks", {})
    query = select(spot_checks).where(spot_checks.c.state == state.value).order_by(spot_checks.c.attempt)
    query = query.limit(AT_ONCE)
    later = query.where(spot_checks.c.attempt > seen[state]) if state in seen else query
    rows = conn.execute(later).all() or conn.execute(query).all()
    seen |= {state: rows[-1].attempt} if rows else {}
    return rows


def withdraw(conn: Connection, at: int, *, strangers: bool = True) -> None:
    """Take back what slaves were to render that never will: they went, or their owners lend them otherwise now."""
    for check in _some(conn, CheckState.RENDERING):
        work = conn.execute(select(jobs).where(jobs.c.number == check.work)).one()
        if JobState(work.state) in JOB_ENDED or tally.stored(conn, work.number).leased:
            continue
        job = conn.execute(select(jobs).where(jobs.c.number == check.job)).one()
        there = checkers.able(conn, check, job, work.owner, strangers=strangers) & set(json.loads(work.slaves))
        if not there or at > check.at + PATIENCE:
            bulk.delete(conn, work.number, at)
            _become(conn, check, CheckState.DUE, work=None)


def reconsider(conn: Connection, at: int, *, strangers: bool = True) -> None:
    """Have those of the same build look at what is in doubt, once one of them is there."""
    some = _some(conn, CheckState.DOUBTED)
    if some:
        doubts.reconsider(conn, some, itself.user(conn, at), at, strangers=strangers)


def begin(conn: Connection, at: int, *, strangers: bool = True) -> None:
    """Have parts of due checks rendered by slaves that may check them."""
    farm = itself.user(conn, at)
    for check in _some(conn, CheckState.DUE):
        job = conn.execute(select(jobs).where(jobs.c.number == check.job)).one()
        pictures = _pictures(conn, check.attempt)
        name = check.name if check.name in pictures else secrets.choice(sorted(pictures) or [""])
        picture = pictures.get(name)
        why = _hopeless(check, job, picture, at)
        if why and not check.build:
            _become(conn, check, CheckState.UNDECIDED, said=why)
            continue
        fresh = check.picture is None
        tile = _tile(conn, check, job, list(pictures)) if fresh else check.tile
        who = checkers.able(conn, check, job, farm, strangers=strangers)
        if check.build:  # it was in doubt, and is again if those of its build went meanwhile
            who = set() if why else doubts.same_build(conn, who, check.build)
            if not who:
                _become(conn, check, CheckState.DOUBTED, said=why)
        if who:
            number = _job(conn, check, job, tile, who, farm, at)
            if not strangers:  # a team's own work comes first
                conn.execute(update(jobs).where(jobs.c.number == number).values(rush=LAST))
            _become(conn, check, CheckState.RENDERING, name=name, picture=picture, tile=tile, work=number)


def _hopeless(check: Any, job: Row[Any], picture: bytes | None, at: int) -> str:
    if job.state == JobState.DELETED:
        return "Its job was deleted."
    if job.let_go is not None:
        return "Its job's files were let go."
    if job.depends is not None:
        return "It needs files of other frames."
    if picture is None:
        return "It has no picture."
    return "For 7 days, no slave could check it." if at > check.at + PATIENCE else ""


def _tile(conn: Connection, check: Any, job: Row[Any], names: Collection[str]) -> str:
    """Return which part is compared, drawn by lot; empty: all of it, where tiles can't be, or could not be before."""
    method = jobrow.requirement(job.requires).method
    parts = select(job_files.c.job).where(job_files.c.job == job.number, job_files.c.frames.is_not(None)).limit(1)
    whole = method not in _TILED or job.sets or "tiles" in json.loads(job.settings) or conn.execute(parts).first()
    if whole or len(names) > 1 or any(PurePosixPath(name).suffix.lower() not in _LOSSLESS for name in names):
        return ""
    c = spot_checks.c
    before = select(c.attempt).where(c.slave == check.slave, c.job == check.job, c.name != "", c.tile == "").limit(1)
    if conn.execute(before).first():
        return ""
    columns, rows = tiling.grid(GRID)
    return f"{GRID}/{secrets.randbelow(columns * rows)}"


def _job(conn: Connection, check: Any, job: Row[Any], tile: str, who: Collection[str], owner: int, at: int) -> int:
    """Make the job that renders a part of a frame once more; return its number."""
    number = numbers.take(conn, "job")
    place = frames.c.job == check.job, frames.c.number == check.frame
    frame = conn.execute(select(frames.c.picture, frames.c.set, frames.c.number).where(*place)).one()
    settings, picture, shift = json.loads(job.settings), frame.picture, frame.number - frame.picture
    if tile:
        step = tiling.step(picture)
        settings |= {"tiles": GRID, "tile_step": step}
        picture += step * int(tile.partition("/")[2])
        shift = 0
    row = {name: getattr(job, name) for name in _COPIED}
    requires = checkers.needed(jobrow.requirement(job.requires), checkers.owner_of(conn, check.slave).name)
    row |= {"requires": requires.model_dump_json()}
    row |= {"number": number, "owner": owner, "name": f"check of {check.job}/{check.frame}", "project": "checks"}
    row |= {"state": JobState.RECEIVING.value, "settings": json.dumps(settings), "slaves": json.dumps(sorted(who))}
    row |= {"frames": str(picture + shift), "bytes": job.bytes, "created": at, "changed": at}
    conn.execute(insert(jobs).values(row))
    names = ("place", "path", "hash", "size", "frames")
    files = select(literal(number), *(job_files.c[name] for name in names)).where(job_files.c.job == check.job)
    conn.execute(insert(job_files).from_select(["job", *names], files))
    sent = select(literal(owner), job_files.c.hash).where(job_files.c.job == number).distinct()
    conn.execute(insert_once(possessions).from_select(["user", "hash"], sent))
    insert_frames(conn, number, FrameRange.of([picture]), at, shift=shift, name=frame.set)
    jobstate.queue(conn, number, at)
    return number
