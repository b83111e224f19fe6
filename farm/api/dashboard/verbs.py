"""What can be done to a job. Pure."""

from __future__ import annotations

from farm.words.states import JobState

_CAN = {
    JobState.QUEUED: ["pause", "cancel"],
    JobState.RENDERING: ["pause", "cancel"],
    JobState.PAUSED: ["resume", "cancel"],
    JobState.DONE: ["delete"],
    JobState.FAILED: ["retry", "delete"],
    JobState.CANCELED: ["retry", "delete"],
}


def verbs(state: JobState) -> list[str]:
    """Return what can be done to a job in a state."""
    return _CAN.get(state, [])
