"""Run a stranger's job: process trees, limits, and nothing left behind."""
