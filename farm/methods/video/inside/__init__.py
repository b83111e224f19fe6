"""What runs in a session of the `video` method."""
