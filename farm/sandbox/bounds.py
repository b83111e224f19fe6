"""What one renderer may use of the machine. Pure: it is measured elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from farm.sandbox.tree import Usage


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that a process tree may use; None: no bound.

    A limit on address space would stop Blender, which reserves far more than it uses. So
    the resident memory of the tree is watched instead.

    Args:
        memory_bytes: resident memory.
        processes: how many processes.
    """

    memory_bytes: int | None = None
    processes: int | None = None

    def short(self, usage: Usage) -> bool:
        """Tell whether memory is what is too much."""
        return self.memory_bytes is not None and usage.memory_bytes > self.memory_bytes

    def exceeded(self, usage: Usage) -> str:
        """Return what is too much, or an empty text."""
        if self.memory_bytes is not None and self.short(usage):
            used, most = (f"{value / 1e9:,.1f} GB" for value in (usage.memory_bytes, self.memory_bytes))
            return f"ran out of memory: it used {used}, and this slave allows {most}"
        if self.processes is not None and usage.processes > self.processes:
            return f"started {usage.processes} processes, and this slave allows {self.processes}"
        return ""


UNBOUND = Bounds()
"""All that the machine has."""
