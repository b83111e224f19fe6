"""This server's own DistRen, for machines that are to become slaves."""
