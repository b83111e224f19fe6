"""Users, logins, tokens and slave keys."""
