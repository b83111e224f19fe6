"""`audit`: compare what a server's database says with itself."""

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
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="The server's settings file.")] = None,
    json: Json = False,
) -> None:
    """Look for contradictions in a server's database; on its machine, also while it runs.

    Reads only. Exit code 1 if there are any: please report them, with the server's log.
    """
    settings = load(ServerSettings, config, data=data, database=database)
    found = _contradictions(settings.database_url)
    if json:
        emit({"contradictions": found})
    else:
        for sentence in found or ["No contradictions."]:
            say(sentence)
    if found:
        raise typer.Exit(DistrenError.exit_code)


def _contradictions(url: str) -> list[str]:
    try:
        from farm.database import engine
        from farm.scheduler import audit
    except ModuleNotFoundError as error:
        raise NotASetup(
            f"This needs the server's packages, which are not installed here ({error.name}).",
            hint="Run it on the server's machine, or: pip install 'distren[server]'.",
        ) from error
    reading = engine.reading(url)
    with engine.opening(url), reading.connect() as conn:
        found = audit.audit(conn)
    reading.dispose()
    return found
