"""Whom users count as friends."""
