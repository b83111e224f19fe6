"""A method that renders nothing: for tests, load and the simulator."""
