"""Bytes on their way in, and how bytes are served."""
