"""Notifications that users ask for."""
