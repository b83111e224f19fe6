"""Run a stranger's job: process trees, limits, and later bubblewrap."""
