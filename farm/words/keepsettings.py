"""Settings of a server about how much is kept, and how long."""

from __future__ import annotations

from pydantic import ByteSize, Field

from farm.words.filesettings import FileSettings


class KeepSettings(FileSettings):
    """What goes by itself, and when; 0 where it says so: never."""

    events_hours: float = Field(48, gt=0, description="Hours that the event log is kept.")
    unused_hours: float = Field(
        24, ge=0, description="Hours that a file is kept after the last job that used it was deleted."
    )
    farm_quota: ByteSize = Field(
        ByteSize(0), ge=0, description="Bytes that all files together may take before jobs pause, e.g. 4TB; 0: any."
    )
    keep_jobs_days: float = Field(
        0,
        ge=0,
        description="Days after its end that a job is deleted, files and pictures included, if all its pictures were "
        "fetched and nothing waits for it; 0: never. Pictures that nobody fetched are never deleted by themselves.",
    )
    keep_packages_days: float = Field(
        0,
        ge=0,
        description="Days after a job's end that the files it was submitted with are kept; 0: as long as the job. Its "
        "pictures stay, but it can't be rendered again: whoever wants that submits it again.",
    )
    keep_logs_days: float = Field(
        90, ge=0, description="Days after a job's end that logs and steps of its attempts are kept; 0: for ever."
    )
    keep_attempts_days: float = Field(
        90, ge=0, description="Days after a job's end that attempts are kept that gave no picture; 0: for ever."
    )
    keep_ledger_days: float = Field(
        400,
        ge=0,
        description="Days after a job was deleted that its rows of the points' ledger, and the row of its number, are "
        "kept in the database; then they go into an archive among the stored files, and their sums are carried "
        "forward: accounts stay what they are. 0: for ever.",
    )
