"""Send an e-mail by the server's SMTP settings."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage

from farm.accounts.notices import Pending
from farm.words.errors import NotASetup, Unavailable
from farm.words.settings import ServerSettings

TIMEOUT = 20.0
"""Seconds without a word from the mail server."""


def send(one: Pending, settings: ServerSettings, url: str) -> None:
    """Send a notification; blocks until the mail server has it.

    Raises:
        NotASetup: no mail server is set.
        Unavailable: it did not take the mail, and why.
    """
    if not settings.smtp_host:
        raise NotASetup("This server sends no mail.", hint="An admin can set smtp_host.")
    made = _written(one, settings, url)
    try:
        with _connected(settings) as smtp:
            if settings.smtp_user:
                smtp.login(settings.smtp_user, settings.smtp_password.get_secret_value())
            smtp.send_message(made)
    except (smtplib.SMTPException, OSError) as error:
        raise Unavailable(f"The mail server {settings.smtp_host} did not take it: {error}.") from error


def _written(one: Pending, settings: ServerSettings, url: str) -> EmailMessage:
    made = EmailMessage()
    # A line break in a job's name would begin another header; the library refuses it.
    made["Subject"] = " ".join(one.title.split())
    made["From"] = settings.smtp_from or f"distren@{settings.smtp_host}"
    made["To"] = one.address
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday answers it
    made.set_content("\n\n".join(filter(None, [one.title, one.body, f"{url}{one.path}"])) + "\n")
    return made


def _connected(settings: ServerSettings) -> smtplib.SMTP:
    host, port = settings.smtp_host, settings.smtp_port
    if settings.smtp_security == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=ssl.create_default_context())
    smtp = smtplib.SMTP(host, port, timeout=TIMEOUT)
    if settings.smtp_security == "starttls":
        smtp.starttls(context=ssl.create_default_context())
    return smtp
