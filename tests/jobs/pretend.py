"""A farm for tests of the jobs room: users, slaves and attempts as rows, bytes in a real store."""

from __future__ import annotations

import asyncio
import hashlib
import io
import tarfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

from farm.database import numbers, schema
from farm.database.handle import Database
from farm.files.disk import DiskStore
from farm.files.store import take_in
from farm.jobs import files
from farm.jobs.access import Asker
from farm.jobs.depends import There
from farm.jobs.rules import Rules
from farm.jobs.submission import queue, submit
from farm.protocol.jobs import FileEntry, Receiving, Requirement, Submission
from farm.protocol.methods import MethodDescription, SettingDescription
from farm.words.clock import SECOND
from farm.words.states import AttemptState, FrameState, SlaveState

NOW = 1_800_000_000 * SECOND

METHODS = {
    "blender": MethodDescription(
        name="blender",
        title="Blender",
        help="",
        source_suffixes=[".blend"],
        settings=[
            SettingDescription(
                name="samples", title="Samples", type="integer", help="More is smoother.", minimum=1, maximum=4096
            ),
            SettingDescription(name="engine", title="Engine", type="choice", help="", choices=["CYCLES", "EEVEE"]),
        ],
    ),
    "sleep": MethodDescription(name="sleep", title="Sleep", help="", source_suffixes=[], settings=[]),
}


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def entry(path: str, data: bytes, frames: str | None = None) -> FileEntry:
    return FileEntry(path=path, sha256=sha(data), size=len(data), frames=frames)


async def chunks(data: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def tar_of(**members: bytes) -> bytes:
    """Make a result tar; `output_x_png` becomes `output/x.png`."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for key, data in members.items():
            kind, _, name = key.partition("_")
            path = f"output/{name.replace('_', '.')}" if kind == "output" else {"thumbnail": "thumbnail.webp"}.get(kind)
            info = tarfile.TarInfo(path or "log.txt")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return made.getvalue()


@dataclass
class Farm:
    """A database, a store, and shortcuts."""

    database: Database
    store: DiskStore
    rules: Rules
    there: There = field(default_factory=dict)
    """What other servers have."""

    def user(self, name: str, *, role: str = "user", quota: int = 10**12, studio: bool = True) -> Asker:
        values = {"name": name, "passphrase": "", "role": role, "quota": quota, "created": NOW}
        self.database.write_now(lambda conn: conn.execute(insert(schema.users).values(values)) and None)
        row = self.row(schema.users, schema.users.c.name == name)
        return Asker(row.id, name, admin=role == "admin", studio=studio)

    def slave(self, name: str, owner: Asker, offers: str = "[]") -> int:
        values = {
            "name": name,
            "owner": owner.user,
            "key": name,
            "password": b"x" * 32,
            "state": SlaveState.IDLE,
            "offers": offers,
            "seen": NOW,
            "created": NOW,
        }
        self.database.write_now(lambda conn: conn.execute(insert(schema.slaves).values(values)) and None)
        return int(self.row(schema.slaves, schema.slaves.c.name == name).id)

    def attempt(self, job: int, frame: int, slave: int, state: AttemptState = AttemptState.OPEN) -> int:
        def make(conn: Any) -> int:
            number = numbers.take(conn, "attempt")
            values = {"id": number, "job": job, "frame": frame, "slave": slave, "lease": 1, "state": state}
            times = {"issued": NOW, "deadline": NOW + 30 * SECOND}
            conn.execute(insert(schema.attempts).values(**values, **times))
            mine = (schema.frames.c.job == job, schema.frames.c.number == frame)
            conn.execute(update(schema.frames).where(*mine).values(state=FrameState.LEASED))
            return number

        return self.database.write_now(make)

    def accept(self, attempt: int, at: int = NOW) -> None:
        """Commit a staged result, as a report would."""

        def do(conn: Any) -> None:
            row = conn.execute(select(schema.attempts).where(schema.attempts.c.id == attempt)).one()
            mine = (schema.frames.c.job == row.job, schema.frames.c.number == row.frame)
            conn.execute(update(schema.frames).where(*mine).values(state=FrameState.DONE, result_attempt=attempt))
            this = schema.attempts.c.id == attempt
            conn.execute(update(schema.attempts).where(this).values(state=AttemptState.WON, ended=at))
            files_ = schema.result_files.c.attempt == attempt
            conn.execute(update(schema.result_files).where(files_).values(accepted=True))

        self.database.write_now(do)

    def row(self, table: Any, *where: Any) -> Any:
        return self.database.read_now(lambda conn: conn.execute(select(table).where(*where)).one())

    def count(self, table: Any) -> int:
        return len(self.database.read_now(lambda conn: conn.execute(select(table)).all()))

    async def elsewhere(self, _wanted: object) -> There:
        return self.there

    def submit(self, asker: Asker, submission: Submission) -> Receiving:
        doing = submit(self.database, asker, submission, METHODS, self.rules, "home", NOW, self.elsewhere)
        return asyncio.run(doing)

    def send(self, asker: Asker, data: bytes) -> None:
        stored = asyncio.run(take_in(self.store, chunks(data), sha(data), len(data)))
        self.database.write_now(lambda conn: files.received(conn, asker.user, stored.sha256, stored.size, NOW))

    def queue(self, asker: Asker, job: int) -> None:
        self.database.write_now(lambda conn: queue(conn, asker, job, NOW))

    def job(self, asker: Asker, files_: dict[str, bytes] | None = None, **more: Any) -> int:
        """Submit a job, send its files and queue it."""
        files_ = {"shot.blend": b"a scene"} if files_ is None else files_
        made = self.submit(asker, submission(files_, **more))
        for data in {sha(d): d for d in files_.values()}.values():
            if sha(data) in made.missing:
                self.send(asker, data)
        self.queue(asker, made.job)
        return made.job


def submission(files_: dict[str, bytes], **more: Any) -> Submission:
    values: dict[str, Any] = {
        "name": "shot",
        "requires": Requirement(method="blender"),
        "source": next(iter(files_), ""),
        "frames": "1-10",
        "files": [entry(path, data) for path, data in files_.items()],
    }
    return Submission(**{**values, **more})


def make(database: Database, folder: Path) -> Farm:
    return Farm(database, DiskStore(folder / "blobs"), Rules())
