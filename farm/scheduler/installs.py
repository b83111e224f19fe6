"""Which renderer a slave that installs some by itself should install next."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.engine import Connection

from farm.protocol.jobs import Requirement
from farm.protocol.slaves import Renderer
from farm.scheduler import crowd, jobrow, standing
from farm.scheduler.fairness import Line
from farm.scheduler.fit import Machine, has_version, numbers
from farm.scheduler.policy import Policy


def would_do(requires: Requirement, slave: Machine) -> str:
    """Return the version that a slave can install for a job; '' if none, or if its version is here already. Pure.

    A job without a wish for a version needs none installed. Newer ones come after the
    wanted one, the oldest first.
    """
    if not requires.version or has_version(requires, slave.offers):
        return ""
    lines = [renderer.version for renderer in slave.installs if renderer.method == requires.method]
    if _line(requires.version) in lines:
        return requires.version
    newer = [version for version in lines if requires.newer and numbers(version) > numbers(requires.version)]
    return min(newer, key=numbers, default="")


def asked_for(conn: Connection, slave: Machine, at: int, policy: Policy) -> Renderer | None:
    """Return what an idle slave should install: what the first job that it can't render waits for.

    Args:
        conn: the writer's.
        slave: it has nothing to do.
        at: now, µs.
        policy: the scheduler's numbers.
    """
    if not slave.installs:
        return None
    for job in standing.in_turn(conn, Line(job for job in jobrow.active(conn) if job.ready), at):
        version = would_do(job.requires, slave) if job.admits(slave, strangers=policy.strangers) else ""
        if version and not (job.requires.newer and _others(conn, job, at, policy)):
            return Renderer(method=job.requires.method, version=version)
    return None


def _others(conn: Connection, job: jobrow.JobRow, at: int, policy: Policy) -> bool:
    """Tell whether there are slaves that need nothing installed for a job."""
    able = crowd.able(conn, job.requires, job.admission, at, job.owner, strangers=policy.strangers)
    return bool(able.machines)


def hopes(requires: Requirement, machines: Iterable[Machine]) -> list[str]:
    """Return which slaves are about to install what no slave has, in words. Pure."""
    names = sorted(machine.name for machine in machines if would_do(requires, machine))
    return [f"{', '.join(names)}: installs it as soon as nothing else renders there."] if names else []


def _line(version: str) -> str:
    return ".".join(version.split(".")[:2])
