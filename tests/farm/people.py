"""People who work on a farm whose server dies again and again: they submit, send, cancel, retry, delete, fetch."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from farm.client.farmclient import FarmClient
from farm.package.hashing import hash_file
from farm.protocol.jobs import FileEntry, JobView, Receiving, Requirement, Submission
from farm.protocol.joining import SlaveKeyMade
from farm.simulator.crowd import crowd
from farm.simulator.manner import Manner
from farm.simulator.pretend import Watcher
from farm.words.errors import Conflict, NotFound, Unavailable, Unreachable
from farm.words.ranges import count_of
from farm.words.states import FrameState, JobState
from tests.farm.farm import Farm

T = TypeVar("T")
AWAY = (Unavailable, Unreachable)
ENDED = {JobState.DONE, JobState.FAILED, JobState.CANCELED}


class Person(threading.Thread):
    """One client; what it does follows from its seed, when it does it from how fast things go.

    Args:
        farm: where.
        seed: of its choices.
        stop: set when it shall come to an end.
    """

    def __init__(self, farm: Farm, seed: int, stop: threading.Event) -> None:
        super().__init__(name=f"person {seed}")
        self.farm, self.stop, self.dice = farm, stop, random.Random(seed)
        self.client = FarmClient(farm.url, farm.token)
        self.jobs: dict[int, tuple[Submission, dict[str, Path]]] = {}
        self.deleted: set[int] = set()
        self.fault: BaseException | None = None
        self.count = 0

    def run(self) -> None:
        """Act until it is time to stop."""
        try:
            while not self.stop.is_set():
                self.act()
        except BaseException as error:  # noqa: BLE001 - it is raised again where the test can see it
            self.fault = error
        finally:
            self.client.close()

    def act(self) -> None:
        """Do one thing; that the present state does not admit it is no fault."""
        job = self.dice.choice([*self.jobs, 0])
        acts = [self.submit] * 3 + [self.command] * 3 + [self.delete, self.fetch]
        act = self.dice.choice(acts) if job else self.submit
        with contextlib.suppress(Conflict, NotFound):
            act() if act == self.submit else act(job)  # type: ignore[call-arg]

    def patiently(self, call: Callable[[], T]) -> T:
        """Call until the server answers."""
        while True:
            try:
                return call()
            except AWAY:
                time.sleep(0.05)

    def submit(self) -> None:
        """Send a job with files, of which others may send the very same at the same time."""
        if len(self.jobs) > 12:
            return
        self.count += 1
        files = dict(self._file() for _ in range(self.dice.randrange(3)))
        entries = [FileEntry(path=p.name, sha256=s, size=p.stat().st_size) for s, p in files.items()]
        submission = Submission(
            name=self.name,
            key=f"{self.name} {self.count}",
            requires=Requirement(method="sleep"),
            settings={"seconds": 0.02, "output_bytes": self.dice.choice([0, 0, 100_000])},
            frames=f"1-{self.dice.randrange(1, 40)}",
            files=entries,
        )
        made = self.patiently(lambda: self.client.submit(submission))
        self.jobs[made.job] = (submission, files)
        self.send(made)

    def send(self, made: Receiving) -> None:
        """Send what is missing, and queue the job."""
        files = self.jobs[made.job][1]
        for sha256 in made.missing:
            path = files[sha256]
            self.patiently(lambda p=path, s=sha256: self.client.put_blob(p, s, p.stat().st_size))  # type: ignore[misc]
        self.patiently(lambda: self.client.queue(made.job))

    def command(self, job: int) -> None:
        """Cancel, retry, pause or resume a job."""
        verb = self.dice.choice(["cancel", "retry", "retry", "pause", "resume"])
        self.patiently(lambda: self.client.command(job, verb))

    def delete(self, job: int) -> None:
        """Delete a job; a second try, after an answer that was lost, finds it gone."""
        with contextlib.suppress(NotFound):
            self.patiently(lambda: self.client.delete(job))
        self.deleted.add(job)
        del self.jobs[job]

    def fetch(self, job: int) -> None:
        """Fetch finished files, and check their bytes."""
        target = self.farm.folder / f"{self.name} fetched"
        for file in self.patiently(lambda: self.client.output(job)).files[:3]:
            self.patiently(lambda f=file: self.client.fetch_file(job, f, target))  # type: ignore[misc]
            assert hash_file(target)[0] == file.sha256

    def _file(self) -> tuple[str, Path]:
        """Return a file of its own, or one that all have."""
        seed = self.dice.randrange(6) if self.dice.random() < 0.5 else f"{self.name} {self.dice.random()}"
        data = random.Random(seed).randbytes(self.dice.choice([1000, 200_000]) if isinstance(seed, str) else 150_000)
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.farm.folder / "files" / sha256
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            path.with_suffix(f".{self.ident}").write_bytes(data)
            path.with_suffix(f".{self.ident}").rename(path)
        return sha256, path


@contextlib.contextmanager
def people(farm: Farm, count: int, seed: int) -> Iterator[list[Person]]:
    """Let people work while the block runs.

    Raises:
        BaseException: the first fault of any of them.
    """
    stop = threading.Event()
    all_ = [Person(farm, seed * 100 + n, stop) for n in range(count)]
    for person in all_:
        person.start()
    try:
        yield all_
    finally:
        stop.set()
        for person in all_:
            person.join(120)
    for person in all_:
        assert not person.is_alive(), f"{person.name} hangs"
        if person.fault is not None:
            raise person.fault


@contextlib.contextmanager
def pretend_slaves(
    farm: Farm, keys: list[SlaveKeyMade], manner: Manner, watcher: Watcher | None = None
) -> Iterator[None]:
    """Let pretend slaves work, in a thread, while the block runs; they come back by themselves.

    Args:
        farm: where.
        keys: theirs.
        manner: what they are like.
        watcher: is told what they return, and what the server says it accepted.

    Raises:
        BaseException: the server refused one of them for good, or answered what no server may.
    """
    stop, faults = threading.Event(), list[BaseException]()
    entered = threading.Event()

    async def live() -> None:
        async with crowd(farm.url, keys, manner, watcher=watcher):
            entered.set()
            await asyncio.to_thread(stop.wait)

    def run() -> None:
        try:
            asyncio.run(live())
        except BaseException as error:  # noqa: BLE001 - it is raised again where the test can see it
            faults.append(error)
        entered.set()

    thread = threading.Thread(target=run, name="pretend slaves")
    thread.start()
    entered.wait(300)
    try:
        yield
    finally:
        stop.set()
        thread.join(60)
    if faults:
        raise faults[0]


def set_right(farm: Farm, person: Person, seconds: float) -> None:
    """Let all jobs of a person come to their end, and see that each frame has its one result."""
    for job in list(person.jobs):
        view = farm.client.job(job)
        if view.state is JobState.RECEIVING:
            submission, files = person.jobs[job]
            again = farm.client.submit(submission)
            for sha256 in again.missing:
                farm.client.put_blob(files[sha256], sha256, files[sha256].stat().st_size)
            farm.client.queue(job)
        elif view.state is JobState.PAUSED:
            farm.client.command(job, "resume")
        if view.state in {JobState.CANCELED, JobState.FAILED}:
            farm.client.command(job, "retry")
    for job, (submission, _) in person.jobs.items():
        farm.until(lambda j=job: farm.client.job(j).state is JobState.DONE, seconds, f"job {job} is done")  # type: ignore[misc]
        _complete(farm, farm.client.job(job), submission)


def _complete(farm: Farm, view: JobView, submission: Submission) -> None:
    expected = count_of(submission.frames)
    assert (view.counts.done, view.counts.total) == (expected, expected), view
    assert [file.frame for file in farm.output(view.job)] == list(range(1, expected + 1))
    assert {f.state for f in farm.client.frames(view.job).frames} == {FrameState.DONE}
