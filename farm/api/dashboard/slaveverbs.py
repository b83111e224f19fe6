"""What people do to slaves, one or many, and what is asked before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from farm.accounts.identity import Identity
from farm.api.dashboard.question import Question
from farm.api.dashboard.rendering import count
from farm.api.doubts import endpoints as doubts
from farm.api.errands.endpoints import send
from farm.api.ratings.endpoints import measure
from farm.api.services import Services
from farm.api.slaves import endpoints as slaves
from farm.api.upgrades.endpoints import upgrade
from farm.protocol.errands import SendErrand
from farm.words.errands import Errand
from farm.words.errors import NotFound

WORDS = {
    "pause": "Drain",
    "resume": "Resume",
    "rest": "Rest",
    "wake": "Wake",
    "test": "Test frame",
    "benchmark": "Measure",
    "log": "Read log",
    "upgrade": "Upgrade",
    "restart": "Restart",
    "stop": "Stop",
    "stop_now": "Stop now",
    "retire": "Retire",
    "trust": "Trust its build",
    "convict": "Convict",
}
"""What can be done, and how buttons say it."""

MEANS = {
    "pause": "Finish what renders, begin nothing new",
    "rest": "Render nothing for two hours, or as long as is chosen",
    "test": "Render a test frame with each renderer",
    "benchmark": "Render scenes of our own, to know what its time is worth",
    "upgrade": "Bring it to this server's version",
    "restart": "Finish what renders, then begin anew",
    "stop": "Finish what renders, then end",
    "stop_now": "Give back what renders, and end at once",
    "retire": "Void its key for good",
    "trust": "It draws right, though otherwise than others",
    "convict": "It is false: retire it, and render again what nobody has checked",
}
"""What that means, where a word does not say it."""

FINAL = {
    "stop": "It finishes what renders, and ends. Somebody has to start it again on its machine.",
    "stop_now": "What renders now is given back, and rendered elsewhere from the start. "
    "Somebody has to start it again on its machine.",
    "retire": "Its key is void for good, and what it renders now is rendered elsewhere. What it did stays on record.",
    "convict": "Its key is void for good, what it earned for frames that nobody has checked is taken back, and these "
    "are rendered again.",
}
"""What can't be undone from here, and what becomes of it: the page asks before."""


def question(verb: str, names: Sequence[str], back: str) -> Question:
    """Return what is asked before something final."""
    which = f"slave {names[0]}" if len(names) == 1 else count(len(names), "slave")
    word = WORDS[verb].lower()
    links = [(name, f"/slaves/{name}") for name in names]
    fields = [("slave", name) for name in names]
    return Question(verb, f"{word.capitalize()} {which}?", FINAL[verb], "/slaves", back, links, fields, word)


async def carry_out(user: Identity, farm: Services, name: str, verb: str, seconds: float) -> None:
    """Do what a person asked for.

    Args:
        user: who asks.
        farm: the server's parts.
        name: the slave's.
        verb: one of :data:`WORDS`.
        seconds: for how long it rests.

    Raises:
        DistrenError: it can't be done, and why.
    """
    plain: dict[str, Callable[[], Awaitable[object]]] = {
        "pause": partial(slaves.pause, name, user, farm.database),
        "resume": partial(slaves.resume, name, user, farm.database),
        "retire": partial(slaves.retire, name, user, farm),
        "benchmark": partial(measure, name, farm, user),
        "upgrade": partial(upgrade, name, user, farm.database),
    }
    judged = {"trust": doubts.trust, "convict": doubts.convict}
    if verb in plain:
        await plain[verb]()
    elif verb in judged:
        user.must_be_admin()
        await judged[verb](name, user, farm.database)
    elif verb in frozenset(Errand):
        await send(name, SendErrand(errand=Errand(verb), seconds=seconds), user, farm.database)
    else:
        raise NotFound(f"Nobody can {verb[:30]} a slave here.")
