"""`demo`: a real animation, rendered by a real farm of this one machine."""

from __future__ import annotations

import secrets
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from farm.cli.bringhome import BringHome
from farm.cli.combining import encoding
from farm.cli.connect import client_settings
from farm.cli.demopovray import povray_draft
from farm.cli.demoscene import chosen_blender, scene
from farm.cli.draft import Draft
from farm.cli.follow import Follower
from farm.cli.interruption import terminated_like_interrupted
from farm.cli.options import Frames, Json
from farm.cli.output import emit, notice, say, span
from farm.cli.sending import Sending
from farm.cli.sources import draft_for
from farm.client.farmclient import FarmClient
from farm.methods.base import Offered
from farm.protocol.accounts import Register
from farm.protocol.jobs import JobView
from farm.simulator.ownfarm import OwnFarm, new_folder
from farm.words.errors import JobFailed, Refused
from farm.words.folders import user_folder
from farm.words.ranges import FrameRange
from farm.words.settings import ClientSettings
from farm.words.states import SlaveState

KIND = "mp4"
"""The demo's video: every browser and player shows it."""

USER = "demo"
SLAVES = ("demo-1", "demo-2")

PATIENCE = 60.0
"""Seconds that slaves get to log in before the job says why it waits."""


def demo(
    frames: Frames = None,
    keep: Annotated[bool, typer.Option("--keep", help="Stay up afterwards, until Ctrl-C.")] = False,
    folder: Annotated[Path, typer.Option("--dir", metavar="FOLDER", help="Where the pictures go.")] = Path(
        "demo-pictures"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="The server's port; 0: any free one.")] = 0,
    blender: Annotated[Path | None, typer.Option(help="The Blender to use; usually one is found.")] = None,
    json: Json = False,
) -> None:
    """Render a real animation on a farm of this one machine.

    Finds Blender (or installs bpy from PyPI into an environment of its own), makes a
    scene, starts a server and two slaves, submits, shows progress and fetches the
    pictures; where there is POV-Ray, it renders a scene beside. Nothing is left
    running, unless you say --keep.
    """
    wanted = str(FrameRange.parse(frames)) if frames is not None else None
    began = time.monotonic()
    with terminated_like_interrupted():
        settings = client_settings(blender=blender)
        renderer = chosen_blender(settings)
        draft, beside_it = _draft(renderer, wanted, settings), povray_draft(wanted, settings)
        with OwnFarm(new_folder(user_folder("cache") / "demo")) as farm:
            url, passphrase, client = _open(farm, port, renderer)
            with client:
                jobs = [_submitted(client, each, json=json) for each in (draft, beside_it) if each]
                video = _video(client, draft, jobs[0], json=json)
                view, home = _render(farm, client, jobs[0], folder, json=json)
                beside = [_render(farm, client, job, folder / "povray", json=json) for job in jobs[1:]]
                shown = {"video": str(_encoded(farm, client, video, folder, json=json))} if video else {}
            shown |= {"user": USER, "passphrase": passphrase} if keep else {}
            more = {"beside": [job for job, _ in beside], **shown}
            _told(view, home, url, folder, seconds=time.monotonic() - began, more=more, json=json)
            if keep:
                _stay(farm, url, passphrase)


def _draft(renderer: Offered, frames: str | None, settings: ClientSettings) -> Draft:
    chosen = settings.model_copy(update={"blender": [renderer.launcher.program], "bpy": []})
    values: dict[str, Any] = {"name": "demo", "project": "demo"}
    draft = draft_for(scene(renderer), None, frames, {}, values, newer=True, settings=chosen, kept=ExitStack())
    if draft.problems:
        raise Refused("The demo's scene can't be rendered: " + "; ".join(draft.problems))
    return draft


def _open(farm: OwnFarm, port: int, renderer: Offered) -> tuple[str, str, FarmClient]:
    """Start the farm; return the server's address, and the passphrase and a client of its admin."""
    notice("Starting a server and two slaves …")
    ready = farm.start_server(port)
    url, passphrase = str(ready["url"]), secrets.token_urlsafe(9)
    with FarmClient(url) as guest:
        register = Register(
            name=USER, passphrase=SecretStr(passphrase), invite=str(ready["setup_code"]), device="distren demo"
        )
        client = FarmClient(url, guest.register(register).token)
    kind = "bpy" if renderer.launcher.kind == "bpy" else "blender"
    for name in SLAVES:
        farm.start_slave(url, client.make_slave_key(name), {kind: str(renderer.launcher.program)})
    _await_a_slave(farm, client)
    return url, passphrase, client


def _await_a_slave(farm: OwnFarm, client: FarmClient) -> None:
    """Wait until one has logged in: till then the job could only complain that there is none."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and all(slave.state == SlaveState.OFFLINE for slave in client.slaves()):
        farm.check()
        time.sleep(0.1)


def _submitted(client: FarmClient, draft: Draft, *, json: bool) -> JobView:
    sending = Sending(client, draft, quiet=json)
    sending.check()
    return sending.send()


def _render(farm: OwnFarm, client: FarmClient, job: JobView, folder: Path, *, json: bool) -> tuple[JobView, BringHome]:
    """Follow a job, and bring its pictures home as they finish."""
    many = "frame" if job.counts.total == 1 else "frames"
    notice(f"Rendering {job.counts.total} {many} of “{job.name}” into {folder.resolve()}")
    home = BringHome(client, job.job, folder, overwrite=True)

    def on_done(view: JobView, finished: FrameRange | None) -> None:
        farm.check()
        home.bring(view, finished)

    try:
        return Follower(client, job.job, quiet=json, on_done=on_done).follow(), home
    except JobFailed as error:
        raise JobFailed(error.message, hint="`distren doctor` looks for what is wrong here.") from error


def _video(client: FarmClient, draft: Draft, job: JobView, *, json: bool) -> JobView | None:
    """Submit the job that makes a job's pictures into a video; None: no slave has an ffmpeg for that."""
    offers = [offer for slave in client.slaves() for offer in slave.offers if offer.method == "video"]
    if not any(KIND in offer.engines for offer in offers):
        notice("There is no ffmpeg here, so the pictures become no video. Debian: sudo apt-get install ffmpeg")
        return None
    return _submitted(client, encoding(draft, job, KIND, None, None), json=json)


def _encoded(farm: OwnFarm, client: FarmClient, video: JobView, folder: Path, *, json: bool) -> Path:
    """Wait for a video, bring it home, and return where it is."""
    _, home = _render(farm, client, video, folder, json=json)
    (file,) = (*home.haul.fetched, *home.haul.here)
    return (folder / file.name).resolve()


def _told(
    view: JobView, home: BringHome, url: str, folder: Path, *, seconds: float, more: dict[str, Any], json: bool
) -> None:
    pictures = len(home.haul.fetched) + len(home.haul.here)
    rendered = (view.ended - view.started).total_seconds() if view.ended and view.started else None
    if json:
        facts = {"folder": str(folder.resolve()), "pictures": pictures, "url": url, "seconds": seconds, "job": view}
        emit({**facts, **more})
        return
    rate = f" at {view.counts.done / rendered:.2f} frames/s" if rendered else ""
    say(f"{pictures} pictures are in {folder.resolve()} — rendered in {span(rendered)}{rate}, all in {span(seconds)}.")
    for job in more["beside"]:
        say(f"{job.counts.done} pictures of “{job.name}” are in {(folder / 'povray').resolve()}.")
    if "video" in more:
        say(f"The video: {more['video']}")
    say(f"The server was at {url}. Try next:")
    say("  distren demo --keep    keeps the farm up, to play with")
    say("  distren server         a farm for your own machines")
    say("  distren submit shot.blend --wait --fetch out/")


def _stay(farm: OwnFarm, url: str, passphrase: str) -> None:
    notice(f"The farm stays up at {url} until Ctrl-C. Look at it in a browser: name {USER}, passphrase {passphrase}")
    notice("In another terminal:")
    notice(f"  DISTREN_PASSPHRASE={passphrase} distren login {USER} --server {url}")
    notice("  distren jobs; distren slaves; distren submit shot.blend --wait --fetch out/")
    try:
        while True:
            time.sleep(1)
            farm.check()
    except KeyboardInterrupt:
        notice("\nThe farm is closed.")
