"""What people can be told of, and how."""

from __future__ import annotations

from enum import StrEnum


class About(StrEnum):
    """What a notification is about."""

    DONE = "done"
    """A job of theirs has all its frames."""
    FAILED = "failed"
    """A job of theirs ended with frames that failed."""
    ATTENTION = "attention"
    """A job of theirs is paused until somebody does something: its own fault, or it waits for approval."""
    SLAVE = "slave"
    """A slave of theirs fell silent, or drew falsely; for admins: any drew falsely, or is in doubt."""
    TEST = "test"
    """They wanted to see whether it arrives."""


class Way(StrEnum):
    """How it reaches them."""

    MAIL = "mail"
    """An e-mail, by the server's SMTP settings."""
    WEBHOOK = "webhook"
    """A POST of JSON, signed."""
    DISCORD = "discord"
    """A POST in Discord's shape."""
    SLACK = "slack"
    """A POST in Slack's shape, which Mattermost and Rocket.Chat take, too."""


CHOICES = (About.DONE, About.FAILED, About.ATTENTION, About.SLAVE)
"""What can be chosen."""
