"""Why things are as they are, and admins' words."""
