"""Where benchmarks are made: the parts of this server that they need."""

from __future__ import annotations

from farm.api.jobs.parts import methods, rules
from farm.api.services import Services
from farm.jobs.benchmarks import Place


def place(farm: Services) -> Place:
    """Return them."""
    limits, strangers = rules(farm.settings), farm.policy.strangers
    return Place(farm.database, farm.store, methods(), limits, farm.name, strangers)
