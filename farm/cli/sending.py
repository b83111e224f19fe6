"""Send a draft: check, ask, hash, submit, upload what is missing, queue."""

from __future__ import annotations

import uuid
from functools import partial
from pathlib import Path
from typing import Any

import structlog
import typer
from rich.text import Text

from blender_addon.hashcache import HashCache
from farm.cli.draft import Draft, LocalFile, hashed
from farm.cli.interruption import Interruption
from farm.cli.output import byte_progress, interactive, notice, size, stderr
from farm.cli.retrying import retrying
from farm.cli.unfinished import Unfinished
from farm.client.farmclient import FarmClient
from farm.client.upload import upload_missing
from farm.package.hashing import hash_file
from farm.protocol.jobs import CheckReport, FileEntry, JobView, Receiving, Submission
from farm.words.errors import Refused, Unavailable

log = structlog.get_logger(__name__)

TRIES = 3
"""A submission is repeated this often when the connection breaks: its key makes that safe."""


class Sending:
    """Send one draft to the farm.

    Args:
        client: a logged-in client.
        draft: what to send.
        quiet: show no progress.
        parallel: files sent at once.
        unfinished: notes what breaks off, so that it can go on; None: nothing is noted.
        hashes: the file that remembers the hashes of unchanged files; None: all are hashed.
    """

    def __init__(
        self,
        client: FarmClient,
        draft: Draft,
        *,
        quiet: bool,
        parallel: int = 4,
        unfinished: Unfinished | None = None,
        hashes: Path | None = None,
    ) -> None:
        self._client = client
        self._draft = draft
        self._quiet = quiet
        self._parallel = parallel
        self._unfinished = unfinished
        self._hashes = hashes
        self._entries: list[FileEntry] = []
        self._paths: dict[str, Path] = {}

    @property
    def name(self) -> str:
        """The job's name."""
        return str(self._draft.values["name"])

    def check(self) -> CheckReport:
        """Ask the server what would become of the draft; add what was found here.

        Files are hashed before; only the source, if the draft has problems of its own already.
        """
        draft = self._draft
        self._hash([file for file in draft.files if not draft.problems or file.path == draft.source])
        report = self._client.check(draft.submission(self._entries))
        problems = list(dict.fromkeys([*draft.problems, *report.problems]))
        warnings = list(dict.fromkeys([*draft.warnings, *report.warnings]))
        return report.model_copy(update={"problems": problems, "warnings": warnings})

    def send(self) -> JobView:
        """Submit the draft, send what the server lacks, and queue the job."""
        submission = self._draft.submission(self._entries)
        key = self._unfinished.key(submission) if self._unfinished else uuid.uuid4().hex
        if self._unfinished is None:
            return self._sent(self._submit(submission, key))
        with self._unfinished.asking(submission, key):
            receiving = self._submit(submission, key)
        with self._unfinished.watch(submission, key, receiving.job):
            return self._sent(receiving)

    def _sent(self, receiving: Receiving) -> JobView:
        self._upload(receiving)
        return self._client.queue(receiving.job)

    def _upload(self, receiving: Receiving) -> None:
        sizes = {entry.sha256: entry.size for entry in self._entries}
        total = sum(sizes[sha256] for sha256 in receiving.missing)
        with byte_progress(quiet=self._quiet) as progress, Interruption() as interruption:
            bar = progress.add_task(f"Sending {len(receiving.missing)} of {len(sizes)} files", total=total)
            watch = interruption.guard(lambda count: progress.advance(bar, count))
            stuck = retrying(quiet=self._quiet)
            upload_missing(self._client, receiving, self._paths, watch, self._parallel, stuck)

    def _submit(self, submission: Submission, key: str) -> Receiving:
        submission = submission.model_copy(update={"key": key})
        for _ in range(TRIES - 1):
            try:
                return self._client.submit(submission)
            except Unavailable:
                continue
        return self._client.submit(submission)

    def _hash(self, files: list[LocalFile]) -> None:
        cache = HashCache(str(self._hashes or ""), self._doubt)
        with byte_progress(quiet=self._quiet) as progress:
            bar = progress.add_task("Reading files", total=sum(file.local.stat().st_size for file in files))
            advance = partial(progress.advance, bar)
            try:
                self._entries, self._paths = hashed(
                    files, advance, lambda path: cache.hash_file(str(path), lambda _name: hash_file(path))
                )
            finally:
                cache.save()

    def _doubt(self, error: Exception) -> None:
        log.warning("Hashes of files can't be remembered.", file=str(self._hashes), error=str(error))


def judge(report: CheckReport, name: str, *, anyway: bool, yes: bool, quiet: bool = False) -> None:
    """Show what a check found; go on only if nothing stops the job.

    Args:
        report: the check's.
        name: what the person calls the source.
        anyway: go on though no slave fits now.
        yes: ask nothing.
        quiet: show nothing; the error has it all.

    Raises:
        Refused: there are problems, or no slave fits and the person does not want to wait for one.
    """
    problems = [text for text in report.problems if text not in report.unfit]
    if not quiet:
        _list("Note: ", "yellow", [*report.warnings, *report.unfit])
        _list("Problem: ", "red", problems)
    facts: dict[str, Any] = {"problems": report.problems, "warnings": report.warnings}
    if problems:
        count = len(problems)
        noun = "problem" if count == 1 else "problems"
        raise Refused(f"“{name}” can't be rendered as it is: {count} {noun}. Nothing was sent.", **facts)
    if report.fitting_slaves or anyway or yes:
        return
    message = "No slave of the farm can render this now."
    if not interactive() or not typer.confirm(f"{message} Submit it anyway, to wait for one?", err=True):
        hint = "`distren slaves` lists them; --anyway submits it to wait."
        raise Refused(f"{message} Nothing was sent.", hint=hint, **facts)


def _list(title: str, style: str, texts: list[str]) -> None:
    for text in texts:
        stderr().print(Text.assemble((title, style), text), soft_wrap=True)


def describe(report: CheckReport) -> None:
    """Print what a dry run found."""
    slaves = ", ".join(report.fitting_slaves) or "none"
    notice(f"{report.frames} frames; {size(report.missing_bytes)} to send; slaves that fit: {slaves}.")
