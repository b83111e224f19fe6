"""A server that is somebody's, such as a staging farm: a simulation is its guest, and takes away what it brought."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from pydantic import SecretStr

from farm.client.farmclient import FarmClient
from farm.client.pointcalls import PointCalls
from farm.client.poolcalls import PoolCalls
from farm.client.usercalls import UserCalls
from farm.protocol.accounts import MakeInvite, Recover, Register, Role
from farm.protocol.joining import SlaveKeyMade
from farm.protocol.pools import PoolWish
from farm.protocol.typed import message
from farm.simulator.faults import FAULTS, Machine
from farm.simulator.network import Cable
from farm.words.errors import DistrenError, Forbidden, Malformed, WrongState
from farm.words.states import JOB_ENDED, SlaveState

NAME = "distren-simulation"
"""The pool, and how the names of users and slaves begin."""


class LentSite:
    """A server at which an admin lets a simulation happen.

    Its slaves are in a pool of its own, and its jobs name that: so no other slave takes them, and its slaves take no
    others' jobs. Users can't be removed from a server, so they have constant names, and are kept out between two runs.

    Args:
        admin: an admin's.
        verify: how the server's certificate is checked.
        wanted: the faults that are to happen.
        say: is told what could not be taken away.

    Raises:
        Malformed: a fault needs a server of the simulation's own.
        Forbidden: one has to be an admin there.
    """

    def __init__(
        self,
        admin: FarmClient,
        verify: bool | str = True,
        wanted: Sequence[str] = (),
        say: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        for name in wanted:
            if FAULTS[name].own:
                others = ", ".join(name for name, fault in FAULTS.items() if not fault.own)
                raise Malformed(
                    f"{name} can't happen at {admin.server}: it needs that server's own process or disk.",
                    hint=f"There can be {others}. Without --server all faults happen to a server of the run's own.",
                )
        if admin.me().role is not Role.ADMIN:
            raise Forbidden(f"A simulation at {admin.server} needs an admin's login.")
        about = admin.server_info()
        self.where = f"{admin.server} ({about.name}, DistRen {about.version})"
        self.url, self.verify, self.pool = admin.server, verify, NAME
        self.cables = (Cable(), Cable())
        self.undone: dict[str, str] = {}
        self._admin, self._say = admin, say
        self._clients: dict[str, FarmClient] = {}
        self._before: set[str] = set()

    @property
    def machine(self) -> Machine:
        """Refuse: it is somebody's."""
        raise WrongState("A server that is somebody's is not touched.")

    @contextmanager
    def opened(self) -> Iterator[None]:
        """See that nobody else does so; take away all that was brought, afterwards.

        Raises:
            WrongState: another simulation is at work there.
        """
        live = [one.name for one in self._admin.slaves() if one.pool == NAME and one.state is not SlaveState.OFFLINE]
        if live:
            raise WrongState(
                f"Another simulation is at work there: {live[0]} is online.",
                hint="If it has been killed, its slaves are offline in less than a minute.",
            )
        self._before = set(self._ledger())
        try:
            yield
        finally:
            self._leave()

    def people(self, count: int) -> list[FarmClient]:
        """Return the users: new ones, or those of an earlier run, whose jobs and slaves are removed."""
        known = {user.name: user for user in UserCalls(self._admin).users()}
        for name in (f"{NAME}-{number}" for number in range(1, count + 1)):
            if name not in known:
                token = self._registered(name)
            elif known[name].role is Role.ADMIN:
                raise WrongState(f"{name} is an admin there, and can't be a simulation's user.")
            else:
                token = self._let_in_again(name)
            self._clients[name] = FarmClient(self.url, token, self.verify)
            self._emptied(name)
        return list(self._clients.values())

    def slaves(self, count: int) -> list[SlaveKeyMade]:
        """Make the keys of slaves, which belong to the users in turn; put them into the pool before they log in."""
        users = list(self._clients.items())
        turns = [(number, *users[number % len(users)]) for number in range(count)]
        keys = [client.make_slave_key(f"{user}-{number:05}") for number, user, client in turns]
        wish = message(PoolWish, slaves=[key.name for key in keys], users=list(self._clients))
        PoolCalls(self._admin).put(NAME, wish)
        return keys

    def size(self) -> tuple[int, int]:
        """Return that nothing is known."""
        return 0, 0

    def audit(self) -> None:
        """Do nothing: to recompute the ledger of a server with a history is no small thing."""

    def audit_at_end(self) -> list[str]:
        """Return what the ledger contradicts, but did not before, and which slaves have something after all ended."""
        held = [
            f"All jobs have ended, but {slave.name} still has {', '.join(slave.running)}."
            for slave in self._admin.slaves()
            if slave.pool == NAME and slave.running
        ]
        return held + [fault for fault in self._ledger() if fault not in self._before]

    def _ledger(self) -> list[str]:
        """Return what is wrong with the server's ledger."""
        return PointCalls(self._admin).audit_points().faults

    def _registered(self, name: str) -> str:
        code = self._admin.make_invite(MakeInvite()).code
        wish = Register(name=name, passphrase=_passphrase(), invite=code, device=NAME)
        with FarmClient(self.url, verify=self.verify) as guest:
            return guest.register(wish).token

    def _let_in_again(self, name: str) -> str:
        calls = UserCalls(self._admin)
        calls.set_disabled(name, disabled=False)
        wish = Recover(name=name, code=calls.make_recovery(name).code, passphrase=_passphrase(), device=NAME)
        with FarmClient(self.url, verify=self.verify) as guest:
            return UserCalls(guest).recover(wish).token

    def _leave(self) -> None:
        """Take away jobs, slaves and the pool; keep the users out. What can't be is told, and done by the next run."""
        for name, client in self._clients.items():
            self._try(partial(self._emptied, name))
            client.close()
        self._try(self._without_pool)
        for name in self._clients:
            self._try(partial(UserCalls(self._admin).set_disabled, name, disabled=True))

    def _without_pool(self) -> None:
        calls = PoolCalls(self._admin)
        if any(one.name == NAME for one in calls.pools()):
            calls.remove(NAME)

    def _emptied(self, name: str) -> None:
        """Delete a user's jobs, and retire their slaves."""
        client = self._clients[name]
        while jobs := client.jobs(owner=name, limit=500).jobs:
            for job in jobs:
                if job.state not in JOB_ENDED:
                    client.command(job.job, "cancel")
                client.delete(job.job)
        for slave in self._admin.slaves():
            if slave.owner == name:
                client.retire_slave(slave.name)

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except DistrenError as error:
            self._say(f"Something of the simulation stays at {self.url}, until the next one. {error.message}")


def _passphrase() -> SecretStr:
    return SecretStr(secrets.token_urlsafe(16))
