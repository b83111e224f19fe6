"""The server's version of DistRen, for its slaves."""
