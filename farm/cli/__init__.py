"""The distren command."""
