"""Users, as admins and they themselves change them."""
