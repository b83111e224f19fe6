"""Boosts."""
