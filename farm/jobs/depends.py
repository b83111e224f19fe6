"""What a submission's frames wait for, resolved: shorthands to ranges, addresses to jobs that its owner may read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from farm.jobs.access import Asker, seen
from farm.methods.sets import Portion
from farm.protocol.depends import Dependency
from farm.scheduler.rules import Shape
from farm.words.errors import DistrenError, FrameNotFound, Malformed, TooLarge, UnknownPeer
from farm.words.names import Address
from farm.words.ranges import FrameRange, Places

There = dict[tuple[str, int], "FrameRange | DistrenError"]
"""The frames of other servers' jobs, by server and number; or why nothing can wait for them."""

Elsewhere = Callable[[Sequence[Dependency]], Awaitable[There]]
"""Asks other servers for these frames, as the owner of what will wait."""

MOST = 20_000
"""Rules of one job."""

FAN = 64
"""Frames that one waits for in a rule of the kind `each`: all are looked at when one of them is done."""


@dataclass(frozen=True, slots=True)
class Servers:
    """This server, by its name, and what others have."""

    own: str
    there: There

    def frames(self, conn: Connection, asker: Asker, server: str, job: int) -> tuple[FrameRange, str]:
        """Return a job's frames, and its server if it is another.

        Raises:
            JobNotFound: the asker may not see it.
            UnknownPeer: the other server is none that this one exchanges jobs with.
        """
        if server == self.own:
            return FrameRange.parse(seen(conn, asker, job).frames), ""
        found = self.there.get((server, job))
        if found is None:
            raise UnknownPeer(f"This server exchanges no jobs with “{server}”.")
        if isinstance(found, DistrenError):
            raise found
        return found, server


def resolved(
    conn: Connection,
    asker: Asker,
    wanted: Sequence[Dependency],
    portions: Sequence[Portion],
    server: str,
    there: There,
) -> list[Shape]:
    """Return the rules by which frames of a new job wait.

    Args:
        conn: a connection.
        asker: whose job it will be; they must be allowed to see the jobs that it depends on.
        wanted: the dependencies as submitted.
        portions: the job's frames, set by set.
        server: this server's name.
        there: what other servers have of those that are theirs.

    Raises:
        Malformed, FrameNotFound, JobNotFound, TooLarge: says which dependency, and what is wrong with it.
    """
    shapes: list[Shape] = []
    rows = [portion.numbers for portion in portions]
    whole = rows[0] if len(rows) == 1 else FrameRange.of(number for row in rows for number in row)
    for place, one in enumerate(wanted):
        try:
            for shape in _shapes(conn, asker, one, whole, rows, Servers(server, there)):
                shapes += _cut(shape)
        except DistrenError as error:
            raise type(error)(f"depends[{place}]: {error.message}", hint=error.hint, **error.facts) from error
        if len(shapes) > MOST:
            raise TooLarge(f"depends: these are more than {MOST:,} rules.", hint="Name ranges, not single frames.")
    return shapes


def waiting(shapes: Sequence[Shape]) -> FrameRange:
    """Return all frames that wait for others."""
    if len(shapes) == 1:
        return shapes[0].frames
    return FrameRange.of(number for shape in shapes for number in shape.frames)


def _shapes(
    conn: Connection, asker: Asker, one: Dependency, whole: FrameRange, rows: Sequence[FrameRange], servers: Servers
) -> Iterator[Shape]:
    _must_lie_over_all(one)
    frames = FrameRange.parse(one.frames) if one.frames else whole
    _must_have("This job", whole, frames)
    if one.on:
        found = [_elsewhere(conn, asker, one, frames, servers)]
    elif one.match == "previous":
        found = [_previous(frames.common(row), row) for row in rows]
    else:
        found = [_own(one, frames, whole)]
    yield from (shape for shape in found if shape is not None)


def _elsewhere(conn: Connection, asker: Asker, one: Dependency, frames: FrameRange, servers: Servers) -> Shape | None:
    address = Address.parse(one.on, servers.own)
    if address.job is None:
        raise Malformed(f"“{one.on}” is a server.", hint=f"Name a job of it: {address}/12.")
    if address.frame is not None and one.needs:
        raise Malformed(f"“{one.on}” is a frame, but needs names others.", hint=f"Write {address.job}, and needs.")
    needs = str(address.frame) if address.frame is not None else one.needs
    if one.match == "previous":
        raise Malformed("The previous frame is one of the job itself.", hint="Leave out on, or write match=same.")
    theirs, server = servers.frames(conn, asker, address.server, address.job)
    wanted = frames if one.match == "same" else FrameRange.parse(needs) if needs else theirs
    _must_have(f"Job {address.job}" + (f" of {server}" if server else ""), theirs, wanted)
    return _matched(one, frames, address.job, wanted, server)


def _must_lie_over_all(one: Dependency) -> None:
    """Refuse an overlay that would differ from frame to frame: a renderer opens the job's files once for all."""
    if one.overlay and (not one.on or one.frames or one.match != "all"):
        raise Malformed(
            "Files are laid over a job's own for all of its frames, and come of another job.",
            hint="With overlay, name the job (on), perhaps needs, and nothing else.",
        )


def _own(one: Dependency, frames: FrameRange, whole: FrameRange) -> Shape | None:
    """Return a rule between frames of the job itself; None if it asks for nothing."""
    if one.match == "same":
        raise Malformed("A frame can't wait for itself.", hint="Name another job, or write match=previous.")
    if one.needs is None:
        if one.frames is None:
            raise Malformed("All frames would wait for all others.", hint="Name the frames that wait, or needs.")
        return _matched(one, frames, 0, whole.minus(frames))
    needs = FrameRange.parse(one.needs)
    _must_have("This job", whole, needs)
    return _matched(one, whole.minus(needs) if one.frames is None else frames, 0, needs)


def _previous(frames: FrameRange, whole: FrameRange) -> Shape | None:
    """Return the rule by which frames wait for those before them, in one set; None if there are none before."""
    if len(whole) < 2:
        return None
    places = Places(whole)
    if frames == whole:
        second, last_but_one = places.at(1), places.at(len(places) - 2)
        return Shape(whole.between(second, None), 0, whole.between(whole.first, last_but_one), each=True)
    found = [(number, place) for number in frames if (place := places.of(number))]
    waiting, needs = FrameRange.of(n for n, _ in found), FrameRange.of(places.at(p - 1) for _, p in found)
    return Shape(waiting, 0, needs, each=True) if found else None


def _matched(one: Dependency, frames: FrameRange, on_job: int, needs: FrameRange, server: str = "") -> Shape | None:
    if not (frames and needs):
        return None
    each = one.match in ("same", "each")
    if each and len(needs) % len(frames):
        raise Malformed(
            f"{len(frames):,} frames can't wait for {len(needs):,} one by one.",
            hint="The number of needs must be a multiple.",
        )
    return Shape(frames, on_job, needs, each, server, one.overlay)


def _cut(shape: Shape) -> Iterator[Shape]:
    """Yield a rule, or one for each of its frames if these wait for many."""
    fan = len(shape.needs) // len(shape.frames) if shape.each else 0
    if fan <= FAN:
        yield shape
        return
    needs = list(shape.needs)
    for place, number in enumerate(shape.frames):
        some = FrameRange.of(needs[place * fan : (place + 1) * fan])
        yield Shape(FrameRange.of([number]), shape.on_job, some, each=False, server=shape.server)


def _must_have(what: str, whole: FrameRange, some: FrameRange) -> None:
    missing = some.minus(whole)
    if missing:
        raise FrameNotFound(f"{what} has no frame {missing.first}.", hint=f"It has {str(whole)[:100]}.")
