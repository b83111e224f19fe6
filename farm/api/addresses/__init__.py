"""What an address stands for."""
