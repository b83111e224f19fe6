"""The chain of migrations, one for SQLite and MariaDB alike.

While one process of a farm after another is replaced, and after a way back, a version works on tables of a newer one.
So migrations only add: tables, indexes, and columns that may be left out of an INSERT. What no version needs any more
is taken away by a migration that says by `UNUSED_SINCE` which revision was the first whose code did without it, and
`OLDEST` must be that one, or a later one. A test reads them all.
"""

HEAD = "0034"
"""The newest revision. A test compares it with the scripts."""

OLDEST = "0030"
"""The oldest revision whose code works on the newest tables: raised only when something is taken away."""
