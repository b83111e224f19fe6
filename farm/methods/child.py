"""Methods whose sessions are a Python program of their own: what these have in common."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import blender_addon
import farm
from farm.methods.base import Device, Launch, Offered, Plan, needs_of_python
from farm.protocol.slaves import JobSheet
from farm.words.errors import NotASetup

_KEPT = ("PATH", "SYSTEMROOT", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH")
"""What a session may see of the slave's environment: never its passwords."""

_OURS = tuple(Path(package.__file__ or "").parent for package in (farm, blender_addon))
"""The folders of our packages: methods share what the add-on has, too."""


class ChildMethod:
    """A method without cards and without anything to install."""

    name = ""
    hint = ""
    """How a person installs the renderer."""

    def plan(self, source: Path, settings: dict[str, Any]) -> Plan:
        """Return a job of the source alone: a package brings more."""
        return Plan(source.absolute().parent, (source.absolute(),), settings)

    def installs(self) -> list[str]:
        """Return nothing: a person installs it."""
        return []

    def install(self, version: str, folder: Path, limit: int, cache: Path) -> None:
        """Refuse.

        Raises:
            NotASetup: always.
        """
        raise NotASetup(f"A slave can't install what the method {self.name} needs.", hint=self.hint)

    def broken(self, offered: Offered, card: Device, scratch: Path, around: Callable[[Launch], Launch]) -> str:
        """Return nothing: it uses no card."""
        return ""


def child(
    words: Sequence[str],
    sheet: JobSheet,
    root: Path,
    scratch: Path,
    *,
    needs: Sequence[Path] = (),
    paths: Sequence[Path] = (),
    resumes: bool = False,
    **opening: Any,
) -> Launch:
    """Return how to start a session that is a module of ours, run by this Python.

    Args:
        words: the module's name, and its arguments.
        sheet: the job.
        root: the job's folder.
        scratch: the session's own folder, which is its home.
        needs: what it reads beside the system, this Python and DistRen.
        paths: folders in which Python looks for modules beside ours.
        resumes: it goes on with frames that broke off.
        opening: more members of the first order; they count more than the usual ones.
    """
    python = Path(sys.executable)
    # The package's own folder goes first, so that another working folder finds the same code.
    looked = os.pathsep.join(str(path) for path in (_OURS[0].parent, *paths))
    own = {"PYTHONPATH": looked, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    first = {
        "do": "open",
        "source": str(root / sheet.source) if sheet.source else "",
        "root": str(root),
        "settings": sheet.settings,
        **opening,
    }
    env = {**kept, **dict.fromkeys(("HOME", "TMPDIR"), str(scratch)), **own}
    argv = [str(python), "-m", *words]
    return Launch(argv, env, scratch, first, (*needs_of_python(python), *_OURS, *needs), resumes=resumes)
