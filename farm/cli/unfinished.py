"""Submissions that broke off on this machine: the same one again goes on where it stopped.

The server knows a submission again by its key. A key made of the content alone would not
do: rendering the same file a second time is a wish of its own. So the key of a
submission is noted when it breaks off, and forgotten when it went through.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, TypeAdapter, ValidationError

from farm.cli.output import notice
from farm.client.farmclient import FarmClient
from farm.protocol.jobs import Submission
from farm.words.errors import DistrenError, NotFound, Unavailable, Unreachable
from farm.words.folders import user_folder
from farm.words.states import JobState

MOST = 50
"""Submissions that are noted; the oldest are forgotten."""

LATER = (0.0, 0.2, 0.5, 1.0, 2.0)
"""Seconds before each look for a job that the server may be making right now."""


class Broken(BaseModel):
    """A submission that broke off: its key, and the job that waits for its files; 0: nobody heard of one."""

    key: str
    job: int


_NOTES = TypeAdapter(dict[str, Broken])


class Unfinished:
    """What broke off on its way to one server.

    Args:
        client: a client of the server.
        path: the file of the notes; None: in this person's folder for state.
    """

    def __init__(self, client: FarmClient, path: Path | None = None) -> None:
        self._client = client
        self._path = path or user_folder("state") / "unfinished.json"

    def key(self, submission: Submission) -> str:
        """Return the key of the same submission if its job still waits for files; else a new key."""
        broken = self._read().get(self._digest(submission))
        if broken is not None and (job := self._waiting(broken)):
            notice(f"Going on with job {job}, which broke off.")
            return broken.key
        return uuid.uuid4().hex

    @contextmanager
    def asking(self, submission: Submission, key: str) -> Iterator[None]:
        """Leave no half job while the server is asked to make one, though nobody may hear its number.

        A broken connection is noted, for the same submission to go on; who stops it wants no job, of which nothing
        has arrived yet.
        """
        try:
            yield
        except KeyboardInterrupt:
            self._end(key)
            raise
        except (Unavailable, Unreachable):
            self._write({**self._read(), self._digest(submission): Broken(key=key, job=0)})
            notice("The farm may have made a job of it: the same command goes on with it.")
            raise

    @contextmanager
    def watch(self, submission: Submission, key: str, job: int) -> Iterator[None]:
        """Note the submission if its sending breaks off; cancel the job if that can't be mended by going on."""
        digest = self._digest(submission)
        try:
            yield
        except (KeyboardInterrupt, Unavailable, Unreachable):
            self._write({**self._read(), digest: Broken(key=key, job=job)})
            notice(f"Job {job} keeps what has arrived: the same command goes on, `distren cancel {job}` drops it.")
            raise
        except DistrenError:
            with contextlib.suppress(DistrenError):
                self._client.command(job, "cancel")
            raise
        notes = self._read()
        if notes.pop(digest, None) is not None:
            self._write(notes)

    def _waiting(self, broken: Broken) -> int:
        """Return the number of the job that still waits for files; 0: none does."""
        try:
            view = self._client.job(broken.job) if broken.job else self._client.job_of_key(broken.key)
        except NotFound:
            return 0
        return view.job if view.state == JobState.RECEIVING else 0

    def _end(self, key: str) -> None:
        """Cancel the job of a submission that was stopped, also one that the server is making right now."""
        for pause in LATER:
            time.sleep(pause)
            try:
                self._client.command(self._client.job_of_key(key).job, "cancel")
            except NotFound:
                continue
            except DistrenError:
                return
            return

    def _digest(self, submission: Submission) -> str:
        content = submission.model_copy(update={"key": ""}).model_dump_json()
        return hashlib.sha256(f"{self._client.server}\n{content}".encode()).hexdigest()

    def _read(self) -> dict[str, Broken]:
        try:
            return _NOTES.validate_json(self._path.read_bytes())
        except (FileNotFoundError, ValidationError):
            return {}

    def _write(self, notes: dict[str, Broken]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps({name: one.model_dump() for name, one in list(notes.items())[-MOST:]}), "utf-8")
        part.replace(self._path)
