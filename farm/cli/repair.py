"""`doctor --repair`: put a stopped server's data right."""

from __future__ import annotations

from pathlib import Path

import typer

from farm.cli.output import emit, say
from farm.cli.serverside import servers_packages
from farm.words.errors import DistrenError
from farm.words.settings import ServerSettings


def repair(settings: ServerSettings, *, act: bool, deep: bool, backup: Path | None, json: bool) -> None:
    """Repair or rehearse, and tell.

    Args:
        settings: the server's.
        act: do it.
        deep: compare all files' hashes.
        backup: the folder of backups that lost files may be in.
        json: for programs.
    """
    with servers_packages():
        from farm.server.backupfolder import BackupFolder
        from farm.server.repair import repair as make
    found = make(settings, act=act, deep=deep, backup=BackupFolder(backup) if backup else None)
    if json:
        emit({"acted": act, "done": found.done, "left": found.left})
    else:
        for sentence in found.done or ["Nothing to repair."]:
            say(sentence)
        if found.done and not act:
            say("This was a rehearsal: nothing is changed. With --yes it is done; make a backup before.")
        for sentence in found.left:
            say(f"Left: {sentence}")
    if found.left or (found.done and not act):
        raise typer.Exit(DistrenError.exit_code)
