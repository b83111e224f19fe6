"""The server process: puts the rooms together, and does what comes round."""
