"""`audit`: compare what a server's database says with itself, and with what is on the disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from farm.cli.options import Json
from farm.cli.output import emit, say
from farm.words.errors import DistrenError, NotASetup
from farm.words.settings import ServerSettings, load


def audit(
    data: Annotated[str | None, typer.Option(metavar="FOLDER", help="The server's data folder.")] = None,
    database: Annotated[str | None, typer.Option(metavar="URL", help="The server's database.")] = None,
    deep: Annotated[bool, typer.Option("--deep", help="Read all stored files, and compare their hashes.")] = False,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="The server's settings file.")] = None,
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
    try:
        from farm.database import engine
        from farm.files.choice import store_of
        from farm.files.view import JobFolders
        from farm.jobs.audit import audit
    except ModuleNotFoundError as error:
        raise NotASetup(
            f"This needs the server's packages, which are not installed here ({error.name}).",
            hint="Run it on the server's machine, or: pip install 'distren[server]'.",
        ) from error
    reading, storage = engine.reading(settings.database_url), settings.storage_folder
    with engine.opening(settings.database_url), reading.connect() as conn:
        conn.exec_driver_sql("SELECT 1 FROM meta")
        conn.rollback()
        if not settings.bucket and not (storage / "blobs").is_dir():
            raise NotASetup(f"There are no stored files in {storage}.", hint="Name the server's folder with --data.")
        found = audit(conn, store_of(settings), JobFolders(storage / "stor"), deep=deep)
    reading.dispose()
    return found
