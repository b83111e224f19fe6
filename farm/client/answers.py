"""Answers of servers that may be none."""

from __future__ import annotations

from types import TracebackType

from farm.words.errors import Unavailable


class understood:  # noqa: N801 - a context manager, used like a function
    """Turn an answer that is not of our protocol into an error that says so."""

    def __init__(self, server: str) -> None:
        self.server = server

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, ValueError):
            hint = "Is this the address of a DistRen server of about this version?"
            raise Unavailable(
                f"{self.server} gave an answer that this version does not understand.", hint=hint
            ) from error
