"""A job's life: submission, control, and what people see of it."""
