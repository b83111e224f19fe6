"""`distren`: the one command.

The verbs' modules are imported when a verb runs, so that `distren --help` is quick and
client and slave work where the server's packages are not installed.
"""

from __future__ import annotations

from typing import Annotated

import typer

from farm import __version__
from farm.cli.verbs import VerbGroup

app = typer.Typer(
    name="distren",
    cls=VerbGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Every verb has --help and --json. Exit codes: 0 well, 1 error, 2 usage, 3 no answer, 4 not allowed, "
    "5 not found, 6 refused, 7 the job failed, 8 something is missing here, 130 stopped by Ctrl-C.",
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"distren {__version__}")
        raise typer.Exit


@app.callback()
def distren(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A render farm for Blender: send a .blend file, get pictures."""


def main() -> None:
    """Run the command line of this process."""
    app()


if __name__ == "__main__":
    main()
