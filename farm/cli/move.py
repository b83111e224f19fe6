"""`move`: take a server to another database, folder or bucket."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from farm.cli.options import Config, Json
from farm.cli.output import emit, say, size
from farm.cli.serverside import servers_packages
from farm.words.errors import DistrenError
from farm.words.settings import ServerSettings, load


def move(
    to: Annotated[Path, typer.Argument(metavar="NEW.toml", help="The settings file that the server will run with.")],
    config: Config = None,
    json: Json = False,
) -> None:
    """Take a stopped server to another database (SQLite, MariaDB), folder or bucket; on its machine.

    What the settings in force and those of NEW.toml differ in, is moved: rows and files are copied and compared, and
    what broke off goes on when it is called again. The old data stay, but no server starts on the old database again.
    """
    old, new = load(ServerSettings, config), load(ServerSettings, to)
    with servers_packages():
        from farm.server.move import move as make
    done = make(old, new)
    if json:
        facts = {"server": done.server, "copied": done.copied.blobs, "copied_bytes": done.copied.bytes}
        emit({**facts, "lost": done.copied.lost, "rows": done.rows})
    else:
        say(f"{done.server} is moved: {done.copied.blobs:,} files ({size(done.copied.bytes)}), and what was there.")
        say(f"Copied: {sum(done.rows.values()):,} rows. Start it with {to}, and look at it: distren audit.")
        if done.copied.lost:
            say(f"The server itself has not {len(done.copied.lost):,} files that its database names.")
    if done.copied.lost:
        raise typer.Exit(DistrenError.exit_code)
