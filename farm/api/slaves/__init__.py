"""Slaves, as their owners see and steer them."""
