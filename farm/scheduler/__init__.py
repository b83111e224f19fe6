"""Which frame next, and for whom. Rules are pure; database access stands beside them."""
