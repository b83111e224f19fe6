"""Slaves' power."""
