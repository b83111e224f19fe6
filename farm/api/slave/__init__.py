"""What slaves call."""
