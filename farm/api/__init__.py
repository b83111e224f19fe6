"""HTTP: one folder per resource. Endpoints translate, nothing more."""
