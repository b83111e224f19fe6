"""Errands of slaves: what people have them do, and what they say of it."""
