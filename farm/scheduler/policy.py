"""The scheduler's numbers."""

from __future__ import annotations

from dataclasses import dataclass

from farm.words.clock import microseconds


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient and how generous the scheduler is.

    Attributes:
        heartbeat_seconds: how often a slave must report.
        heard_seconds: the longest heartbeat that a slave may still go by, if that is longer.
        lost_after: heartbeats without a report after which a slave is lost.
        lease_seconds: how much rendering a lease holds.
        lease_frames: the most frames in one lease.
        deadline_seconds: an attempt that no report named for so long is lost.
        attempts_limit: a frame fails after so many attempts that failed by their slaves' fault.
        farm_attempts_limit: the same for the farm's fault, lost slaves among it.
        avoid_after: a slave with so many failures of its own in a job is avoided for it.
        sick_rest_seconds: a sick slave gets a frame to prove itself after so long.
        backoff_seconds: the longest wait after failures of the farm's fault.
        receiving_seconds: a job whose files don't arrive is deleted after so long.
        stragglers: lease the last frames twice where that ends the job sooner.
        render_seconds: a job's limit for one frame where it names none.
        silence_seconds: the same for time without progress.
        job_share: with strangers, the part of all slots that one job may hold while others wait.
        user_slots: slots that the jobs of one user may hold; 0: any number.
        strangers: the users don't know each other: slaves without a sandbox render their owner's jobs only.
    """

    heartbeat_seconds: float = 5
    heard_seconds: float = 0
    lost_after: int = 3
    lease_seconds: float = 30
    lease_frames: int = 32
    deadline_seconds: float = 60
    attempts_limit: int = 5
    farm_attempts_limit: int = 20
    avoid_after: int = 3
    sick_rest_seconds: float = 60
    backoff_seconds: float = 60
    receiving_seconds: float = 3 * 86400
    stragglers: bool = True
    render_seconds: float = 6 * 3600
    silence_seconds: float = 900
    strangers: bool = False
    job_share: float = 0.75
    user_slots: int = 0

    @property
    def lost_us(self) -> int:
        """Silence after which a slave is lost, in µs.

        A quarter of a heartbeat less than those that it missed, for the sweep comes by once a second, and
        takes a moment: with 5 s, its frames are back in the queue within 15.
        """
        return microseconds(max(self.heartbeat_seconds, self.heard_seconds) * (self.lost_after - 0.25))

    @property
    def quiet_us(self) -> int:
        """Silence after which a slave's key may log in again, in µs: 15 s with the usual heartbeat."""
        return microseconds(max(self.heartbeat_seconds, self.heard_seconds, 5) + 10)

    @property
    def deadline_us(self) -> int:
        """How far in the future a renewed deadline lies, in µs."""
        return max(microseconds(self.deadline_seconds), 2 * self.lost_us)
