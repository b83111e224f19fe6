"""Content-addressed blobs, and the admin's view of them by job."""
