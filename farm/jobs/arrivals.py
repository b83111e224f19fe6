"""What comes of frames of other servers, for the frames here that wait for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, delete, exists, insert, not_, select

from farm.database.schema import dependencies, jobs, remote_files, users
from farm.jobs.files import keep_blob
from farm.scheduler import ripples, rules
from farm.words.ranges import FrameRange
from farm.words.states import JOB_ACTIVE, JobState

File = tuple[str, bytes, int]
"""Name, hash and size of a finished file."""

_OPEN = [state.value for state in (*JOB_ACTIVE, JobState.PAUSED)]


@dataclass(frozen=True, slots=True)
class Awaited:
    """Frames of another server that frames here wait for.

    Args:
        server: the other server.
        job: whose frames.
        user: an owner of what waits, who may see them there: they were asked for when it was submitted.
        needs: which.
    """

    server: str
    job: int
    user: str
    needs: FrameRange


def awaited(conn: Connection) -> list[Awaited]:
    """Return what jobs that have not ended wait for at other servers."""
    c = dependencies.c
    query = select(c.server, c.on_job, c.needs, users.c.name).select_from(
        dependencies.join(jobs, jobs.c.number == c.job).join(users, users.c.id == jobs.c.owner)
    )
    found: defaultdict[tuple[str, int, str], set[int]] = defaultdict(set)
    for row in conn.execute(query.where(c.server != "", jobs.c.state.in_(_OPEN))):
        found[row.server, row.on_job, row.name].update(FrameRange.parse(row.needs) if row.needs else ())
    return [Awaited(*key, FrameRange.of(needs)) for key, needs in sorted(found.items()) if needs]


def fetched(conn: Connection, server: str, job: int) -> dict[int, frozenset[File]]:
    """Return the files of another server's job that are here, by frame."""
    file = remote_files.c
    found: defaultdict[int, set[File]] = defaultdict(set)
    query = select(file.frame, file.name, file.hash, file.size).where(file.server == server, file.job == job)
    for row in conn.execute(query):
        found[row.frame].add((row.name, row.hash, row.size))
    return {frame: frozenset(files) for frame, files in found.items()}


def arrived(conn: Connection, server: str, job: int, come: Mapping[int, Sequence[File]], at: int) -> None:
    """Write down that frames' files are in the store, and go on: what waited for them may be rendered.

    What was made of former files of theirs is made anew.

    Args:
        conn: the writer's.
        server: the other server.
        job: its job.
        come: files by frame.
        at: now, µs.
    """
    before = fetched(conn, server, job)
    changed = {frame for frame, files in come.items() if before.get(frame, frozenset(files)) != frozenset(files)}
    for frame, files in come.items():
        these = (remote_files.c.server == server, remote_files.c.job == job, remote_files.c.frame == frame)
        conn.execute(delete(remote_files).where(*these))
        place = {"server": server, "job": job, "frame": frame}
        for name, digest, size in files:
            keep_blob(conn, digest, size, at)
            conn.execute(insert(remote_files).values(**place, name=name, hash=digest, size=size))
    for waiting, numbers in _waiting(conn, server, job, come):
        ripples.look(conn, waiting, numbers, at)
    for waiting, numbers in _waiting(conn, server, job, changed):
        ripples.replaced(conn, waiting, numbers, at)


def given_up(conn: Connection, server: str, job: int, lost: Mapping[int, str], at: int) -> None:
    """Let frames fail that wait for some that will not come; `lost`: why, by frame."""
    by_reason: defaultdict[str, list[int]] = defaultdict(list)
    for frame, reason in lost.items():
        by_reason[reason].append(frame)
    for reason, frames in by_reason.items():
        for waiting, numbers in _waiting(conn, server, job, frames):
            ripples.given_up(conn, waiting, numbers, reason, at)


def forget(conn: Connection) -> int:
    """Let go of files that no job here names any more; return how many."""
    file, c = remote_files.c, dependencies.c
    named = exists(select(1).select_from(dependencies).where(c.server == file.server, c.on_job == file.job))
    return conn.execute(delete(remote_files).where(not_(named))).rowcount


def _waiting(conn: Connection, server: str, job: int, frames: Collection[int]) -> Iterator[tuple[int, FrameRange]]:
    """Yield the frames, job by job, that wait for some of another server's."""
    if not frames:
        return
    c = dependencies.c
    query = select(c.job).where(and_(c.server == server, c.on_job == job)).distinct()
    for user in sorted(conn.execute(query).scalars()):
        mine = (rule for rule in rules.read(conn, user) if rule.server == server and rule.on_job == job)
        numbers = FrameRange.of({number for rule in mine for number in rule.waiting(frames)})
        if numbers:
            yield user, numbers
