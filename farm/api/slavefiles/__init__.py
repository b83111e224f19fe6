"""What slaves fetch and send."""
