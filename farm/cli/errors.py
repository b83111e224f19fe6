"""How a command ends: well, or with one line on stderr and an exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from farm.words.errors import DistrenError, Unauthenticated, WrongPassphrase

INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 + SIGINT."""

JSON = "farm.json"
"""Where a context's `meta` says that the verb was given --json."""


@contextmanager
def ends_well(ctx: Any) -> Iterator[None]:
    """Turn errors into one line ‘what happened — what to do next’ and their exit code.

    Args:
        ctx: the command's context; its `meta` says whether the verb was given --json.
    """
    try:
        yield
    except DistrenError as error:
        report(error, as_json=bool(ctx.meta.get(JSON)))
        raise typer.Exit(error.exit_code) from error
    except (KeyboardInterrupt, typer.Abort) as error:
        sys.stderr.write("\nStopped.\n")
        raise typer.Exit(INTERRUPTED) from error
    except BrokenPipeError:
        raise  # typer ends quietly when the reader of a pipe has gone
    except OSError as error:
        report(_of_system(error), as_json=bool(ctx.meta.get(JSON)))
        raise typer.Exit(1) from error


def report(error: DistrenError, *, as_json: bool = False) -> None:
    """Write an error to stderr: one line for people, or the problem's JSON."""
    sys.stderr.write((json.dumps(error.problem()) if as_json else line(error)) + "\n")


def line(error: DistrenError) -> str:
    """Return ‘what happened — what to do next’."""
    hint = error.hint
    if not hint and isinstance(error, Unauthenticated) and not isinstance(error, WrongPassphrase):
        hint = "Run `distren login`."
    text = f"{error.message.rstrip('.')} — {hint}" if hint else error.message
    return " ".join(text.split())


def _of_system(error: OSError) -> DistrenError:
    where = f"“{error.filename}”: " if error.filename else ""
    return DistrenError(f"{where}{error.strerror or error}.")
