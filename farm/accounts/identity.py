"""Who is asking: the holder of a token."""

from __future__ import annotations

from dataclasses import dataclass

from farm.protocol.accounts import Role
from farm.words.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Identity:
    """A user or a slave, as the token says.

    Args:
        id: of the user's row, or of the slave's.
        role: of the user; a slave has none.
        token: the hash of the token that was shown.
    """

    id: int
    name: str
    role: Role | None
    token: bytes

    @property
    def is_slave(self) -> bool:
        """A slave's agent."""
        return self.role is None

    @property
    def is_admin(self) -> bool:
        """A user who may do everything."""
        return self.role is Role.ADMIN

    def must_be_admin(self) -> None:
        """Let only admins on.

        Raises:
            Forbidden: this is no admin.
        """
        if not self.is_admin:
            raise Forbidden(f"Only an admin may do this, and {self.name} is none.", hint="Ask an admin of this server.")
