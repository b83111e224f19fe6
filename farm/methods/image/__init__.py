"""The method that puts tiles together."""
