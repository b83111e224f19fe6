"""A small farm for the scheduler's tests: real tables, a clock that the test moves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Row, insert, select, update
from sqlalchemy.engine import Connection

from farm.accounts import ledgeraudit
from farm.database import numbers
from farm.database.handle import Database
from farm.database.schema import attempts, frames, jobs, result_files, slaves, users
from farm.protocol.jobs import Requirement
from farm.protocol.slaves import (
    Failed,
    Finished,
    Hardware,
    LeasedFrame,
    Offer,
    Orders,
    Report,
    Running,
    SlaveLogin,
)
from farm.scheduler import bulk, jobstate, tally
from farm.scheduler import slaves as slavestate
from farm.scheduler.audit import audit
from farm.scheduler.frames import insert_frames
from farm.scheduler.policy import Policy
from farm.scheduler.rules import Shape, insert_rules
from farm.scheduler.slavecall import TakeReport
from farm.scheduler.sweep import sweep
from farm.scheduler.waiting import why
from farm.words.clock import SECOND, microseconds
from farm.words.ranges import FrameRange
from farm.words.states import FailureClass, FrameState, SlaveState

BLENDER = Offer(method="blender", version="4.5.2", engines=["CYCLES"])


def digest(attempt: int) -> str:
    return hashlib.sha256(str(attempt).encode()).hexdigest()


@dataclass
class Agent:
    """A pretend slave: it remembers what it holds, the last answer that it heard, and whether it logged out."""

    id: int
    name: str
    seq: int = 0
    heard: int = 0
    out: bool = False
    holding: dict[int, tuple[int, int]] = field(default_factory=dict)


class World:
    """A database, a clock, a policy, and people's and slaves' acts on them."""

    def __init__(self, database: Database, policy: Policy | None = None) -> None:
        self.database = database
        self.policy = policy or Policy()
        self.at = 1_000 * SECOND
        self.agents: dict[str, Agent] = {}
        self.owner = self.user("anna")

    def pass_time(self, seconds: float) -> None:
        self.at += microseconds(seconds)

    def user(self, name: str) -> int:
        values = {"name": name, "passphrase": "", "role": "user", "quota": 0, "created": self.at}
        return self.database.write_now(lambda c: c.execute(insert(users), values).inserted_primary_key[0])

    def slave(
        self,
        name: str,
        slots: int = 1,
        offer: Offer = BLENDER,
        *,
        contained: bool = False,
        memory: int = 1,
        owner: int | None = None,
        cores: int = 1,
        **more: object,
    ) -> Agent:
        values = {
            "name": name,
            "owner": owner or self.owner,
            "key": name,
            "password": bytes(32),
            "state": SlaveState.OFFLINE.value,
            "created": self.at,
            **more,
        }
        made = self.database.write_now(lambda c: c.execute(insert(slaves), values).inserted_primary_key[0])
        agent = self.agents[name] = Agent(made, name)
        self.log_in(agent, slots, offer, contained=contained, memory_bytes=memory, cores=cores)
        return agent

    def log_in(
        self,
        agent: Agent,
        slots: int = 1,
        offer: Offer = BLENDER,
        *,
        contained: bool = False,
        benchmark: bool = False,
        **machine: Any,
    ) -> None:
        login = SlaveLogin(
            key=agent.name,
            password=SecretStr("x"),
            version="1",
            slots=slots,
            hardware=Hardware(contained=contained, **{"cores": 1, "memory_bytes": 1, "arithmetic": "exact", **machine}),
            offers=[offer],
            benchmark=benchmark,
        )
        self.database.write_now(lambda c: slavestate.log_in(c, agent.id, login, self.at))
        agent.seq, agent.heard, agent.out = 0, 0, False
        agent.holding.clear()

    def job(
        self,
        text: str = "1-10",
        *,
        queued: bool = True,
        owner: int | None = None,
        waits: Sequence[tuple[str, int, str, bool]] = (),
        overlay: bool = False,
        **values: object,
    ) -> int:
        """Make a job; `waits`: which frames wait, for which job's (0: its own), for which of them, each for one.

        With `overlay`, the files of those are laid over the job's own.
        """
        whole = FrameRange.parse(text)
        blocked = FrameRange.of(n for wait in waits for n in FrameRange.parse(wait[0]))

        def make(conn: Connection) -> int:
            number = numbers.take(conn, "job")
            needs = Requirement(method="blender", version="4.5", engine="CYCLES")
            row = {
                "number": number,
                "owner": owner or self.owner,
                "name": "shot",
                "state": "receiving",
                "requires": needs.model_dump_json(),
                "settings": "{}",
                "limits": "{}",
                "source": "shot.blend",
                "frames": str(whole),
                "priority": 50,
                "created": self.at,
                "changed": self.at,
                **{k: json.dumps(v) if isinstance(v, list) else v for k, v in values.items()},
            }
            conn.execute(insert(jobs), row)
            parsed = FrameRange.parse
            shapes = (Shape(parsed(f), on, parsed(n), each, overlay=overlay) for f, on, n, each in waits)
            insert_rules(conn, number, shapes)
            insert_frames(conn, number, whole.minus(blocked), self.at)
            insert_frames(conn, number, blocked, self.at, state=FrameState.BLOCKED)
            if queued:
                jobstate.queue(conn, number, self.at)
            return number

        return self.database.write_now(make)

    def report(
        self,
        agent: Agent,
        *,
        want: int = 0,
        cards: int = 0,
        done: list[int] | None = None,
        seconds: float = 1,
        cpu: float = 0,
        failed: dict[int, FailureClass] | None = None,
        returned: list[int] | None = None,
        running: dict[int, float] | None = None,
        forget: list[int] | None = None,
        state: SlaveState = SlaveState.IDLE,
        arrives: bool = True,
        stage: bool = True,
        seq: int | None = None,
        heard: int | None = None,
        short: bool = False,
        message: str = "",
    ) -> Orders:
        """Let a slave report; `arrives` False loses the answer on its way; `short`: what failed lacked memory."""
        done, failed, returned, running = done or [], failed or {}, returned or [], running or {}
        if stage:
            self.stage(done)
        over = {*done, *failed, *returned, *(forget or [])}
        agent.seq += seq is None
        report = Report(
            seq=agent.seq if seq is None else seq,
            heard=heard,
            want=want,
            cards=cards,
            state=state,
            running=[Running(attempt=a, seconds=s, progress=0.5) for a, s in running.items()],
            holding=[a for a in agent.holding if a not in over and a not in running],
            finished=[Finished(attempt=a, sha256=digest(a), seconds=seconds, cpu_seconds=cpu) for a in done],
            failed=[
                Failed(attempt=a, failure_class=c, message="no camera", short=short, seconds=seconds)
                for a, c in failed.items()
            ],
            returned=returned,
            message=message,
        )
        orders = self.database.write_now(TakeReport(agent.id, report, self.at, self.policy))
        if not arrives:
            return orders
        agent.heard = report.seq
        again = {v.attempt for v in orders.verdicts if v.verdict == "again"}
        for attempt in {*over, *orders.revoked} - again:
            agent.holding.pop(attempt, None)
        for lease in orders.leases:
            agent.holding |= {f.attempt: (lease.job, f.number) for f in lease.frames}
        return orders

    def stage(self, ids: list[int]) -> None:
        """Do what staging a result does."""

        def staged(conn: Connection) -> None:
            for attempt in ids:
                row = conn.execute(select(attempts.c.job, attempts.c.frame).where(attempts.c.id == attempt)).first()
                known = conn.execute(select(result_files.c.attempt).where(result_files.c.attempt == attempt)).first()
                if row is None or known is not None:
                    continue
                hashed = bytes.fromhex(digest(attempt))
                conn.execute(update(attempts).where(attempts.c.id == attempt).values(result=hashed))
                file = {"attempt": attempt, "role": "output", "name": "a.png", "hash": hashed, "size": 1}
                conn.execute(insert(result_files), {**file, "job": row.job, "frame": row.frame})

        if ids:
            self.database.write_now(staged)

    def render(self, agent: Agent, want: int = 1, **more: object) -> list[int]:
        """Ask for work, and finish it all, after so many `seconds`; return the frames."""
        got = frames_of(self.report(agent, want=want))
        self.pass_time(float(more.get("seconds", 0)))  # type: ignore[arg-type]
        self.report(agent, done=[f.attempt for f in got], **more)  # type: ignore[arg-type]
        return [f.number for f in got]

    def sweep(self) -> None:
        self.database.write_now(lambda c: sweep(c, self.at, self.policy))

    def act(self, verb: str, job: int, *more: object) -> None:
        room = bulk if hasattr(bulk, verb) else jobstate
        self.database.write_now(lambda c: getattr(room, verb)(c, job, *more, self.at))

    def steer(self, verb: str, agent: Agent) -> None:
        self.database.write_now(lambda c: getattr(slavestate, verb)(c, agent.id, self.at))
        agent.out = agent.out or verb == "log_out"

    def job_row(self, job: int) -> Row:  # type: ignore[type-arg]
        return self.database.read_now(lambda c: c.execute(select(jobs).where(jobs.c.number == job)).one())

    def state(self, job: int) -> str:
        row = self.job_row(job)
        return f"{row.state}/{row.pause_reason}" if row.pause_reason else str(row.state)

    def frame(self, job: int, number: int) -> Row:  # type: ignore[type-arg]
        where = (frames.c.job == job, frames.c.number == number)
        return self.database.read_now(lambda c: c.execute(select(frames).where(*where)).one())

    def slave_row(self, agent: Agent) -> Row:  # type: ignore[type-arg]
        return self.database.read_now(lambda c: c.execute(select(slaves).where(slaves.c.id == agent.id)).one())

    def slave_state(self, agent: Agent) -> str:
        return str(self.slave_row(agent).state)

    def attempt_state(self, attempt: int) -> str:
        query = select(attempts.c.state).where(attempts.c.id == attempt)
        return str(self.database.read_now(lambda c: c.execute(query).scalar_one()))

    def counts(self, job: int) -> dict[str, int]:
        found = self.database.read_now(lambda c: tally.stored(c, job))
        return {n: v for n in FrameState if (v := getattr(found, n))}

    def why(self, job: int) -> list[str]:
        return self.database.read_now(lambda c: why(c, job, self.at, "home"))

    def faults(self) -> list[str]:
        return self.database.read_now(lambda c: [*audit(c), *ledgeraudit.audit(c)])


def frames_of(orders: Orders) -> list[LeasedFrame]:
    return [frame for lease in orders.leases for frame in lease.frames]


def numbers_of(orders: Orders) -> list[int]:
    return [frame.number for frame in frames_of(orders)]
