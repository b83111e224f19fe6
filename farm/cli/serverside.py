"""What the verbs share that need the server's packages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from farm.words.errors import NotASetup


@contextmanager
def servers_packages() -> Iterator[None]:
    """Say what is missing where the server's packages are not installed; around their imports.

    Raises:
        NotASetup: they are not.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise NotASetup(
            f"This needs the server's packages, which are not installed here ({error.name}).",
            hint="Run it on the server's machine, or: pip install 'distren[server]'.",
        ) from error
