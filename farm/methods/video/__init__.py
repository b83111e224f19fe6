"""The method that makes videos of pictures."""
