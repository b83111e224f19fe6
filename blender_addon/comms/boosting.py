"""Points for having a job rendered sooner: ask what that costs and gives, do it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .link import Link
from .messages import Done, Weighed
from .trouble import Trouble


@dataclass(frozen=True)
class Boost:
    """A boost of a job: `points` that it may use, `boost` times a frame's worth for each. 0 points end it."""

    job: int
    points: int
    boost: int

    @property
    def wish(self) -> dict[str, Any]:
        """What the server is told."""
        return {"points": self.points, "boost": self.boost}


def weigh(link: Link, boost: Boost) -> Weighed:
    """Ask what a boost would cost and give; nothing is spent. Trouble is a part of the answer."""
    try:
        with link.fresh() as own:
            return Weighed(boost, own.call("POST", f"/api/jobs/{boost.job}/boost/preview", boost.wish))
    except Trouble as trouble:
        return Weighed(boost, None, trouble)


def put(link: Link, boost: Boost) -> Done:
    """Do it.

    Raises:
        Trouble: there are not so many points, or the job has ended.
    """
    with link.fresh() as own:
        view = own.call("PUT", f"/api/jobs/{boost.job}/boost", boost.wish)
    if view["boost"]:
        return Done(f"Job {boost.job} is boosted by {view['boost']}.")
    return Done(f"Job {boost.job} is not boosted any more; what was left of its points is yours again.")
