"""The agent on a render machine."""
