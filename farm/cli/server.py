"""`server`: run a server in this process."""

from __future__ import annotations

import gc
from dataclasses import asdict
from pathlib import Path
from typing import Any

from farm.cli.output import emit, say
from farm.cli.settingoptions import options_of
from farm.words.errors import NotASetup
from farm.words.logs import configure
from farm.words.settings import ServerSettings, load


@options_of(ServerSettings)
def server(*, config: str | None, json: bool, given: dict[str, Any]) -> None:
    """Run a server. Its first start makes the database and prints a setup code for the admin.

    Every setting may also stand in server.toml or in the environment (DISTREN_NAME);
    `distren config show server` says what is in force. With --json the first line of
    stdout says where the server listens. Ctrl-C ends it.
    """
    settings = load(ServerSettings, Path(config) if config else None, **given)
    gc.disable()  # what is imported stays: to look for garbage in it costs a tenth of the start
    try:
        from farm.server.process import run
    except ModuleNotFoundError as error:
        raise NotASetup(
            f"A server needs packages that are not installed here ({error.name}).",
            hint="Install them: pip install 'distren[server]'.",
        ) from error
    configure(settings.log_format, settings.log_level)
    run(settings, on_ready=lambda ready: _ready(asdict(ready), as_json=json))


def _ready(facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        emit(facts)
        return
    say(f"The server “{facts['name']}” listens at {facts['url']}. Ctrl-C ends it.")
    if facts["setup_code"]:
        say("There is no admin yet. Become it, with this code that works once:")
        say(f"  distren register --server {facts['url']} --invite {facts['setup_code']}")
