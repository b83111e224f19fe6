"""`audit`: compare what a server's database says with itself, and with what is on the disk."""

from __future__ import annotations

from typing import Annotated

import typer

from farm.cli.options import Config, Data, DatabaseUrl, Json
from farm.cli.output import emit, say
from farm.cli.serverside import servers_packages
from farm.words.errors import DistrenError, NotASetup
from farm.words.settings import ServerSettings, load


def audit(
    data: Data = None,
    database: DatabaseUrl = None,
    deep: Annotated[bool, typer.Option("--deep", help="Read all stored files, and compare their hashes.")] = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Look for contradictions in a server's database and storage; on its machine, also while it runs.

    Reads only. Exit code 1 if there are any: please report them, with the server's log.
    """
    settings = load(ServerSettings, config, data=data, database=database)
    found = _contradictions(settings, deep=deep)
    if json:
        emit({"contradictions": found})
    else:
        for sentence in found or ["No contradictions."]:
            say(sentence)
    if found:
        raise typer.Exit(DistrenError.exit_code)


def _contradictions(settings: ServerSettings, *, deep: bool) -> list[str]:
    with servers_packages():
        from farm.database import engine
        from farm.files.choice import store_of
        from farm.files.view import JobFolders
        from farm.jobs.audit import audit
    reading, storage = engine.reading(settings.database_url), settings.storage_folder
    with engine.opening(settings.database_url), reading.connect() as conn:
        conn.exec_driver_sql("SELECT 1 FROM meta")
        conn.rollback()
        if not settings.bucket and not (storage / "blobs").is_dir():
            raise NotASetup(f"There are no stored files in {storage}.", hint="Name the server's folder with --data.")
        found = audit(conn, store_of(settings), JobFolders(storage / "stor"), deep=deep)
    reading.dispose()
    return found
