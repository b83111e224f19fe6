"""Users, invites, logins over HTTP."""
