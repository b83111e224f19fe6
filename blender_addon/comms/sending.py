"""Send a job: hash its files, ask the server what it thinks, submit, upload what it lacks, queue.

A wish of tiles or a video makes a job for each step; all are asked about before the first is sent.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from dataclasses import replace
from typing import Any

from .. import tiling
from . import uploading
from .chain import Step, steps
from .hashes import Hashes
from .link import Link
from .messages import NotSent, Objections, Progress, Sent
from .parcel import LocalFile, Parcel
from .settling import cancel, drop
from .trouble import ODD, Stopped, Trouble, stranger
from .unfinished import Note, digests, left, take
from .uploading import Meter, Tell, parallel, total, upload

HASHERS = 2
"""Files hashed at once."""

TRIES = 4
"""A question is asked this often when connections break."""

Entry = dict[str, Any]


class Sending:
    """Send one parcel, in a thread.

    Args:
        link: a link of a user's.
        parcel: what to send.
        tell: takes messages for the main thread.
        stop: set, it ends the sending at once, and cancels the job; see :meth:`halt`.
        hashes: what is known of files.
        note: keeps what is on its way, for the next Blender; None: nothing does.
    """

    def __init__(
        self, link: Link, parcel: Parcel, tell: Tell, stop: threading.Event, hashes: Hashes, note: Note | None = None
    ) -> None:
        self._shared = self._link = link
        self._parcel = parcel
        self._tell = tell
        self._stop = stop
        self._hashes = hashes
        self.note = note
        self._jobs: list[int] = list(note.half.jobs) if note else []
        self._asked = note.half.asked if note else ""

    def run(self) -> None:
        """Send it; the last message is Sent, Objections or NotSent."""
        with self._shared.fresh() as self._link:
            self._tell(self._outcome())

    def halt(self) -> None:
        """Stop at once, also where a server that is frozen holds a thread up."""
        self._stop.set()
        self._link.break_off()

    def _outcome(self) -> Any:
        try:
            told: Any = self._send()
        except Trouble as trouble:
            return self._broken(Stopped() if self._stop.is_set() else trouble)
        except ODD:
            return self._broken(stranger(self._link.server))
        if isinstance(told, Objections):
            cancel(
                self._shared, self._jobs, self._asked
            )  # of one that broke off, and is not wanted on the farm any more
        if self.note:
            self.note.forget()
        return told

    def _broken(self, trouble: Trouble) -> NotSent:
        """Leave no half job on the server; after a broken connection the same parcel goes on, with the same job."""
        if trouble.passing:
            return NotSent(trouble, again=True)
        ended = cancel(self._shared, self._jobs, self._asked, making=self._stop.is_set())
        if self.note:
            drop(self.note, told=ended)
        return NotSent(trouble, again=False, ended=ended)

    def _send(self) -> Sent | Objections:
        parcel = self._parcel
        if parcel.problems:
            # The artist has to mend something first: the source alone tells the server enough.
            source = [file for file in parcel.files if file.place == parcel.submission["source"]]
            report = self._check(Step(parcel.submission), self._hash(source)[0])
            unfit = [text for text in report["problems"] if text in report.get("unfit", [])]
            told = [text for text in report["problems"] if text not in unfit]
            return Objections([*parcel.problems, *told], unfit, [*parcel.notes, *report["warnings"]])
        sound, notes = self._mixed()
        grid = self._grid()
        made = steps(parcel, grid, sound)
        entries, paths = self._hash(made[0].files)
        objections = self._judge(made, entries, notes)
        if objections:
            return objections
        self._remember(made[0], entries)
        made = steps(self._parcel, grid, sound)
        views = [self._one(made[0], entries, paths, None)]
        self._supersede()
        for step in made[1:]:
            views.append(self._one(step, *self._hash(step.files), views[-1]["job"]))
        wanted = [view["job"] for step, view in zip(made, views, strict=True) if step.brings]
        return Sent(views[-1], wanted, [view["job"] for view in views])

    # --- the jobs that a wish makes ---

    def _grid(self) -> str:
        """Return the tiles: those of the wish, or by what the newest job of this name took; empty: whole."""
        wish, name = self._parcel.combining, self._parcel.submission["name"]
        if wish.tiles != tiling.AUTO:
            return wish.tiles
        for view in self._call("GET", "/api/jobs?state=done&limit=100")["jobs"]:
            known = view["name"] in (name, f"{name} (tiles)") and view["requires"]["method"] == "blender"
            if known and view["settings"].get("stage") != "finish" and view.get("seconds_per_frame"):
                columns, rows = tiling.grid(str(view["settings"].get("tiles") or "1x1"))
                return tiling.of_seconds(view["seconds_per_frame"] * columns * rows, wish.size)
        return tiling.UNKNOWN

    def _mixed(self) -> tuple[str, list[str]]:
        """Have the video's sound mixed by a Blender without a window; return its file, and what there is to say."""
        wish = self._parcel.combining
        if wish.mix and not os.path.exists(wish.sound):
            self._tell(Progress("Mixing the sound", 0, 0))
            with subprocess.Popen(wish.mix, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as mixing:
                while mixing.poll() is None:
                    if self._stop.wait(0.1):
                        mixing.kill()
                        raise Stopped
        there = bool(wish.sound) and os.path.exists(wish.sound)
        notes = ["The video gets no sound: Blender could not mix it."] if wish.sound and not there else []
        return (wish.sound if there else ""), notes

    def _judge(self, made: list[Step], entries: list[Entry], notes: list[str]) -> Objections | None:
        """Ask about all jobs; those behind the first have nothing yet that they wait for."""
        problems: list[str] = []
        unfit: list[str] = []
        warnings = [*self._parcel.notes, *notes]
        source = [entry for entry in entries if entry["path"] == self._parcel.submission["source"]]
        for step in made:
            again = source if step.submission.get("source") == self._parcel.submission["source"] else []
            report = self._check(step, entries if step is made[0] else again)
            odd = report.get("unfit", [])
            problems += [text for text in report["problems"] if text not in odd]
            unfit += odd or ([] if report["fitting_slaves"] else ["No slave of the farm can render this now."])
            warnings += report["warnings"]
        if problems or (unfit and not self._parcel.anyway):
            return Objections(problems, unfit, warnings)
        return None

    def _check(self, step: Step, entries: list[Entry]) -> dict[str, Any]:
        told = {**step.submission, "files": entries} if entries else {**step.submission, "files": [], "source": ""}
        report: dict[str, Any] = self._call("POST", "/api/jobs/check", told)
        return report

    def _one(self, step: Step, entries: list[Entry], paths: dict[str, str], before: int | None) -> dict[str, Any]:
        """Submit, upload and queue one of the jobs."""
        told = step.behind(before)
        self._note(asked=told["key"])
        receiving = self._call("POST", "/api/jobs", {**told, "files": entries})
        self._note(receiving["job"])
        sizes = {entry["sha256"]: entry["size"] for entry in entries}
        if not set(receiving["missing"]) <= set(paths):
            raise _changed()
        upload(self._link, [(one, sizes[one], paths[one]) for one in receiving["missing"]], self._tell, self._stop)
        view: dict[str, Any] = self._call("POST", f"/api/jobs/{receiving['job']}/queue")
        self._breathe()  # stopped at the very end, it would render all the same
        return view

    # --- what broke off before ---

    def _remember(self, first: Step, entries: list[Entry]) -> None:
        """Keep what is on its way; the same one that broke off in an earlier Blender goes on by its own key.

        Raises:
            Trouble: this one goes on itself, and its files have changed.
        """
        if self.note is None:
            return
        digest, wanted = digests(first.submission, entries)
        mine = self.note.half
        if mine.digest not in ("", digest):
            raise _changed()
        same = next((half for half in left(mine.server, mine.user) if half.digest == digest), None)
        note = take(same) if same else None
        if same and note:
            self.note.forget()
            shutil.rmtree(same.scratch, ignore_errors=True)
            self._parcel = replace(self._parcel, submission={**self._parcel.submission, "key": same.key})
            self.note, self._jobs, self._asked = note, list(same.jobs), same.asked
        self.note.keep(parcel=self._parcel, scratch=mine.scratch, errand=mine.errand, digest=digest, wanted=wanted)

    def _note(self, *jobs: int, asked: str = "") -> None:
        """Keep which jobs the server has, and which one it may have: Blender can be killed before it hears so."""
        self._jobs += [job for job in jobs if job not in self._jobs]
        self._asked = asked
        if self.note:
            self.note.keep(jobs=tuple(self._jobs), asked=asked)

    def _supersede(self) -> None:
        """End half jobs of the same scene and wish: this one takes their place."""
        if self.note is None:
            return
        mine = self.note.half
        for half in left(mine.server, mine.user):
            if half.wanted == mine.wanted and (note := take(half)):
                drop(note, told=cancel(self._shared, half.jobs, half.asked))

    # --- how ---

    def _call(self, verb: str, path: str, body: Any = None) -> Any:
        """Ask the server, again if it is away: the key makes that safe."""
        for attempt in range(TRIES):
            self._breathe()
            try:
                return self._link.call(verb, path, body)
            except Trouble as trouble:
                if not trouble.passing or attempt == TRIES - 1:
                    raise
                self._stop.wait(uploading.PAUSE * 2**attempt)
        raise AssertionError

    def _hash(self, files: list[LocalFile]) -> tuple[list[Entry], dict[str, str]]:
        """Return the manifest, and a path for each hash."""
        meter = Meter("Reading files", total(files), self._tell)

        def entry(file: LocalFile) -> Entry:
            sha256, size = self._hashes.of(file.local, meter.add, self._stop)
            return {"path": file.place, "sha256": sha256, "size": size, "frames": file.frames}

        try:
            entries = parallel(entry, files, HASHERS)
        finally:
            self._hashes.save()
        return entries, {e["sha256"]: file.local for e, file in zip(entries, files, strict=True)}

    def _breathe(self) -> None:
        if self._stop.is_set():
            raise Stopped


def _changed() -> Trouble:
    return Trouble("Files changed since the upload broke off.", "Send the job again.", "changed")
