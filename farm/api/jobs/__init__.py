"""A job's life over HTTP."""
