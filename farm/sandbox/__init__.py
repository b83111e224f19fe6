"""Run a stranger's job: process trees, limits, bubblewrap."""
