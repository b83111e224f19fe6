"""On which terms slaves are lent."""
