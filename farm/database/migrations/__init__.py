"""The chain of migrations, one for SQLite and MariaDB alike."""

HEAD = "0030"
"""The newest revision. A test compares it with the scripts."""
