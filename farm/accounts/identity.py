"""Who is asking: the holder of a token, or a peer's user."""

from __future__ import annotations

from dataclasses import dataclass

from farm.protocol.accounts import Profile, Role
from farm.words.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Identity:
    """A user or a slave, as the token says; or a user of another server, as that one says.

    Args:
        id: of the user's row, or of the slave's.
        role: of the user; a slave has none.
        token: the hash of the token that was shown; empty for a peer's user.
        peer: the other server; empty: a user of this one.
        sees_all: users of that server may see all jobs, where users of this one do.
    """

    id: int
    name: str
    role: Role | None
    token: bytes
    peer: str = ""
    sees_all: bool = True

    @property
    def is_slave(self) -> bool:
        """A slave's agent."""
        return self.role is None

    @property
    def is_admin(self) -> bool:
        """A user who may do everything."""
        return self.role is Role.ADMIN

    def in_team(self, profile: str) -> bool:
        """Tell whether other users' jobs are theirs to see: the server's users are a team, and they belong to it."""
        return profile == Profile.STUDIO and self.sees_all

    def must_be_admin(self) -> None:
        """Let only admins on.

        Raises:
            Forbidden: this is no admin.
        """
        if not self.is_admin:
            raise Forbidden(f"Only an admin may do this, and {self.name} is none.", hint="Ask an admin of this server.")
