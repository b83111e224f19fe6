"""Servers that know each other."""
