"""`audit`: compare what a server's database says with itself, and with what is on the disk."""

from __future__ import annotations

from typing import Annotated

import typer

from farm.cli.options import Config, Data, DatabaseUrl, Json
from farm.cli.output import emit, say
from farm.cli.serverside import servers_packages
from farm.words.errors import DistrenError
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
    with servers_packages():
        from farm.jobs.audit import contradictions
    found = contradictions(settings, deep=deep)
    if json:
        emit({"contradictions": found})
    else:
        for sentence in found or ["No contradictions."]:
            say(sentence)
    if found:
        raise typer.Exit(DistrenError.exit_code)
