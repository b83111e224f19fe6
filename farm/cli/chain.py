"""The jobs that one submission makes, each of which waits for the one before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from farm.cli import bakes, combining
from farm.cli.draft import Draft
from farm.cli.grids import grid_for
from farm.cli.submitoptions import Combining
from farm.client.farmclient import FarmClient
from farm.protocol.jobs import JobView
from farm.words.errors import Malformed


@dataclass(frozen=True, slots=True)
class Link:
    """One of the jobs.

    Args:
        draft: returns its draft, told the job that it waits for; None: that is not there yet, and it is only checked.
        brings: its files are what the person wants.
    """

    draft: Callable[[JobView | None], Draft]
    brings: bool = True

    def checked(self) -> Draft:
        """Return the draft as it can be checked while there is nothing yet that it waits for."""
        draft = self.draft(None)
        return replace(draft, files=[file for file in draft.files if file.path == draft.source])


def chained(draft: Draft, wish: Combining, client: FarmClient, sound: Path | None) -> list[Link]:
    """Return the jobs that make of a draft what a person wants: a bake, its tiles, its pictures, a video of them.

    Args:
        draft: the pictures.
        wish: what else.
        client: knows what earlier jobs took.
        sound: of the video.

    Raises:
        BadSetting, BadFrameRange, Malformed: that can't be.
    """
    if (wish.fps or wish.audio) and not wish.video:
        raise Malformed("--fps and --audio are of a video.", hint="Say --video mp4, too.")
    whole = combining.viewed(draft) if wish.video else draft
    grid = grid_for(wish.tiles, client, draft) if wish.tiles else ""
    first = combining.tiled(whole, grid) if grid else whole
    if wish.bake and bakes.needed(draft):
        bake = bakes.baking(draft)
        links = [Link(lambda _: bake, brings=False), Link(lambda job: bakes.baked(first, job), brings=not grid)]
    else:
        ready = replace(first, problems=[*first.problems, *first.unready])
        links = [Link(lambda _: ready, brings=not grid)]
    if grid:
        links.append(Link(lambda job: combining.joining(draft, job, grid), brings=not draft.finishing))
        if draft.finishing:
            links.append(Link(lambda job: combining.finished(whole, job)))
    if kind := wish.video:
        combining.encoding(draft, None, kind, wish.fps, None)  # says at once what can't be
        links.append(Link(lambda job: combining.encoding(draft, job, kind, wish.fps, sound)))
    return links
