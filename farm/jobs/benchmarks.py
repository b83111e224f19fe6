"""Benchmarks: jobs of our own scenes for one slave. What comes of them is in `ratings`."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.engine import Connection

from farm.accounts.due import fingerprint
from farm.database.handle import Database
from farm.database.schema import jobs, ratings, slaves, users
from farm.files.store import BlobStore, take_in
from farm.jobs import control, files
from farm.jobs.access import Asker
from farm.jobs.checks import Methods
from farm.jobs.depends import There
from farm.jobs.rules import Rules
from farm.jobs.submission import queue, submit
from farm.methods.benchmark.scenes import LAST, Scene, reference
from farm.protocol.accounts import Role
from farm.protocol.depends import Dependency
from farm.protocol.jobs import FileEntry, Requirement, Submission
from farm.protocol.points import Cause
from farm.protocol.slaves import Hardware, Offer
from farm.scheduler import crowd, fairness
from farm.scheduler.fit import fits
from farm.words.backends import backends, cards
from farm.words.errors import NotFound, WrongState
from farm.words.ranges import FrameRange

FRAMES = 3
"""Frames of a benchmark, on graphics cards for each: their median counts."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where benchmarks are made: a server's parts, and its limits."""

    database: Database
    store: BlobStore
    methods: Methods
    rules: Rules
    server: str
    strangers: bool


@dataclass(frozen=True, slots=True)
class Subject:
    """A slave as it can be measured; `scenes`: those of the reference that its renderers can draw."""

    id: int
    name: str
    owner: int
    owner_name: str
    hardware: Hardware
    offers: Sequence[Offer]
    pool: str
    scenes: Sequence[str]

    def fingerprint(self, scene: str) -> str:
        """Return what is measured by a scene."""
        return fingerprint(scene, self.hardware, self.offers)

    def cards(self, scene: str) -> int:
        """Return how many graphics cards its renderers reach in the way of a scene; on the processor, none."""
        way = scene.partition("/")[2]
        return max((cards(offer.devices, way) for offer in self.offers), default=0) if way else 0


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What is to be measured: with which scene, by which frames, and why; `later`: when those before it are done."""

    subject: Subject
    scene: str
    frames: FrameRange
    cause: Cause
    later: bool = False


def subject(conn: Connection, slave: int) -> Subject:
    """Return a slave as it can be measured.

    Raises:
        WrongState: it is being measured already.
        NotFound: it has no renderer that there is a scene for.
    """
    if conn.execute(select(ratings.c.job).where(ratings.c.slave == slave, ~ratings.c.over)).first():
        raise WrongState("This slave is being measured already.", hint="`distren jobs` shows how far it is.")
    columns = (*slaves.c, users.c.name.label("owner_name"))
    row = conn.execute(select(*columns).join(users, users.c.id == slaves.c.owner).where(slaves.c.id == slave)).one()
    found = _subject(row)
    if not found.scenes:
        raise NotFound("There is no scene for what this slave renders with.", hint="It must have logged in once.")
    return found


def _subject(row: Row[Any]) -> Subject:
    offers = crowd.offers(row.offers, "", row.terms)
    able = [key for key in keys(offers) if not fits(requires(key, reference().scene(key)), list(offers))]
    machine = Hardware.model_validate_json(row.hardware) if row.hardware else Hardware(cores=1, memory_bytes=0)
    return Subject(row.id, row.name, row.owner, row.owner_name, machine, offers, row.pool, able)


def keys(offers: Sequence[Offer]) -> list[str]:
    """Return what renderers can be rated by: each method that there is a scene for, and each way to their cards."""
    found = list[str]()
    for name, scene in sorted(reference().scenes.items()):
        method = name.partition("/")[0]
        mine = [device for offer in offers if offer.method == method for device in offer.devices]
        found += [f"{method}/{way}" for way in backends(mine)] if scene.device == "gpu" else [name]
    return found


def requires(key: str, scene: Scene, pool: str = "") -> Requirement:
    """Return what a slave needs to be rated by a key: a method, or `METHOD/WAY` for a way to graphics cards."""
    method, _, way = key.partition("/")
    needs = {"version": scene.version, "engine": scene.engine, "device": way or scene.device, "pool": pool}
    return Requirement.model_validate({"method": method, **needs})


def asked_for(conn: Connection, slave: int, *, strangers: bool) -> list[Benchmark]:
    """Return all benchmarks of a slave that its owner wants measured.

    Raises:
        WrongState, NotFound: as for :func:`subject`.
    """
    whom = subject(conn, slave)
    return [
        Benchmark(whom, scene, drawn(conn, whom, scene, strangers=strangers), Cause.ASKED, later=place > 0)
        for place, scene in enumerate(whom.scenes)
    ]


def drawn(conn: Connection, whom: Subject, scene: str, *, strangers: bool) -> FrameRange:
    """Return the frames that a slave is measured by, drawn by lot.

    One of them is of another owner's slave, if there is a rating: so both can be compared pixel by pixel. Among
    strangers it is of an admin's, if there is one: nobody else's confirms a rating there.
    """
    c = ratings.c
    query = select(c.pixels).join(slaves, slaves.c.id == c.slave).join(users, users.c.id == slaves.c.owner)
    query = query.where(c.method == scene, slaves.c.owner != whom.owner, c.power.is_not(None), c.pixels != "{}")
    admins_first = [(users.c.role == Role.ADMIN.value).desc()] if strangers else []
    last = conn.execute(query.order_by(*admins_first, c.at.desc()).limit(1)).scalar()
    numbers = {int(secrets.choice(list(json.loads(last))))} if last else set[int]()
    wanted = FRAMES * max(whom.cards(scene), 1)
    while len(numbers) < wanted:
        numbers.add(1 + secrets.randbelow(LAST))
    return FrameRange.of(sorted(numbers))


async def make(place: Place, who: Asker, bench: Benchmark, at: int) -> None:
    """Make the job of a benchmark; one that nobody asked for is rendered after all other jobs.

    Args:
        place: the server.
        who: whose job it is to be.
        bench: what is to be measured.
        at: now, µs.

    Raises:
        DistrenError: what stands in the way of any job of theirs, such as their quota.
    """
    scene = reference().scene(bench.scene)
    stored = await take_in(place.store, _pieces(scene.path))
    have = partial(files.received, user=who.user, sha256=stored.sha256, size=stored.size, at=at)
    await place.database.write(have)
    wish = _submission(bench, scene)
    made = await submit(place.database, who, wish, place.methods, place.rules, place.server, at, _nowhere)

    def write(conn: Connection) -> None:
        if bench.cause is not Cause.ASKED:
            conn.execute(update(jobs).where(jobs.c.number == made.job).values(rush=fairness.LAST))
        queue(conn, who, made.job, at)
        begin(conn, made.job, bench, at)

    await place.database.write(write)
    await control.finished(place.database, made.job)


def _submission(bench: Benchmark, scene: Scene) -> Submission:
    whom = bench.subject
    return Submission(
        name=f"benchmark of {whom.name}",
        project="benchmark",
        requires=requires(bench.scene, scene, whom.pool),
        settings=scene.settings,
        source=scene.file,
        frames=str(bench.frames),
        files=[FileEntry(path=scene.file, sha256=scene.sha256, size=scene.path.stat().st_size)],
        slaves=[whom.name],
        paused=bench.later,
    )


def begin(conn: Connection, job: int, bench: Benchmark, at: int) -> None:
    """Write down what a job is for."""
    whom = bench.subject
    facts = {"cause": bench.cause.value, "machine": whom.fingerprint(bench.scene)}
    row = {"job": job, "slave": whom.id, "method": bench.scene, "at": at, "over": False, "provisional": True}
    conn.execute(insert(ratings).values(**row, **facts))


async def _nowhere(_depends: Sequence[Dependency]) -> There:
    return {}


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    yield await asyncio.to_thread(path.read_bytes)
