"""Say notifications: by mail and by webhooks. Nothing here holds up a frame."""
