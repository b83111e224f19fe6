"""Decode, check and compare pictures, in a limited child process."""
