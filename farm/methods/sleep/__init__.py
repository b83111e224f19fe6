"""The method that only waits: for tests, and to try a farm without a renderer."""
