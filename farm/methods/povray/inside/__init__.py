"""What runs as the session of the POV-Ray method: this Python, no renderer of its own."""
