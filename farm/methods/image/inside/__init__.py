"""What runs in a session of the `image` method."""
