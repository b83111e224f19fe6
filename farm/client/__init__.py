"""The HTTP client that CLI, slave, simulator and peers use. httpx stays in here."""
