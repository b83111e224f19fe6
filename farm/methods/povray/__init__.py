"""The POV-Ray render method: one process per frame, behind the session wire."""
