"""A farm with something to see: two people, pretend slaves, jobs in every state, pictures drawn here."""

from __future__ import annotations

import hashlib
import io
import math
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFilter

from farm.client.farmclient import FarmClient
from farm.client.poolcalls import PoolCalls
from farm.client.sharecalls import ShareCalls
from farm.protocol.errands import SendErrand
from farm.protocol.jobs import Requirement, Submission
from farm.protocol.pools import PoolWish
from farm.protocol.shares import UserShareWish
from farm.scheduler.samples import PLACES, STEP
from farm.words.clock import now
from farm.words.states import JobState
from tests.jobs.pretend import tar_of
from tests.serving import Served, SlaveCaller, serving

SIZE = (640, 360)

SLOWER = 60
"""So many times longer than it took here, the farm says it took: nobody waits for pretend slaves."""


@dataclass
class Seeded:
    """The farm, who its admin is, its slaves, and its jobs by name."""

    served: Served
    admin: FarmClient
    slaves: list[SlaveCaller]
    jobs: dict[str, int]


@contextmanager
def seeded(folder: Path) -> Iterator[Seeded]:
    """Run the farm until the block ends."""
    chance = random.Random(7)
    with serving(folder, name="home", heartbeat_seconds=300) as served:
        admin = served.admin()
        slaves = [served.slave(admin, f"ws{n:02}") for n in range(1, 5)]
        farm = Seeded(served, admin, slaves, {})
        _done(farm, "lighthouse 010", 48, chance)
        _half(farm, "lighthouse 020", 120, 64, chance)
        _failing(farm, "market 030")
        _waiting(farm, "credits")
        _slowed(folder)
        _pulsed(folder, chance)
        _day(folder)
        _errands(farm)
        _peers(folder)
        _shared(farm)
        yield farm
        for slave in slaves:
            slave.close()


def submitted(farm: Seeded, name: str, frames: str, **more: Any) -> int:
    """Queue a job without files."""
    wish = {"name": name, "requires": Requirement(method="sleep"), "frames": frames, "project": "coast", **more}
    job = farm.admin.submit(Submission.model_validate(wish)).job
    farm.admin.queue(job)
    farm.jobs[name] = job
    return job


def picture(frame: int) -> Image.Image:
    """Return a picture of a ball that bounces over a floor, lit from where the frame says."""
    width, height = SIZE
    shown = Image.linear_gradient("L").resize(SIZE)
    shown = Image.merge("RGB", [shown.point(lambda v, top=top: top + v * 0.3) for top in (36, 58, 96)])
    pen = ImageDraw.Draw(shown)
    pen.rectangle((0, height * 0.72, width, height), fill=(70, 62, 58))
    x = width * (0.15 + 0.7 * ((frame % 48) / 47))
    y = height * 0.66 - abs(math.sin(frame / 6)) * height * 0.4
    pen.ellipse((x - 60, height * 0.7, x + 60, height * 0.76), fill=(40, 36, 34))
    shown = shown.filter(ImageFilter.GaussianBlur(4))
    pen = ImageDraw.Draw(shown)
    for ring in range(48):
        glow = ring / 48
        pen.ellipse(
            (x - 48 + ring * 0.8, y - 48 + ring * 0.7, x + 48 - ring, y + 48 - ring * 1.1),
            fill=(int(150 + 105 * glow), int(70 + 140 * glow), int(30 + 90 * glow)),
        )
    return shown


def result(frame: int) -> bytes:
    """Return a frame's result: its picture, its thumbnail, its log."""
    shown = picture(frame)
    whole, small = io.BytesIO(), io.BytesIO()
    shown.save(whole, "PNG")
    shown.resize((320, 180)).save(small, "WEBP")
    log = f"Fra:{frame} Mem:312.40M | Sample 64/64\nSaved: '{frame:04}.png'\n".encode()
    return tar_of(output_0001_png=whole.getvalue(), thumbnail=small.getvalue(), log=log)


def _done(farm: Seeded, name: str, count: int, chance: random.Random) -> None:
    submitted(farm, name, f"1-{count}", priority=60)
    _render(farm, count, chance)


def _half(farm: Seeded, name: str, count: int, done: int, chance: random.Random) -> None:
    submitted(farm, name, f"1-{count}", comment="The storm, second take.")
    _render(farm, done, chance)
    for slave in farm.slaves[:2]:
        leased = [frame.attempt for lease in slave.orders(want=1, hold=5).leases for frame in lease.frames]
        running = [{"attempt": leased[0], "progress": chance.random(), "seconds": 5}]
        slave.orders(running=running, holding=leased[1:])


def _failing(farm: Seeded, name: str) -> None:
    job = submitted(farm, name, "1-12", priority=90)
    while farm.admin.job(job).state is not JobState.PAUSED:
        for slave in farm.slaves[2:]:
            leases = slave.orders(want=1, hold=1).leases
            slave.orders(failed=[_fault(frame.attempt) for lease in leases for frame in lease.frames[:1]])


def _fault(attempt: int) -> dict[str, Any]:
    return {
        "attempt": attempt,
        "failure_class": "job",
        "message": "Image “tiles/wet_stone.exr” of material Cobbles is missing.",
        "log": "Error: cannot read '//tiles/wet_stone.exr'",
    }


def _waiting(farm: Seeded, name: str) -> None:
    on = farm.jobs["lighthouse 020"]
    submitted(farm, name, "1-24", depends=[{"on": str(on)}])


def _render(farm: Seeded, count: int, chance: random.Random) -> None:
    last = farm.jobs[max(farm.jobs, key=lambda name: farm.jobs[name])]
    while farm.admin.job(last).counts.done < count:
        for slave in farm.slaves:
            for lease in slave.orders(want=1, hold=1).leases:
                _return(slave, [(frame.attempt, frame.number) for frame in lease.frames[:4]], chance)


def _return(slave: SlaveCaller, leased: list[tuple[int, int]], chance: random.Random) -> None:
    for place, (attempt, frame) in enumerate(leased):
        began = time.monotonic()
        tar = result(frame)
        time.sleep(chance.uniform(0.02, 0.05) * (5 if chance.random() < 0.05 else 1))
        slave.http.put(f"/api/slave/results/{attempt}", content=tar).raise_for_status()
        seconds = (time.monotonic() - began) * SLOWER
        end = {
            "attempt": attempt,
            "sha256": hashlib.sha256(tar).hexdigest(),
            "seconds": seconds,
            "cpu_seconds": seconds * 7.5,
            "peak_memory_bytes": int(chance.uniform(0.9, 1.4) * 10**9),
        }
        slave.orders(finished=[end], holding=[other for other, _ in leased[place + 1 :]])


def _slowed(folder: Path) -> None:
    """Stretch the farm's past, seen from now."""
    times = {"attempt": ("issued", "started", "ended"), "job": ("created", "queued", "started", "ended")}
    with closing(sqlite3.connect(folder / "distren.sqlite3", timeout=30)) as database, database:
        for table, columns in times.items():
            at = now()
            for column in columns:
                database.execute(f"UPDATE {table} SET {column} = ? - (? - {column}) * ?", (at, at, SLOWER))


def _pulsed(folder: Path, chance: random.Random) -> None:
    """Let the farm have rendered for an hour."""
    with closing(sqlite3.connect(folder / "distren.sqlite3", timeout=30)) as database, database:
        total, minute = 0, now() // 60_000_000
        for ago in range(60, -1, -1):
            database.execute("INSERT OR REPLACE INTO pulse (minute, rendered) VALUES (?, ?)", (minute - ago, total))
            total += chance.randint(5, 9) if ago < 42 or ago > 48 else 0


def _day(folder: Path) -> None:
    """Give the third slave a day in which it rendered from noon on."""
    chance, gigabyte, newest = random.Random(3), 10**9, now()
    rows = []
    for step in range(PLACES - 1):
        at, busy = newest - step * STEP, step < 150 and step % 60 > 8
        cpu = chance.randint(880, 1000) if busy else chance.randint(5, 60)
        memory = round(chance.uniform(0.55, 0.7) * gigabyte) if busy else gigabyte // 5
        cache = (PLACES - step) * gigabyte // 20
        rows.append((3, at // STEP % PLACES, at, cpu, memory, 500 * gigabyte, 320 * gigabyte - cache, cache))
    with closing(sqlite3.connect(folder / "distren.sqlite3", timeout=30)) as database, database:
        columns = "slave, place, at, cpu, memory, disk, free, cache"
        database.executemany(f"INSERT INTO sample ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        database.execute("UPDATE slave SET build = 'seeded'")


def _errands(farm: Seeded) -> None:
    """Have the third slave render a test frame and show its log."""
    slave = farm.slaves[2]
    for errand, message, text in (
        ("test", "blender 4.5.4 on the processor: 2.1 s, 64x64 pixels", ""),
        ("log", "The last line.", "2026-11-25T12:00:00Z [info     ] frame done  job=2 frame=17\n"),
    ):
        farm.admin.send("POST", "/api/slaves/ws03/errands", body=SendErrand.model_validate({"errand": errand}))
        order = slave.orders().errand
        assert order is not None
        word = {"number": order.number, "stage": "done", "message": message, "text": text}
        slave.http.post("/api/slave/errand", json=word).raise_for_status()


def _shared(farm: Seeded) -> None:
    """Put the fourth slave into a pool, and let its user weigh more."""
    PoolCalls(farm.admin).put("heavy", PoolWish(slaves=["ws04"], users=["ada"]))
    PoolCalls(farm.admin).tag("ws04", ["fast", "gpu"])
    ShareCalls(farm.admin).change_user("ada", UserShareWish(weight=2, slots=8))


def _peers(folder: Path) -> None:
    """Let two servers be known: one that exchanges jobs, and one that went away an hour ago and was paused."""
    at, hour = now(), 3600 * 1_000_000
    known = [
        ("annex", "https://annex.example.org", "active", True, at, None, 38_000, "", None),
        ("garage.example.net", "https://garage.example.net:8282", "paused", False, at - hour, at - hour, 210_000,
         "No answer within 10 s.", at - hour // 2),
    ]  # fmt: skip
    columns = "name, url, state, sees_all, seen, away, latency, error, erred, key, knows, created, version, methods"
    with closing(sqlite3.connect(folder / "distren.sqlite3", timeout=30)) as database, database:
        for number, one in enumerate(known):
            row = (*one, bytes([number]) * 32, bytes(32), at - 40 * 24 * hour, "0.1.0", '["blender", "povray"]')
            database.execute(f"INSERT INTO peer ({columns}) VALUES ({', '.join('?' * len(row))})", row)
