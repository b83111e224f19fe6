"""`slave`: run a slave in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from farm.cli.output import emit
from farm.cli.settingoptions import options_of
from farm.words.logs import configure
from farm.words.settings import SlaveSettings, load


@options_of(SlaveSettings)
def slave(*, config: str | None, json: bool, given: dict[str, Any]) -> None:
    """Render for a server on this machine.

    Needs a key and password from `distren slave-key NAME`; they belong into slave.conf
    or the environment (DISTREN_SLAVE_PASSWORD). Ctrl-C once: finish the frames that
    render now; twice: give them back at once.
    """
    settings = load(SlaveSettings, Path(config) if config else None, **given)
    from farm.slave.run import run

    configure(settings.log_format, settings.log_level)

    run(settings, on_event=emit if json else None)
