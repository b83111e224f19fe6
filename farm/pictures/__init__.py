"""Decode, check, compare, thumbnails; always in a limited child process."""
