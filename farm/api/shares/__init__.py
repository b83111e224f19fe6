"""On what terms the farm is shared."""
