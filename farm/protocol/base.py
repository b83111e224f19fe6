"""What all messages share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints

from farm.words.names import PERSON_NAME


class Request(BaseModel):
    """A message to a server: unknown members are errors, so that typing errors show."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """A message from a server: unknown members are ignored, so that servers may be newer."""

    model_config = ConfigDict(extra="ignore", frozen=True)


Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 in lower-case hex."""

PersonName = Annotated[
    str,
    # Before the pattern: pydantic's own `to_lower` comes after it.
    BeforeValidator(lambda name: name.strip().lower() if isinstance(name, str) else name),
    StringConstraints(pattern=f"^{PERSON_NAME.pattern}$"),
]
"""The name of a user or a slave."""

Tag = PersonName
"""A word that a slave has, and that a job may demand of its slaves; a pool's name."""

Label = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)]
"""A short text of a person's."""

RelativePath = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
"""A path inside a job, with `/`; :func:`farm.package.paths.checked` says which are safe."""
