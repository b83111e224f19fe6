"""`backup`, `restore`: keep a server's database and files elsewhere, and make a server from that."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from farm.cli.options import Config, Data, DatabaseUrl, Json
from farm.cli.output import emit, say, size
from farm.cli.serverside import servers_packages
from farm.words.errors import DistrenError
from farm.words.settings import ServerSettings, load

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder of backups.")]


def backup(
    folder: Folder,
    data: Data = None,
    database: DatabaseUrl = None,
    keep: Annotated[int, typer.Option(min=0, help="Keep so many, and remove older ones; 0: all.")] = 0,
    check: Annotated[
        bool, typer.Option("--check", help="Make none: read all that is there, and compare hashes.")
    ] = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Back a server up, on its machine and with its settings, while it works.

    Database, files and the keys by which other servers know it; settings files are yours to keep. Files that an earlier
    backup in the folder has are not copied again. Exit code 1 if the server itself has not all files, or if
    the check finds damage.
    """
    settings = load(ServerSettings, config, data=data, database=database)
    if check:
        _check(folder, json=json)
        return
    with servers_packages():
        from farm.server.backup import backup as make
        from farm.server.backupfolder import BackupFolder
    done = make(settings, BackupFolder(folder), keep)
    facts = done.facts
    if json:
        emit({**facts.model_dump(mode="json"), "copied": done.copied, "copied_bytes": done.copied_bytes})
    else:
        say(f"Backup {facts.name} of {facts.server}: {facts.files:,} files, {size(facts.bytes)}.")
        say(f"Copied: {done.copied:,} files, {size(done.copied_bytes)}.")
        _lost(facts.lost, "The server itself has not", "`distren audit` says what they belong to")
    if facts.lost:
        raise typer.Exit(DistrenError.exit_code)


def restore(
    folder: Folder,
    data: Data = None,
    database: DatabaseUrl = None,
    at: Annotated[str, typer.Option(metavar="NAME", help="Which backup; usually the newest.")] = "",
    log_out: Annotated[
        bool, typer.Option("--log-out", help="Users log in anew; logins ended after the backup are not back.")
    ] = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Make a server from a backup, on its machine and with its settings, before it starts.

    Its database must be missing or empty, SQLite or MariaDB, whichever the backup came from. Files that are there stay.
    What broke off goes on when it is called again. Exit code 1 if the backup has not all files.
    """
    settings = load(ServerSettings, config, data=data, database=database)
    with servers_packages():
        from farm.server.backupfolder import BackupFolder
        from farm.server.restore import restore as make
    done = make(settings, BackupFolder(folder), at, log_out=log_out)
    facts, lost = done.facts, done.copied.lost
    if json:
        shown = {"copied": done.copied.blobs, "copied_bytes": done.copied.bytes, "next_job": done.next_job}
        emit({**facts.model_dump(mode="json"), **shown, "lost": lost})
    else:
        say(f"{facts.server} is as it was at {facts.at:%Y-%m-%d %H:%M:%S} UTC: {facts.files:,} files.")
        say(f"Copied: {done.copied.blobs:,} files, {size(done.copied.bytes)}. The next job will be {done.next_job}.")
        _lost(lost, "The backup has not", "`distren audit` says what they belong to")
    if lost:
        raise typer.Exit(DistrenError.exit_code)


def _check(folder: Path, *, json: bool) -> None:
    with servers_packages():
        from farm.server.backupcheck import check
        from farm.server.backupfolder import BackupFolder
    found = check(BackupFolder(folder))
    if json:
        emit({"damage": found})
    else:
        for sentence in found or ["All is as it was written."]:
            say(sentence)
    if found:
        raise typer.Exit(DistrenError.exit_code)


def _lost(lost: list[str], who: str, more: str) -> None:
    if lost:
        say(f"{who} {len(lost):,} files that its database names; {more}.")
