"""`jobs`, `show`, `logs`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.text import Text

from farm.cli.connect import Target, connect
from farm.cli.options import Frame, JobOrFrame, Json, Server
from farm.cli.output import ago, emit, facts, notice, say, size, span, stdout, styled, table
from farm.cli.waterfall import show_timing
from farm.client.farmclient import FarmClient
from farm.package.outputs import SETTING, read_outputs
from farm.protocol.depends import spelled
from farm.protocol.jobs import AttemptView, FramePage, FrameView, JobView, SetView
from farm.words.backends import TITLES
from farm.words.errors import BadSetting
from farm.words.names import Address
from farm.words.ranges import FrameRange
from farm.words.states import FrameState, JobState

SHOWN = 20
"""The most failed frames that `show` names."""

MOST_FLAT = 1000
"""The most frames of one colour that `show` looks for."""


def jobs(
    where: Annotated[
        str | None, typer.Argument(metavar="[ADDRESS]", help="Of another server: distren://annex/; usually of yours.")
    ] = None,
    state: Annotated[JobState | None, typer.Option(help="Only jobs in this state.")] = None,
    owner: Annotated[str | None, typer.Option(metavar="NAME", help="Only this user's jobs.")] = None,
    project: Annotated[str | None, typer.Option(help="Only jobs with this label.")] = None,
    search: Annotated[str | None, typer.Option(metavar="TEXT", help="Only jobs with this text in their name.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The most jobs to list.")] = 20,
    after: Annotated[int | None, typer.Option(metavar="JOB", help="Go on with the list after this job.")] = None,
    server: Server = None,
    json: Json = False,
) -> None:
    """List jobs, newest first."""
    with connect(server or (_server(where) if where else None)) as client:
        wanted = state.value if state else None
        page = client.jobs(state=wanted, owner=owner, project=project, search=search, after=after, limit=limit)
    if json:
        emit(page)
        return
    if not page.jobs:
        notice("No jobs. `distren submit shot.blend` makes one.")
        return
    titles = ("job", "name", "owner", "state", "frames", "failed", "left", "project")
    table(titles, map(_row, page.jobs), right=("job", "frames", "failed", "left"))
    if page.next is not None:
        notice(f"There are more: distren jobs --after {page.next}")


def show(
    what: JobOrFrame,
    timing: Annotated[
        bool, typer.Option("--timing", help="Show where the time went: of a frame, or of all frames of a job.")
    ] = False,
    server: Server = None,
    json: Json = False,
) -> None:
    """Show a job (12), or a frame of it with all its attempts (12/3)."""
    target = Target(what, server)
    with target.client as client:
        if timing:
            show_timing(client, target.job, target.address.frame, as_json=json)
            return
        if target.address.frame is not None:
            frame = client.frame(target.job, target.frame)
            emit(frame) if json else _show_frame(frame)
            return
        job = client.job(target.job)
        if json:
            emit(job)
            return
        failed = client.frames(target.job, state="failed", limit=SHOWN).frames if job.counts.failed else []
        flat = client.frames(target.job, uniform=True, limit=MOST_FLAT) if job.counts.done else None
    show_job(job, failed)
    if flat is not None and flat.frames:
        _say_flat(flat)


def logs(
    frame: Frame,
    attempt: Annotated[int | None, typer.Option(metavar="NUMBER", help="This attempt's; usually the last.")] = None,
    follow: Annotated[bool, typer.Option("--follow", help="While it renders, go on with what is new.")] = False,
    server: Server = None,
    json: Json = False,
) -> None:
    """Print the renderer's log of a frame."""
    target = Target(frame, server)
    with target.client as client:
        if follow:
            _follow(client, target)
            return
        text = client.log(target.job, target.frame, attempt)
    if json:
        emit({"job": target.job, "frame": target.frame, "attempt": attempt, "log": text})
    else:
        sys.stdout.write(text if not text or text.endswith("\n") else text + "\n")


def _follow(client: FarmClient, target: Target) -> None:
    """Print what a renderer says; what is told twice is printed once."""
    heard: dict[int, int] = {}
    for said in client.tail(target.job, target.frame):
        end = said.at + len(said.text.encode())
        if end > heard.get(said.attempt, 0):
            heard[said.attempt] = end
            sys.stdout.write(said.text)
            sys.stdout.flush()


def show_job(job: JobView, failed: list[FrameView]) -> None:
    """Print a job, with the frames that failed and why."""
    say(f"Job {job.job} “{job.name}” of {job.owner}")
    reason = f" ({job.pause_reason})" if job.pause_reason else ""
    limits = [f"at most {job.max_slaves}" if job.max_slaves else "", ", ".join(job.slaves)]
    limits += [f"not {', '.join(job.not_slaves)}"] if job.not_slaves else []
    facts(
        [
            ("state", styled(job.state) + Text(reason)),
            ("frames", f"{job.frames}  ({_counts(job)})"),
            ("depends on", "; ".join(map(spelled, job.depends))),
            ("waits for", "; ".join(job.waiting)),
            ("message", job.message),
            ("speed", _speed(job)),
            ("source", job.source),
            ("renderer", _renderer(job)),
            ("settings", _settings(job)),
            ("sets", "; ".join(map(_set, job.sets))),
            ("writes", _writes(job)),
            ("priority", str(job.priority)),
            ("slaves", "; ".join(filter(None, limits))),
            ("project", job.project),
            ("comment", job.comment),
            ("files", size(job.total_bytes) + (f", {size(job.missing_bytes)} missing" if job.missing_bytes else "")),
            ("its files", _let_go(job)),
            ("submitted", ago(job.created)),
            ("ended", ago(job.ended)),
            ("address", job.address),
        ]
    )
    for frame in failed:
        stdout().print(Text.assemble(("Failed: ", "red"), frame.message))


def _let_go(job: JobView) -> str:
    if job.let_go is None:
        return ""
    return f"let go on {job.let_go:%Y-%m-%d}: pictures stay; to render it again, submit it again as a new job"


def _say_flat(flat: FramePage) -> None:
    named = FrameRange.of(frame.frame for frame in flat.frames)
    more = " and more" if flat.next is not None else ""
    text = f"frames {named}{more}. If they are no fades, look at them, mend the file and retry."
    stdout().print(Text.assemble(("Of one colour: ", "yellow"), text))


def _settings(job: JobView) -> str:
    """Return what the person chose; what a client fills in is for machines."""
    return ", ".join(
        f"{name}={value}"
        for name, value in job.settings.items()
        if name not in ("relocate", "colours", "sent_addons", SETTING)
    )


def _set(one: SetView) -> str:
    """Return a set in one line: its name, the numbers of its frames, and its settings."""
    values = ", ".join(f"{name}={value}" for name, value in one.settings.items())
    return f"{one.name} ({one.frames}): {values}" if one.name else f"pictures {one.frames}: {values}"


def _writes(job: JobView) -> str:
    """Return where its pictures go at home."""
    try:
        told = read_outputs(job.settings)
    except BadSetting as error:  # anybody may have sent it
        return error.message
    video = [f"a video in the file ({told.video}): its frames are rendered as pictures"] if told.video else []
    return "; ".join([*dict.fromkeys(place.path for place in told.places), *video])


def _server(where: str) -> str:
    """Return the server of an address, or the name that stands for one."""
    return Address.parse(where).server if "://" in where else where


def _row(job: JobView) -> list[str | Text]:
    counts = job.counts
    failed = Text(str(counts.failed), style="red") if counts.failed else Text("")
    left = span(job.eta_seconds) if job.eta_seconds else ""
    done = f"{counts.done}/{counts.total}"
    return [str(job.job), job.name, job.owner, styled(job.state), done, failed, left, job.project]


def _counts(job: JobView) -> str:
    counts = job.counts.model_dump()
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "none"


def _speed(job: JobView) -> str:
    parts = []
    if job.seconds_per_frame:
        parts.append(f"{span(job.seconds_per_frame)} for a frame")
    if job.frames_per_second:
        parts.append(f"{job.frames_per_second:.2f} frames/s")
    if job.eta_seconds:
        parts.append(f"{span(job.eta_seconds)} left")
    return ", ".join(parts)


def _renderer(job: JobView) -> str:
    needs = job.requires
    newer = " or newer" if needs.version and needs.newer else ""
    device = {"cpu": "on processors", "gpu": "on graphics cards", "any": "on processors and graphics cards"}
    on = device.get(needs.device, f"on graphics cards by {TITLES[needs.device]}" if needs.device in TITLES else "")
    tags = f"(tags {', '.join(needs.tags)})" if needs.tags else ""
    pool = f"(pool {needs.pool})" if needs.pool else ""
    return " ".join(filter(None, (needs.method, job.pinned or needs.version + newer, needs.engine, on, tags, pool)))


def _show_frame(frame: FrameView) -> None:
    say(f"Frame {frame.address.removeprefix('distren://')}")
    percent = f" {frame.progress:.0%}" if frame.progress and frame.state == FrameState.LEASED else ""
    facts(
        [
            ("state", styled(frame.state) + Text(percent)),
            ("picture", str(frame.picture)),
            ("set", frame.set),
            ("slave", frame.slave or ""),
            ("waits for", frame.waiting),
            ("message", frame.message),
            ("time", span(frame.seconds)),
            ("files", ", ".join(f"{file.name} ({size(file.size)})" for file in frame.files)),
        ]
    )
    if frame.attempts:
        say("")
        titles = ("attempt", "slave", "state", "when", "time", "CPU", "memory", "message")
        table(titles, map(_attempt, frame.attempts), right=("attempt", "time", "CPU", "memory"))


def _attempt(attempt: AttemptView) -> list[str | Text]:
    fault = f"[{attempt.failure_class}] " if attempt.failure_class else ""
    memory = size(attempt.peak_memory_bytes) if attempt.peak_memory_bytes else ""
    times = [ago(attempt.issued), span(attempt.seconds), span(attempt.cpu_seconds), memory]
    return [str(attempt.attempt), attempt.slave, styled(attempt.state), *times, fault + attempt.message]
