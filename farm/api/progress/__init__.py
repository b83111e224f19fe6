"""A job's progress as plain text."""
