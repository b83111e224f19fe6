"""Where a passphrase comes from: a prompt, the environment, or standard input; never an option.

Options are seen by everybody on the machine (`ps`) and stay in the shell's history.
"""

from __future__ import annotations

import os
import sys

import typer
from pydantic import SecretStr

from farm.cli.output import interactive
from farm.words.errors import NotASetup


def ask_passphrase(*, from_stdin: bool, new: bool = False) -> SecretStr:
    """Return the passphrase.

    Args:
        from_stdin: read one line of standard input.
        new: the person chooses it now, so a prompt asks twice.

    Raises:
        NotASetup: there is nobody to ask.
    """
    if from_stdin:
        return SecretStr(sys.stdin.readline().rstrip("\r\n"))
    if given := os.environ.get("DISTREN_PASSPHRASE"):
        return SecretStr(given)
    if not interactive():
        hint = "Use --passphrase-stdin, or set DISTREN_PASSPHRASE."
        raise NotASetup("The passphrase can't be asked for: this is no terminal.", hint=hint)
    return SecretStr(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=new, err=True))
