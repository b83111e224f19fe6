"""The scenes that slaves are measured with, and how long the reference machine takes for them."""
