"""Jobs and pictures as one tar, streamed from the store."""
