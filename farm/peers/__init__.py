"""Other servers: who they are, what they may do here, and what this server does there for its users."""
