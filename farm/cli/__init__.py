"""The `distren` command."""
